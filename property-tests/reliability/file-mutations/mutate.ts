import { Buffer } from "node:buffer";
import type { Random } from "../random.ts";
import type { Files, Original } from "./original.ts";

/** A class of files of a store; `database` is all of `log/` at once. */
export type FileClass = "table" | "wal" | "manifest" | "current" | "head" | "marker" | "snapshot" | "database";

/** What happens to a file. */
export type MutationKind = "flip" | "truncate" | "zero" | "delete" | "stale";

/** A store with one file that is not as it was written. */
export interface Mutation {
  readonly fileClass: FileClass;
  readonly kind: MutationKind;
  /** The file's path in the directory, or `log`. */
  readonly name: string;
  /** The mutated directory. */
  readonly files: Files;
  /** For people. */
  readonly description: string;
}

// Each class of file gets a tenth at least; those that an opening refuses at a glance get more.
const CLASSES: { readonly [name in FileClass]: number } = {
  table: 11,
  wal: 11,
  manifest: 11,
  current: 17,
  head: 11,
  marker: 17,
  snapshot: 17,
  database: 5,
};
const KINDS: { readonly [name in MutationKind]: number } = { flip: 45, truncate: 20, zero: 20, delete: 3, stale: 12 };
const ATTEMPTS = 100;

const PATTERNS: { readonly [name in Exclude<FileClass, "database">]: RegExp } = {
  table: /^log\/\d+\.ldb$/,
  wal: /^log\/\d+\.log$/,
  manifest: /^log\/MANIFEST-/,
  current: /^log\/CURRENT$/,
  head: /^HEAD$/,
  marker: /^HEARTWOOD$/,
  snapshot: /^snapshots\/\d+$/,
};

/** Mutates one file of one of the two states of a store. */
export function mutate(original: Original, random: Random): Mutation {
  const files = random.pick(original.states);
  const fileClass = random.weighted(CLASSES);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found =
      fileClass === "database"
        ? mutateDatabase(original, files, random)
        : mutateFile(original, files, fileClass, random.weighted(KINDS), random);
    if (found !== undefined) return found;
  }
  throw new Error(`expected a mutation of class ${fileClass} in ${ATTEMPTS} attempts, got none`);
}

/** Undefined if nothing would be changed. */
function mutateFile(
  original: Original,
  files: Files,
  fileClass: Exclude<FileClass, "database">,
  kind: MutationKind,
  random: Random,
): Mutation | undefined {
  const names = [...files.keys()].filter((name) => PATTERNS[fileClass].test(name));
  const name = pickBySize(names, files, random);
  const content = files.get(name) ?? new Uint8Array();
  const mutated = new Map(files);
  mutated.delete(name);
  if (kind === "delete") return { fileClass, kind, name, files: mutated, description: `${name} deleted` };
  const changed = kind === "stale" ? staleContent(original, fileClass, name, random) : damage(content, kind, random);
  if (changed === undefined || Buffer.compare(changed.content, content) === 0) return undefined;
  mutated.set(name, changed.content);
  return { fileClass, kind, name, files: mutated, description: `${name} of ${content.length} bytes: ${changed.what}` };
}

/** A large table as often as its size says, and each file now and then. */
function pickBySize(names: readonly string[], files: Files, random: Random): string {
  if (random.oneIn(4)) return random.pick(names);
  const weights = Object.fromEntries(names.map((name) => [name, files.get(name)?.length ?? 0]));
  return random.weighted(weights);
}

interface Changed {
  readonly content: Uint8Array;
  readonly what: string;
}

function damage(content: Uint8Array, kind: "flip" | "truncate" | "zero", random: Random): Changed | undefined {
  if (content.length === 0) return undefined;
  const at = random.below(content.length);
  switch (kind) {
    case "flip": {
      const bit = random.below(8);
      const flipped = Uint8Array.from(content);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      return { content: flipped, what: `bit ${bit} of byte ${at} flipped` };
    }
    case "truncate":
      return { content: content.subarray(0, at), what: `cut to ${at} bytes` };
    case "zero": {
      const length = random.pick([1, 8, 64, 512, 4096]);
      const from = at - (at % length);
      return { content: Uint8Array.from(content).fill(0, from, from + length), what: `${length} bytes zeroed at ${from}` };
    }
  }
}

/** What a file of that class held earlier; of the marker, which never changes, what that of another log holds. */
function staleContent(
  { history, other }: Original,
  fileClass: Exclude<FileClass, "database">,
  name: string,
  random: Random,
): Changed | undefined {
  const back = 1 + random.below(random.oneIn(2) ? 4 : history.length);
  const earlier = fileClass === "marker" ? other : history.at(-back);
  const same = earlier?.get(name);
  const alike = [...(earlier ?? [])].filter(([found]) => PATTERNS[fileClass].test(found));
  const content = same ?? (alike.length > 0 ? random.pick(alike)[1] : undefined);
  return content === undefined ? undefined : { content, what: `replaced by an older copy, ${back} moments back` };
}

/** The folder `log/` as it was earlier, that of another log, or none. */
function mutateDatabase({ history, other }: Original, files: Files, random: Random): Mutation | undefined {
  const fileClass = "database";
  const rest = [...files].filter(([name]) => !name.startsWith("log/"));
  if (random.oneIn(20)) return { fileClass, kind: "delete", name: "log", files: new Map(rest), description: "log/ deleted" };
  const earlier = random.oneIn(10) ? other : random.pick(history);
  const older = [...earlier].filter(([name]) => name.startsWith("log/"));
  const mutated = new Map([...rest, ...older]);
  const isSame = older.every(([name, content]) => Buffer.compare(content, files.get(name) ?? new Uint8Array()) === 0);
  if (isSame) return undefined;
  const what = earlier === other ? "that of another log" : `that of moment ${history.indexOf(earlier)} of ${history.length}`;
  return { fileClass, kind: "stale", name: "log", files: mutated, description: `log/ replaced by ${what}` };
}

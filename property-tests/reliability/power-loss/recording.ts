import { Buffer } from "node:buffer";

/** A system call that changes files, with the moments at which it began and ended. */
export interface FileOperation {
  readonly begin: number;
  /** Infinity if the process ended before it did. */
  readonly end: number;
  readonly call: FileCall;
  /** Its name, and the how manieth of that name on its thread it is. */
  readonly name: string;
  readonly ordinal: number;
}

/** What a system call asks for. Paths are absolute. */
export type FileCall =
  | { readonly kind: "open"; readonly path: string; readonly creates: boolean; readonly truncates: boolean; readonly fd: number }
  | { readonly kind: "write"; readonly fd: number; readonly at: number | undefined; readonly bytes: Uint8Array }
  | { readonly kind: "sync"; readonly fd: number }
  | { readonly kind: "resize"; readonly fd: number; readonly size: number }
  | { readonly kind: "makeDirectory"; readonly path: string }
  | { readonly kind: "rename" | "link"; readonly path: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string };

/** What the recorded program said, and when. */
export interface Statement {
  readonly at: number;
  readonly text: string;
}

/** What a program did to files and said, in the order of the recording. */
export interface Recording {
  readonly operations: readonly FileOperation[];
  readonly statements: readonly Statement[];
  /** One more than the last moment. */
  readonly end: number;
}

/** The calls that change files; a recorded one that is not understood is an error, never left out. */
const RECORDED_CALLS =
  "openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,sync_file_range,rename,renameat,renameat2," +
  "unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,ftruncate,truncate,fallocate,copy_file_range," +
  "sendfile,io_uring_enter,mmap";

/** What makes strace write a recording: whole texts, in hex, and paths. It stops a program at these calls only. */
export const RECORDING_OPTIONS = ["--seccomp-bpf", "-y", "-xx", "-s", "10000000", "-e", `trace=${RECORDED_CALLS}`];

const LINE = /^(\d+) +(.*)$/;
const UNFINISHED = / <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/;
const CALL = /^(\w+)\((.*)\) += (-?\d+|\?)(.*)$/;
const STANDARD_OUTPUT = 1;

/** Reads what `strace -f -y -xx` wrote; moments are counted from `start`. */
export function parseRecording(text: string, directory: string, start = 0): Recording {
  const begun = new Map<string, { readonly at: number; readonly text: string; readonly ordinal: number }>();
  const calls = new Map<string, number>();
  const operations: FileOperation[] = [];
  const statements: Statement[] = [];
  let at = start;
  for (const line of text.split("\n")) {
    const [, pid, rest] = LINE.exec(line) ?? [];
    if (pid === undefined || rest === undefined) continue;
    at++;
    const kind = `${pid} ${/^(\w+)\(/.exec(rest)?.[1]}`;
    calls.set(kind, (calls.get(kind) ?? 0) + 1);
    const ordinal = calls.get(kind) ?? 0;
    if (UNFINISHED.test(rest)) {
      begun.set(pid, { at, text: rest.replace(UNFINISHED, ""), ordinal });
      continue;
    }
    const resumed = RESUMED.exec(rest);
    const before = resumed === null ? undefined : begun.get(pid);
    if (resumed !== null) begun.delete(pid);
    const whole = before === undefined ? rest : `${before.text}${resumed?.[2]}`;
    const [, name = "", args = "", result = ""] = CALL.exec(whole) ?? [];
    if (name === "" || result === "?" || Number(result) < 0) continue;
    const begin = before?.at ?? at;
    const said = statementOf(name, args);
    if (said !== undefined) statements.push({ at: begin, text: said });
    const call = said === undefined ? callOf(name, args, Number(result), directory) : undefined;
    if (call !== undefined) operations.push({ begin, end: at, call, name, ordinal: before?.ordinal ?? ordinal });
  }
  return { operations, statements, end: at + 1 };
}

/** What was written to standard output. */
function statementOf(name: string, args: string): string | undefined {
  const list = splitArguments(args);
  return name === "write" && descriptor(list[0] ?? "").fd === STANDARD_OUTPUT ? decodeText(list[1] ?? "").trim() : undefined;
}

/** The call, if it is about the directory; calls on other files are left out. */
function callOf(name: string, args: string, result: number, directory: string): FileCall | undefined {
  const list = splitArguments(args);
  const first = list[0] ?? "";
  const inside = (path: string) => path === directory || path.startsWith(`${directory}/`);
  const paths = list.filter((text) => text.startsWith('"')).map(decodeText);
  const path = paths[0] ?? "";
  switch (name) {
    case "openat": {
      const flags = (list[2] ?? "").split("|");
      const call = { path, creates: flags.includes("O_CREAT"), truncates: flags.includes("O_TRUNC"), fd: result };
      // Every opening counts: it says what a number means from now on.
      return flags.includes("O_APPEND") && inside(path) ? refuse(name, args) : { kind: "open", ...call };
    }
    case "mkdir":
      return inside(path) ? { kind: "makeDirectory", path } : undefined;
    case "rename":
    case "link":
      return inside(path) ? { kind: name, path, to: paths[1] ?? "" } : undefined;
    case "unlink":
    case "rmdir":
      return inside(path) ? { kind: "remove", path } : undefined;
  }
  const { fd, path: opened } = descriptor(first);
  if (name === "mmap") {
    const isWritable = args.includes("MAP_SHARED") && args.includes("PROT_WRITE");
    return isWritable && inside(descriptor(list[4] ?? "").path) ? refuse(name, args) : undefined;
  }
  if (!inside(opened) && !paths.some(inside)) return undefined;
  switch (name) {
    case "write":
      return { kind: "write", fd, at: undefined, bytes: decodeBytes(list[1] ?? "").subarray(0, result) };
    case "pwrite64":
      return { kind: "write", fd, at: Number(list[3]), bytes: decodeBytes(list[1] ?? "").subarray(0, result) };
    case "fsync":
    case "fdatasync":
      return { kind: "sync", fd };
    case "ftruncate":
      return { kind: "resize", fd, size: Number(list[1]) };
    default:
      return refuse(name, args);
  }
}

function refuse(name: string, args: string): never {
  throw new Error(`expected only calls that the recording understands, got ${name}(${args.slice(0, 200)})`);
}

/** Arguments; commas in texts and paths are written in hex, so they part nothing. */
function splitArguments(args: string): string[] {
  return args.split(/, (?![^<]*>)/);
}

/** A number with the path of the open file: `21<path>`. */
function descriptor(text: string): { fd: number; path: string } {
  const [, fd = "-1", path = ""] = /^(-?\d+)(?:<(.*?)>)?/.exec(text) ?? [];
  return { fd: Number(fd), path: decodeText(path).replace(/ \(deleted\)$/, "") };
}

function decodeText(text: string): string {
  return Buffer.from(decodeBytes(text)).toString("utf8");
}

function decodeBytes(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/\\x|"/g, ""), "hex");
}

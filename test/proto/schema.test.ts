import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

// Reads our .proto files and the tables of the specification, and compares them in both directions.

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const section = (text: string, from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to));
const MAILBOX = section(read("docs/protocol/mailbox.md"), "\n## 1. Wire schema", "\n## 2. ");
const ARKOOR = section(read("docs/protocol/arkoor.md"), "\n## 8. Wire schema", "\n## 9. ");
// BOLT12 is refused by the engine, so its method has no place in our schema.
const LIGHTNING = section(read("docs/protocol/lightning.md"), "\n## 7. Wire schema", "\n## 8. ").replaceAll(
  /^.*FetchBolt12.*\n/gm,
  "",
);
const PROTOS = ["core", "mailbox_server", "bark_server"].map((name) => read(`proto/${name}.proto`));

/** `Message.number` → `name type presence`, such as `ArkInfo.9` → `max_vtxo_amount uint64 optional`. */
function protoFields(): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, message, body] of PROTOS.join("\n").matchAll(/^message (\w+) \{(?:\}|(.*?)^\})/gms)) {
    const oneof = /oneof (\w+) \{(.*?)\}/s.exec(body ?? "");
    for (const [line, label, type, name, number] of (body ?? "").matchAll(/^\s*(optional |repeated )?([\w.]+) (\w+) = (\d+)/gm)) {
      const presence = oneof?.[2]?.includes(line)
        ? `oneof ${oneof[1]}`
        : (label?.trim() ?? (/^[A-Z]/.test(type ?? "") ? "message" : "implicit"));
      fields.set(`${message}.${number}`, `${name} ${type?.replace("core.", "")} ${presence}`);
    }
  }
  return fields;
}

const cells = (row: string) =>
  row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.replaceAll(/[`*]/g, "").trim());
const several = (cell: string) => cell.split(/\s*[/,]\s*/);

/** The same out of the tables; a cell may list several fields. */
function documentedFields(): Map<string, string> {
  const fields = new Map<string, string>();
  for (const block of `${MAILBOX}\n${ARKOOR}\n${LIGHTNING}`.split(/\n(?!\|)/)) {
    const rows = block.split("\n").filter((row) => row.startsWith("|"));
    const header = rows[0] === undefined ? [] : cells(rows[0]);
    if (!header.includes("No.") || !header.includes("Field")) continue;
    if (header[0] !== "Message" && header[0] !== "No.") continue;
    let message = "ArkInfo";
    for (const row of rows.slice(2)) {
      const [owner, numbers, names, types, presences] = header[0] === "Message" ? cells(row) : [message, ...cells(row)];
      if (owner !== undefined && owner !== "") message = owner;
      addRow(
        fields,
        message,
        [numbers, names, types, presences].map((cell) => several(cell ?? "")),
      );
    }
  }
  return fields;
}

function addRow(fields: Map<string, string>, message: string, row: string[][]): void {
  const [numbers = [], names = [], types = [], presences = []] = row;
  numbers.forEach((number, i) => {
    if (names[i] === "—" || message.includes("(oneof")) return;
    const [label, type] = splitType(types[i] ?? types[0] ?? "");
    const inOneof = numbers[0]?.startsWith("oneof") ? "oneof" : "";
    const presence =
      inOneof || label || normalPresence((presences.length === numbers.length ? presences[i] : presences[0]) ?? "", type);
    const key = `${message}.${number.replace("oneof ", "")}`;
    const known = fields.get(key);
    const entry = `${names[i]} ${type} ${presence}`;
    // arkoor.md and lightning.md repeat some messages of mailbox.md without their presence.
    if (known === undefined) fields.set(key, entry);
    else expect(known.startsWith(`${names[i]} ${type}`), `${message}.${number}: ${entry}, ${known}`).toBe(true);
  });
}

function splitType(text: string): [label: string, type: string] {
  const type = text
    .replace("core.", "")
    .replace(/ each$/, "")
    .replace(/^empty$/, "Empty")
    .replace(/^enum\b ?/, "");
  const [, label = "", bare = ""] = /^(repeated|optional)? ?(.*)$/.exec(type) ?? [];
  return [label, bare];
}

function normalPresence(text: string, type: string): string {
  const said = ["optional", "repeated", "message"].find((word) => text.startsWith(word));
  return said ?? (text.startsWith("oneof") ? text : /^[A-Z]/.test(type) ? "message" : "implicit");
}

/** The one oneof whose name the specification leaves open; it is not on the wire. */
const UNNAMED = "oneof lightning_receive_anti_dos";

test("every documented field is in our schema with its number, type and presence, and nothing else is", () => {
  const ours = protoFields();
  const documented = documentedFields();
  expect(documented.size).toBeGreaterThan(90);
  // An enum is a scalar without presence, and a nameless `enum` in arkoor.md is the one of mailbox.md.
  const plain = (fields: Map<string, string>) =>
    [...fields]
      .map(([key, value]) => `${key} ${value.replace(/(State|Status) message$/, "$1 implicit").replace(UNNAMED, "oneof")}`)
      .sort();
  expect(plain(ours)).toEqual(plain(documented));
});

test("every documented value of an enum is in our schema with its number", () => {
  const ours = [...PROTOS.join("\n").matchAll(/^ {2}([A-Z_]+) = (\d+);/gm)].map(([, name, number]) => `${name} ${number}`);
  const tables = [...MAILBOX.matchAll(/^\| `(VTXO_SPEND_STATE_\w+)` \| (\d+) \|/gm)].map(
    ([, name, number]) => `${name} ${number}`,
  );
  const inline = [...MAILBOX.matchAll(/`([A-Z][A-Z_]+)` (\d)/g)].map(([, name, number]) => `${name} ${number}`);
  expect(ours.sort()).toEqual([...tables, ...inline].sort());
});

test("every documented method is in our schema with its request, response and kind, and nothing else is", () => {
  const ours = [...PROTOS.join("\n").matchAll(/rpc (\w+)\(([\w.]+)\) returns \((stream )?([\w.]+)\)/g)].map(
    ([, name, request, stream, response]) => `${name} ${request} ${response} ${stream === undefined ? "unary" : "server stream"}`,
  );
  const methods = [...MAILBOX.matchAll(/^\| `\/\w+\.\w+\/(\w+)` \| `([\w.]+)` \| `([\w.]+)` \| (unary|server stream)/gm)].map(
    ([, name, request, response, kind]) => `${name} ${request} ${response} ${kind}`,
  );
  const cosign = "RequestArkoorCosign ArkoorPackageCosignRequest ArkoorPackageCosignResponse unary";
  expect(ARKOOR).toContain("`RequestArkoorCosign` | ArkoorPackageCosignRequest → ArkoorPackageCosignResponse");
  const lightning = [...LIGHTNING.matchAll(/^\| (\w+) \| (\w+Request) → ([\w…]+) \|/gm)].map(
    ([, name, request, response]) =>
      `${name} ${request} ${response === "empty" ? "core.Empty" : response?.replace("…", request?.slice(0, -7) ?? "")} unary`,
  );
  expect(lightning.length).toBe(9);
  expect(ours.sort()).toEqual([...new Set([...methods, cosign, ...lightning])].sort());
});

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

const LAST_LINE = /^crc32 ([0-9a-f]{8})$/;
const MEMBER = /^([a-z-]+) (.*)$/;

/** Members of a small text file, in the order of its lines. */
export type SealedMembers = Readonly<{ [name: string]: string }>;

/**
 * A small text file for people and programs: a title, `name value` lines and a closing `crc32` line over all before
 * it (docs/log-format.md §6). Values hold no line break.
 */
export function encodeSealedText(title: string, members: SealedMembers): string {
  const lines = Object.entries(members).map(([name, value]) => `${name} ${value}\n`);
  const text = `${title}\n${lines.join("")}`;
  return `${text}crc32 ${checksum(text)}\n`;
}

/** The members of a {@link encodeSealedText} file, or undefined if a byte of it is not as it was written. */
export function decodeSealedText(title: string, text: string): SealedMembers | undefined {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines[0] !== title) return undefined;
  const last = LAST_LINE.exec(lines.pop() ?? "");
  if (last === null || last[1] !== checksum(lines.map((line) => `${line}\n`).join(""))) return undefined;
  const members: { [name: string]: string } = {};
  for (const line of lines.slice(1)) {
    const [, name, value] = MEMBER.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    members[name] = value;
  }
  return members;
}

function checksum(text: string): string {
  return crc32(Buffer.from(text, "utf8")).toString(16).padStart(8, "0");
}

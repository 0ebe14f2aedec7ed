import type { RecordValue } from "heartwood";
import type { FeedBytes, FeedValue } from "./feed-data.ts";
import { LEFT_OUT } from "./feed-data.ts";

const MOST_BYTES = 256;
const MOST_MEMBERS = 200;
const MOST_CHARACTERS = 4_000;
const DEEPEST = 12;

/** Names of members that never leave the process. None of them is in a log today: this is the second lock. */
const SECRET = /^(.*(authorization|mnemonic|seed|password|macaroon)|(secret|private).*|.*(SecretKey|secretNonce|PrivateKey))$/i;
/** What proves a payment: of a send it is the receipt, anywhere else it is worth money until it is claimed. */
const PREIMAGE = /preimage/i;
const PREIMAGE_MACHINES: readonly string[] = ["lightning-send"];
/** Name and password in an address. */
const CREDENTIALS = /(\/\/)[^/?#@\s]*@/g;

/** A value of a record as the page gets it: secrets taken out, and what is too long cut. */
export function toFeedValue(value: RecordValue | undefined, machine: string): FeedValue {
  return convert(value ?? null, machine, 0);
}

/** Bytes as the page gets them. */
export function toFeedBytes(bytes: Uint8Array): FeedBytes {
  const { buffer, byteOffset, length } = bytes.subarray(0, MOST_BYTES);
  return { $b: Buffer.from(buffer, byteOffset, length).toString("hex"), length: bytes.length };
}

/** A text as the page gets it. */
export function toFeedText(text: string): string {
  const open = text.replace(CREDENTIALS, `$1${LEFT_OUT}@`);
  return open.length <= MOST_CHARACTERS ? open : `${open.slice(0, MOST_CHARACTERS)}${LEFT_OUT}`;
}

function convert(value: RecordValue, machine: string, depth: number): FeedValue {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "bigint") return { $n: String(value) };
  if (typeof value === "string") return toFeedText(value);
  if (value instanceof Uint8Array) return toFeedBytes(value);
  if (depth === DEEPEST) return LEFT_OUT;
  if (isList(value)) {
    const members = value.slice(0, MOST_MEMBERS).map((member) => convert(member, machine, depth + 1));
    return value.length <= MOST_MEMBERS ? members : [...members, `${LEFT_OUT} ${value.length - MOST_MEMBERS} more`];
  }
  const names = Object.keys(value);
  const members: [string, FeedValue][] = names.slice(0, MOST_MEMBERS).map((name) => {
    const member = value[name] ?? null;
    return [name, isSecret(name, member, machine) ? { $redacted: name } : convert(member, machine, depth + 1)];
  });
  if (names.length > MOST_MEMBERS) members.push([LEFT_OUT, `${names.length - MOST_MEMBERS} more`]);
  return Object.fromEntries(members);
}

function isSecret(name: string, value: RecordValue, machine: string): boolean {
  if (value === null) return false;
  return SECRET.test(name) || (PREIMAGE.test(name) && !PREIMAGE_MACHINES.includes(machine));
}

function isList(value: RecordValue): value is readonly RecordValue[] {
  return Array.isArray(value);
}

import { decodeHex, encodeHex } from "../ark/hex.ts";
import { MachineError } from "./errors.ts";

/** What events, contexts and effect parameters are made of. Numbers are safe integers. */
export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [name: string]: Plain | undefined };

const BIGINT = "$n";
const BYTES = "$b";
const DECIMAL = /^(0|-?[1-9][0-9]*)$/;

/**
 * The one text of a value: JSON with sorted names, `{"$n":"12"}` for a bigint and `{"$b":"00ff"}` for bytes.
 *
 * Equal values give equal text, so that digests of it can be compared. Members that are undefined are left out.
 *
 * @throws MachineError `NOT_CANONICAL` for a fraction, an unsafe integer, or a name that begins with `$`
 */
export function encodeCanonical(value: Plain): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `{"${BIGINT}":"${value}"}`;
  if (typeof value === "number") return encodeInteger(value);
  if (value instanceof Uint8Array) return `{"${BYTES}":"${encodeHex(value)}"}`;
  if (isList(value)) return `[${value.map(encodeCanonical).join(",")}]`;
  if (typeof value !== "object") throw new MachineError("NOT_CANONICAL", `expected plain data, got a ${typeof value}`);
  return encodeMembers(value);
}

/**
 * The value of a canonical text.
 *
 * @throws MachineError `NOT_CANONICAL` for any text that {@link encodeCanonical} does not write
 */
export function decodeCanonical(text: string): Plain {
  const value = parseCanonical(text);
  if (encodeCanonical(value) !== text) throw new MachineError("NOT_CANONICAL", "expected the canonical form of a value");
  return value;
}

/**
 * As {@link decodeCanonical}, without the look whether the form is the canonical one: for text that a digest vouches for.
 *
 * @throws MachineError `NOT_CANONICAL` for text that is no value at all
 */
export function parseCanonical(text: string): Plain {
  try {
    return revive(JSON.parse(text) as Parsed);
  } catch (cause) {
    throw new MachineError("NOT_CANONICAL", "expected canonical text, got something else", cause);
  }
}

function encodeInteger(value: number): string {
  if (!Number.isSafeInteger(value)) throw new MachineError("NOT_CANONICAL", `expected a safe integer, got ${value}`);
  return String(value === 0 ? 0 : value);
}

function encodeMembers(value: { readonly [name: string]: Plain | undefined }): string {
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    if (name.startsWith("$")) throw new MachineError("NOT_CANONICAL", "expected a name without a leading $");
    const member = value[name];
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${encodeCanonical(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** Puts bigints and bytes into what JSON.parse made, in place: a snapshot has millions of values. */
function revive(value: Parsed): Plain {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    for (const [index, member] of value.entries()) value[index] = revive(member) as Parsed;
    return value as Plain;
  }
  const names = Object.keys(value);
  const [name] = names;
  if (names.length === 1 && name?.startsWith("$")) return reviveTagged(name, value[name]);
  for (const member of names) value[member] = revive(value[member] ?? null) as Parsed;
  return value as Plain;
}

type Parsed = null | boolean | number | string | Parsed[] | { [name: string]: Parsed };

function reviveTagged(tag: string, text: Parsed | undefined): bigint | Uint8Array {
  if (tag === BIGINT && typeof text === "string" && DECIMAL.test(text)) return BigInt(text);
  if (tag === BYTES && typeof text === "string") return decodeHex(text);
  throw new MachineError("NOT_CANONICAL", "expected a bigint or bytes behind a $ tag");
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

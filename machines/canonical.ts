import { equalBytes } from "../ark/bytes.ts";
import { decodeHex, encodeHex } from "../ark/hex.ts";
import { MachineError } from "./errors.ts";

/** What events, contexts and effect parameters are made of. Numbers are safe integers. */
export type Plain = null | boolean | number | bigint | string | Uint8Array | readonly Plain[] | Members;

type Members = { readonly [name: string]: Plain | undefined };

const BIGINT = "$n";
const BYTES = "$b";
const DECIMAL = /^(0|-?[1-9][0-9]*)$/;
/** Printable ASCII without `"` and `\\`. */
const NOTHING_TO_ESCAPE = /^[ !#-[\]-~]*$/;

/**
 * The one text of a value: JSON with sorted names, `{"$n":"12"}` for a bigint and `{"$b":"00ff"}` for bytes.
 *
 * Equal values give equal text, so that digests of it can be compared. Members that are undefined are left out.
 *
 * @throws MachineError `NOT_CANONICAL` for a fraction, an unsafe integer, or a name that begins with `$`
 */
export function encodeCanonical(value: Plain): string {
  if (typeof value === "string") return quoted(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `{"${BIGINT}":"${value}"}`;
  if (typeof value === "number") return encodeInteger(value);
  if (value instanceof Uint8Array) return `{"${BYTES}":"${encodeHex(value)}"}`;
  if (isList(value)) return `[${value.map(encodeCanonical).join(",")}]`;
  if (typeof value !== "object") throw new MachineError("NOT_CANONICAL", `expected plain data, got a ${typeof value}`);
  return encodeMembers(value);
}

/** Whether two values have one text, found without writing it: a member that is undefined is as one that is not there. */
export function equalPlain(a: Plain | undefined, b: Plain | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b);
  }
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((member, index) => equalPlain(member, b[index]));
  }
  return (
    Object.keys(a).every((name) => equalPlain(a[name], Object.hasOwn(b, name) ? b[name] : undefined)) &&
    Object.keys(b).every((name) => b[name] === undefined || Object.hasOwn(a, name))
  );
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

function encodeMembers(value: Members): string {
  let text = "";
  for (const name of sortedNames(value)) {
    if (name.startsWith("$")) throw new MachineError("NOT_CANONICAL", "expected a name without a leading $");
    const member = value[name];
    if (member !== undefined) text += `${text === "" ? "" : ","}${quoted(name)}:${encodeCanonical(member)}`;
  }
  return `{${text}}`;
}

/** What was decoded is sorted already. */
function sortedNames(value: Members): string[] {
  const names = Object.keys(value);
  return names.every((name, index) => index === 0 || (names[index - 1] as string) < name) ? names : names.sort();
}

/** As JSON.stringify, which takes longer for text without anything to escape. */
function quoted(text: string): string {
  return NOTHING_TO_ESCAPE.test(text) ? `"${text}"` : JSON.stringify(text);
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

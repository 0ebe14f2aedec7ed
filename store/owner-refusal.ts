import { Buffer } from "node:buffer";
import { errorCode, type Place, StoreError, type StoreErrorCode, toStoreError } from "./errors.ts";

/** Why an owner does not do what it was asked for, apart from what the store refuses. */
const STATUS = { OWNER_BAD_REQUEST: 400, OWNER_UNKNOWN_ROUTE: 404, OWNER_BUSY: 503 } as const;

/** An owner's own refusal of a request. */
export class OwnerRefusal extends Error {
  override readonly name = "OwnerRefusal";
  readonly code: keyof typeof STATUS;

  constructor(code: keyof typeof STATUS, message: string) {
    super(message);
    this.code = code;
  }

  /** The status of the answer. */
  get status(): number {
    return STATUS[this.code];
  }
}

/** A refusal as the body of an answer: `{"error":{"name","code","message","place"}}`, numbers of records as texts. */
export function encodeRefusal(error: unknown): string {
  // An error with a code is somebody's word; what has none is a failure of ours.
  const known = error instanceof Error && errorCode(error) !== undefined ? error : toStoreError(error, "answering");
  const { file, seq, commit } = known instanceof StoreError ? known.place : {};
  const place = { file, seq: seq?.toString(), commit: commit?.toString() };
  return JSON.stringify({ error: { name: known.name, code: errorCode(known), message: known.message, place } });
}

/** The error that a body of {@link encodeRefusal} tells of; undefined for any other body, and for an owner's own refusal. */
export function decodeRefusal(body: Uint8Array): StoreError | undefined {
  const error = membersOf(membersOf(parse(body)).error);
  const { name, code, message } = error;
  if (name !== "StoreError" || typeof code !== "string" || typeof message !== "string") return undefined;
  return new StoreError(code as StoreErrorCode, message, { place: placeOf(membersOf(error.place)) });
}

function placeOf({ file, seq, commit }: Readonly<Record<string, unknown>>): Place {
  return {
    ...(typeof file === "string" ? { file } : {}),
    ...(isNumber(seq) ? { seq: BigInt(seq) } : {}),
    ...(isNumber(commit) ? { commit: BigInt(commit) } : {}),
  };
}

/** Whether a value is the text of a record's or commit's number. */
export function isNumber(value: unknown): value is string {
  return typeof value === "string" && /^(0|[1-9][0-9]{0,19})$/.test(value);
}

/** The value of a JSON text, undefined if it is none. */
export function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The members of an object, none of anything else. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

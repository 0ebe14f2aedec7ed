import type { LockHolder } from "./lock-holder.ts";

/**
 * Every reason for which the store refuses something.
 *
 * Damage (from `STORE_BAD_MARKER` to `STORE_BAD_EXPORT`) is never repaired by opening: the directory stays as it is
 * and needs a backup or a salvage. `STORE_UNDAMAGED` and `STORE_NOTHING_LEFT` refuse a salvage.
 */
export type StoreErrorCode =
  // the directory
  | "STORE_NOT_FOUND"
  | "STORE_EXISTS"
  | "STORE_FOREIGN"
  | "STORE_LOCKED"
  | "STORE_UNKNOWN_FORMAT"
  // damage
  | "STORE_BAD_MARKER"
  | "STORE_BAD_HEAD"
  | "STORE_BAD_DATABASE"
  | "STORE_BAD_FRAME"
  | "STORE_BAD_RECORD"
  | "STORE_BROKEN_CHAIN"
  | "STORE_SEQUENCE_GAP"
  | "STORE_MISSING_TAIL"
  | "STORE_TORN_COMMIT"
  | "STORE_STALE_HEAD"
  | "STORE_SWAPPED"
  | "STORE_FORKED"
  | "STORE_BAD_EXPORT"
  // salvage
  | "STORE_UNDAMAGED"
  | "STORE_NOTHING_LEFT"
  // use
  | "STORE_CONFLICT"
  | "STORE_OUT_OF_RANGE"
  | "STORE_READ_ONLY"
  | "STORE_CLOSED"
  | "STORE_OWNER_LOST"
  // writing
  | "STORE_FULL"
  | "STORE_IO"
  | "STORE_POISONED";

/** Damage of a directory, as opposed to that of an export file, which is imported anew. */
const SALVAGEABLE: ReadonlySet<StoreErrorCode> = new Set([
  "STORE_BAD_MARKER",
  "STORE_BAD_HEAD",
  "STORE_BAD_DATABASE",
  "STORE_BAD_FRAME",
  "STORE_BAD_RECORD",
  "STORE_BROKEN_CHAIN",
  "STORE_SEQUENCE_GAP",
  "STORE_MISSING_TAIL",
  "STORE_TORN_COMMIT",
  "STORE_STALE_HEAD",
  "STORE_SWAPPED",
  "STORE_FORKED",
]);

/** Where in a store something was found. */
export interface Place {
  /** Path inside the store's directory: `HEAD`, `OWNER`, `HEARTWOOD` or `log`. */
  readonly file?: string;
  /** Position of the record concerned. */
  readonly seq?: bigint;
  /** Commit of the record concerned. */
  readonly commit?: bigint;
}

/** Options of {@link StoreError}. */
export interface StoreErrorOptions {
  readonly cause?: unknown;
  readonly place?: Place;
  readonly holder?: LockHolder;
}

/**
 * A refusal of the store.
 *
 * What a caller does: `STORE_LOCKED` — wait for the holder or ask it; `STORE_FULL` — make room, reopen, try again;
 * `STORE_OWNER_LOST` — the process that was asked has ended or hangs: ask again; `STORE_IO`, `STORE_POISONED` — reopen,
 * which verifies; `STORE_CONFLICT` — read what is new and decide again; damage — report, stop, and let the owner decide
 * between a backup and `heartwood log salvage`. After a failed append the outcome is unknown until the log is reopened.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  /** Whether the same call can succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** Whether it is damage of which a salvage can make a new store. */
  readonly salvageable: boolean;
  /** Where the damage is, for the codes that mean damage. */
  readonly place: Place;
  /** Who holds the lock, for `STORE_LOCKED` where it is known. */
  readonly holder: LockHolder | undefined;

  constructor(code: StoreErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = code === "STORE_LOCKED" || code === "STORE_FULL" || code === "STORE_OWNER_LOST";
    this.salvageable = SALVAGEABLE.has(code);
    this.place = options.place ?? {};
    this.holder = options.holder;
  }
}

/** Whether an error is a {@link StoreError}, and with this code where one is given. */
export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return error instanceof StoreError && (code === undefined || error.code === code);
}

const NO_ROOM = new Set(["ENOSPC", "EDQUOT"]);
const NO_ROOM_TEXT = /no space left on device|disk quota exceeded/i;

/**
 * An error of the file system or of LevelDB as a {@link StoreError}: `STORE_FULL` where there was no room, else the
 * given code. LevelDB names the cause in its text only. A {@link StoreError} is passed through.
 */
export function toStoreError(
  error: unknown,
  doing: string,
  otherwise: StoreErrorCode = "STORE_IO",
  place: Place = {},
): StoreError {
  if (error instanceof StoreError) return error;
  const text = describe(error);
  const code = NO_ROOM.has(errorCode(error) ?? "") || NO_ROOM_TEXT.test(text) ? "STORE_FULL" : otherwise;
  return new StoreError(code, `expected ${doing} to succeed, got: ${text}`, { cause: error, place });
}

/** Does something whose failures become {@link toStoreError}; the reason of an aborted `signal` is passed through. */
export async function guarded<T>(action: Promise<T>, doing: string, signal?: AbortSignal): Promise<T> {
  try {
    return await action;
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) throw error;
    throw toStoreError(error, doing);
  }
}

/** The `code` of an error of Node or LevelDB, if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

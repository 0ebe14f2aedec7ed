import { createHash } from "node:crypto";

/** Length of a chain link. */
export const CHAIN_BYTES = 16;

/** Length of a log id. */
export const LOG_ID_BYTES = 32;

/** The link that stands before the first record: the first 16 bytes of SHA-256 of the log id (docs/log-format.md §3). */
export function firstLink(logId: Uint8Array): Uint8Array {
  return truncate(createHash("sha256").update(logId).digest());
}

/** The link of a record: the first 16 bytes of SHA-256(previous link ‖ commit as u64 ‖ body) (docs/log-format.md §3). */
export function nextLink(previous: Uint8Array, commit: bigint, body: Uint8Array): Uint8Array {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, commit);
  return truncate(createHash("sha256").update(previous).update(number).update(body).digest());
}

function truncate(digest: Uint8Array): Uint8Array {
  return new Uint8Array(digest.subarray(0, CHAIN_BYTES));
}

import { hash } from "node:crypto";

/** Length of a chain link. */
export const CHAIN_BYTES = 16;

/** Length of a log id. */
export const LOG_ID_BYTES = 32;

/** The link that stands before the first record: the first 16 bytes of SHA-256 of the log id (docs/log-format.md §3). */
export function firstLink(logId: Uint8Array): Uint8Array {
  return truncatedHash(logId);
}

/**
 * The link of a record: the first 16 bytes of SHA-256(previous link ‖ bytes 0–8 of the frame ‖ body), where those bytes
 * are its format, mark and commit (docs/log-format.md §3).
 */
export function nextLink(previous: Uint8Array, frameStart: Uint8Array, body: Uint8Array): Uint8Array {
  return truncatedHash(previous, frameStart, body);
}

/** Where usual records are put together: one call on their bytes is twice as fast as a Hash object for each record. */
const SCRATCH_BYTES = 16 * 1024;
const scratch = new Uint8Array(SCRATCH_BYTES);

function truncatedHash(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = length <= SCRATCH_BYTES ? scratch : new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  // As a text of one character a byte: a buffer from the other side of the binding costs three times as much.
  const digest = hash("sha256", joined.subarray(0, length), "binary");
  const link = new Uint8Array(CHAIN_BYTES);
  for (let index = 0; index < CHAIN_BYTES; index++) link[index] = digest.charCodeAt(index);
  return link;
}

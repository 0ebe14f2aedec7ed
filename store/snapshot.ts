import { createHash } from "node:crypto";
import { fromHex, sameBytes, toHex } from "./bytes.ts";
import { CHAIN_BYTES, LOG_ID_BYTES } from "./chain.ts";
import type { Snapshot } from "./event-log.ts";

/** A snapshot with what ties it to one record of one log. */
export interface BoundSnapshot extends Snapshot {
  readonly logId: string;
  /** Chain link of the record `seq`. */
  readonly chain: Uint8Array;
}

const FORMAT = 1;
const LOG_ID_AT = 1;
const SEQ_AT = LOG_ID_AT + LOG_ID_BYTES;
const CHAIN_AT = SEQ_AT + 8;
const COUNT_AT = CHAIN_AT + CHAIN_BYTES;
const PARTS_AT = COUNT_AT + 4;
const LENGTH_BYTES = 4;
const DIGEST_BYTES = 32;

/** Bytes of a snapshot (docs/log-format.md §7). */
export function encodeSnapshot({ logId, seq, chain, parts }: BoundSnapshot): Uint8Array {
  const size = parts.reduce((sum, part) => sum + LENGTH_BYTES + part.length, PARTS_AT + DIGEST_BYTES);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes[0] = FORMAT;
  bytes.set(fromHex(logId), LOG_ID_AT);
  view.setBigUint64(SEQ_AT, seq);
  bytes.set(chain, CHAIN_AT);
  view.setUint32(COUNT_AT, parts.length);
  let at = PARTS_AT;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + LENGTH_BYTES);
    at += LENGTH_BYTES + part.length;
  }
  bytes.set(digest(bytes.subarray(0, at)), at);
  return bytes;
}

/** A snapshot from its bytes, copied; undefined if any of them is not as it was written. */
export function decodeSnapshot(bytes: Uint8Array): BoundSnapshot | undefined {
  const end = bytes.length - DIGEST_BYTES;
  if (end < PARTS_AT || bytes[0] !== FORMAT) return undefined;
  if (!sameBytes(digest(bytes.subarray(0, end)), bytes.subarray(end))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let at = PARTS_AT;
  while (at + LENGTH_BYTES <= end) {
    const next = at + LENGTH_BYTES + view.getUint32(at);
    if (next > end) return undefined;
    parts.push(new Uint8Array(bytes.subarray(at + LENGTH_BYTES, next)));
    at = next;
  }
  if (at !== end || parts.length !== view.getUint32(COUNT_AT)) return undefined;
  return {
    logId: toHex(bytes.subarray(LOG_ID_AT, SEQ_AT)),
    seq: view.getBigUint64(SEQ_AT),
    chain: new Uint8Array(bytes.subarray(CHAIN_AT, COUNT_AT)),
    parts,
  };
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

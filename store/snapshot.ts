import { createHash } from "node:crypto";
import { fromHex, sameBytes, toHex } from "./bytes.ts";
import { CHAIN_BYTES, LOG_ID_BYTES } from "./chain.ts";
import type { Snapshot } from "./event-log.ts";

/** What ties a snapshot to one record of one log. */
export interface SnapshotBinding {
  readonly logId: string;
  readonly seq: bigint;
  /** Chain link of that record. */
  readonly chain: Uint8Array;
}

/** A snapshot with its binding. */
export interface BoundSnapshot extends Snapshot, SnapshotBinding {}

const FORMAT = 1;
const LOG_ID_AT = 1;
const SEQ_AT = LOG_ID_AT + LOG_ID_BYTES;
const CHAIN_AT = SEQ_AT + 8;
const COUNT_AT = CHAIN_AT + CHAIN_BYTES;
const PARTS_AT = COUNT_AT + 4;
const LENGTH_BYTES = 4;
const DIGEST_BYTES = 32;

/** Length of what ties a snapshot to its log. */
export const BINDING_BYTES = COUNT_AT;

/** Bytes of a snapshot, piece by piece (docs/log-format.md §7). */
export function* encodeSnapshot({ logId, seq, chain, parts }: BoundSnapshot): Generator<Uint8Array, void, undefined> {
  const hash = createHash("sha256");
  const header = new Uint8Array(PARTS_AT);
  const view = new DataView(header.buffer);
  header[0] = FORMAT;
  header.set(fromHex(logId), LOG_ID_AT);
  view.setBigUint64(SEQ_AT, seq);
  header.set(chain, CHAIN_AT);
  view.setUint32(COUNT_AT, parts.length);
  hash.update(header);
  yield header;
  for (const part of parts) {
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, part.length);
    hash.update(length).update(part);
    yield length;
    yield part;
  }
  yield new Uint8Array(hash.digest());
}

/** A snapshot from its bytes, of which its parts are views; undefined if any of them is not as it was written. */
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
    parts.push(bytes.subarray(at + LENGTH_BYTES, next));
    at = next;
  }
  if (at !== end || parts.length !== view.getUint32(COUNT_AT)) return undefined;
  return { ...readBinding(bytes), parts };
}

/** What the first {@link BINDING_BYTES} of a snapshot say, whether or not the rest is whole; undefined if they are fewer. */
export function decodeBinding(bytes: Uint8Array): SnapshotBinding | undefined {
  return bytes.length >= BINDING_BYTES && bytes[0] === FORMAT ? readBinding(bytes) : undefined;
}

function readBinding(bytes: Uint8Array): SnapshotBinding {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    logId: toHex(bytes.subarray(LOG_ID_AT, SEQ_AT)),
    seq: view.getBigUint64(SEQ_AT),
    chain: new Uint8Array(bytes.subarray(CHAIN_AT, COUNT_AT)),
  };
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

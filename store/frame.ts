import { crc32 } from "node:zlib";
import { readU32, readU64 } from "./bytes.ts";
import { CHAIN_BYTES, nextLink } from "./chain.ts";
import { type Place, StoreError } from "./errors.ts";

/** The only frame format so far, and the same with the mark of the last record of a commit. */
const FRAME_FORMAT = 0x01;
const FRAME_FORMAT_AT_END = 0x81;

const COMMIT_AT = 1;
const CRC_AT = 9;
const CHAIN_AT = 13;
const BODY_AT = CHAIN_AT + CHAIN_BYTES;

/** What a frame has beside its body. */
export const FRAME_OVERHEAD_BYTES = BODY_AT;

/** A record as it lies in the log. */
export interface Frame {
  /** The commit that wrote it; the first is 1. */
  readonly commit: bigint;
  /** Whether it is the last record of that commit. */
  readonly endsCommit: boolean;
  /** Its link of the hash chain, 16 bytes. */
  readonly chain: Uint8Array;
  /** An encoded `Record` of `proto/log.proto`. */
  readonly body: Uint8Array;
}

/** Bytes of a frame: `format and mark u8 | commit u64 | crc32 u32 | chain 16 B | body`, big-endian (docs/log-format.md §2). */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = unsealedFrame(frame.body);
  writeStart(bytes, frame);
  return finished(bytes, frame.chain);
}

/**
 * A frame from its bytes, copied. The chain is not checked here: that needs the record before.
 *
 * @throws StoreError `STORE_BAD_FRAME` if it is too short, of another format, or its CRC does not fit
 */
export function decodeFrame(bytes: Uint8Array, place: Place = {}): Frame {
  if (bytes.length < BODY_AT) {
    throw new StoreError("STORE_BAD_FRAME", `expected a frame of at least ${BODY_AT} bytes, got ${bytes.length}`, { place });
  }
  const stored = readU32(bytes, CRC_AT);
  const computed = checksum(bytes);
  if (stored !== computed) {
    throw new StoreError("STORE_BAD_FRAME", `expected CRC ${computed.toString(16)} in the frame, got ${stored.toString(16)}`, {
      place,
    });
  }
  if (bytes[0] !== FRAME_FORMAT && bytes[0] !== FRAME_FORMAT_AT_END) {
    throw new StoreError("STORE_BAD_FRAME", `expected frame format ${FRAME_FORMAT} or ${FRAME_FORMAT_AT_END}, got ${bytes[0]}`, {
      place,
    });
  }
  return {
    endsCommit: bytes[0] === FRAME_FORMAT_AT_END,
    commit: readU64(bytes, COMMIT_AT),
    chain: new Uint8Array(bytes.subarray(CHAIN_AT, BODY_AT)),
    body: new Uint8Array(bytes.subarray(BODY_AT)),
  };
}

/** The chain link that a frame of valid length must have after another. */
export function linkAfter(previous: Uint8Array, frame: Uint8Array): Uint8Array {
  return nextLink(previous, frame.subarray(0, CRC_AT), bodyIn(frame));
}

/** A record as it lies in the log after another, with its link, a view of the bytes. */
export function sealFrame(previous: Uint8Array, frame: Omit<Frame, "chain">): { chain: Uint8Array; bytes: Uint8Array } {
  const bytes = unsealedFrame(frame.body);
  return { chain: seal(bytes, previous, frame), bytes };
}

/** Frames of records whose place is not known yet, their bodies copied, in one piece of memory. */
export function unsealedFrames(bodies: readonly Uint8Array[]): Uint8Array[] {
  const memory = new Uint8Array(bodies.reduce((sum, body) => sum + BODY_AT + body.length, 0));
  let end = 0;
  return bodies.map((body) => {
    const frame = memory.subarray(end, end + BODY_AT + body.length);
    frame.set(body, BODY_AT);
    end += frame.length;
    return frame;
  });
}

function unsealedFrame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BODY_AT + body.length);
  bytes.set(body, BODY_AT);
  return bytes;
}

/** The body in a frame, a view. */
export function bodyIn(frame: Uint8Array): Uint8Array {
  return frame.subarray(BODY_AT);
}

/** Gives an unsealed frame its place; its link, a view of it. */
export function seal(bytes: Uint8Array, previous: Uint8Array, place: Pick<Frame, "commit" | "endsCommit">): Uint8Array {
  writeStart(bytes, place);
  finished(bytes, linkAfter(previous, bytes));
  return bytes.subarray(CHAIN_AT, BODY_AT);
}

function finished(bytes: Uint8Array, chain: Uint8Array): Uint8Array {
  bytes.set(chain, CHAIN_AT);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(CRC_AT, checksum(bytes));
  return bytes;
}

/** Bytes 0–8: the format with the mark, and the commit. */
function writeStart(bytes: Uint8Array, { commit, endsCommit }: Pick<Frame, "commit" | "endsCommit">): void {
  bytes[0] = endsCommit ? FRAME_FORMAT_AT_END : FRAME_FORMAT;
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(COMMIT_AT, commit);
}

/** CRC-32 (ISO-HDLC, as in zlib) over everything but itself. */
function checksum(frame: Uint8Array): number {
  return crc32(frame.subarray(CHAIN_AT), crc32(frame.subarray(0, CRC_AT)));
}

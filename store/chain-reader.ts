import { Record } from "../proto/generated/log.ts";
import { fromHex, sameBytes, toHex } from "./bytes.ts";
import { firstLink } from "./chain.ts";
import { type Place, StoreError } from "./errors.ts";
import type { LogHead, StoredRecord } from "./event-log.ts";
import { decodeFrame, linkAfter } from "./frame.ts";

/** The last record number there can be. */
export const SEQ_MAX = 0xffff_ffff_ffff_ffffn;

/** A key and value as a back end hands them out: nothing in it is trusted yet. */
export interface RawFrame {
  readonly seq: bigint;
  readonly bytes: Uint8Array;
}

/** A point of a verified log: what the next record must continue. */
export interface ChainPosition {
  readonly seq: bigint;
  readonly commit: bigint;
  /** Whether the last record ends its commit, so that the next one begins another. */
  readonly endsCommit: boolean;
  /** Epoch of the last record, 0 before the first. */
  readonly epoch: bigint;
  /** Chain link of the last record. */
  readonly chain: Uint8Array;
}

/** The position before the first record of a log. */
export function startOf(logId: string): ChainPosition {
  return { seq: 0n, commit: 0n, endsCommit: true, epoch: 0n, chain: firstLink(fromHex(logId)) };
}

/** Verifies the frames of a log one after the other; the only way by which bytes become records. */
export class ChainReader {
  #position: ChainPosition;

  constructor(from: ChainPosition) {
    this.#position = from;
  }

  /** The last record that was accepted. */
  get position(): ChainPosition {
    return this.#position;
  }

  /**
   * The next record.
   *
   * @throws StoreError `STORE_SEQUENCE_GAP`, `STORE_BAD_FRAME`, `STORE_BROKEN_CHAIN`, `STORE_BAD_RECORD`
   */
  accept(raw: RawFrame): StoredRecord {
    const before = this.#position;
    const seq = before.seq + 1n;
    if (raw.seq !== seq) {
      throw new StoreError("STORE_SEQUENCE_GAP", `expected record ${seq}, got ${raw.seq}`, { place: { file: "log", seq } });
    }
    const { commit, endsCommit, chain, body } = decodeFrame(raw.bytes, { file: "log", seq });
    const place = { file: "log", seq, commit };
    const expected = before.endsCommit ? before.commit + 1n : before.commit;
    if (commit !== expected) {
      throw new StoreError("STORE_BROKEN_CHAIN", `expected a record of commit ${expected}, got one of ${commit}`, { place });
    }
    const link = linkAfter(before.chain, raw.bytes);
    if (!sameBytes(link, chain)) {
      throw new StoreError("STORE_BROKEN_CHAIN", `expected chain link ${toHex(link)}, got ${toHex(chain)}`, { place });
    }
    const record = decodeRecord(body, place);
    if (record.seq !== seq || record.epoch < before.epoch) {
      throw new StoreError(
        "STORE_BAD_RECORD",
        `expected record ${seq} of epoch ${before.epoch} or later, got ${record.seq} of epoch ${record.epoch}`,
        { place },
      );
    }
    this.#position = { seq, commit, endsCommit, epoch: record.epoch, chain };
    return { seq, commit, endsCommit, record, body };
  }
}

/**
 * The position that a single frame names, its own link unchecked: only to continue from it.
 *
 * @throws StoreError `STORE_BAD_FRAME`, `STORE_BAD_RECORD`
 */
export function positionAfter(raw: RawFrame): ChainPosition {
  const { commit, endsCommit, chain, body } = decodeFrame(raw.bytes, { file: "log", seq: raw.seq });
  const record = decodeRecord(body, { file: "log", seq: raw.seq, commit });
  return { seq: raw.seq, commit, endsCommit, epoch: record.epoch, chain };
}

/**
 * A record from a body; its byte strings are views of the body.
 *
 * @throws StoreError `STORE_BAD_RECORD`
 */
export function decodeRecord(body: Uint8Array, place: Place): Record {
  try {
    return Record.decode(body);
  } catch (cause) {
    throw new StoreError("STORE_BAD_RECORD", "expected an encoded record, got other bytes", { place, cause });
  }
}

/** A position as the head of a log. */
export function headAt(logId: string, epoch: bigint, position: ChainPosition): LogHead {
  return { logId, epoch, commit: position.commit, seq: position.seq, chain: toHex(position.chain) };
}

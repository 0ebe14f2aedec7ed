import { encodeHex } from "../ark/hex.ts";
import { decodeCanonical, type Plain } from "../machines/canonical.ts";
import type { StoredRecord } from "../store/event-log.ts";

/** A value of an event, a context or a parameter; its bytes as they are where this build cannot read them. */
export type RecordValue = Plain;

/**
 * One record of the log in plain words, for people and tools that look at a log. It shows what is recorded, also where
 * this build knows neither the machine nor the effect; what it means is said by `wallet.events`.
 */
export interface RecordView {
  /** Position in the log; the first is 1. */
  readonly seq: bigint;
  /** The atomic batch that wrote it. */
  readonly commit: bigint;
  /** Incarnation of the writer. */
  readonly epoch: bigint;
  /** When the event was taken in, milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly machine: string;
  readonly revision: number;
  readonly instance: string;
  /** Position among the records of the instance; the first is 1. */
  readonly version: bigint;
  /** Type of the event. */
  readonly type: string;
  readonly schema: number;
  /** The event's members. */
  readonly event: RecordValue;
  /** Received bytes that the event refers to. */
  readonly blobs: readonly RecordBlob[];
  /** The record that caused this one; 0 if an outside fact did. */
  readonly causeSeq: bigint;
  /** The effect whose result this is; empty if none. */
  readonly effectId: string;
  /** State of the instance after it. */
  readonly state: string;
  /** Members of the context that changed. */
  readonly change: RecordValue;
  readonly effects: readonly { readonly id: string; readonly type: string; readonly params: RecordValue }[];
  /** First 16 bytes of SHA-256 over state and context after it. */
  readonly stateDigest: Uint8Array;
  /** Length of its encoding in the log, in bytes, without the 29 of its frame. */
  readonly bodyBytes: number;
}

/** Bytes that a record refers to. */
export interface RecordBlob {
  /** SHA-256, hex. */
  readonly digest: string;
  /** Null where an earlier record holds the bytes. */
  readonly data: Uint8Array | null;
}

/** A record as it is recorded, whatever build wrote it. */
export function viewRecord({ seq, commit, record, body }: StoredRecord): RecordView {
  const { outcome } = record;
  return {
    seq,
    commit,
    epoch: record.epoch,
    atMs: Number(record.atMs),
    machine: record.machine,
    revision: record.revision,
    instance: record.instance,
    version: record.version,
    type: record.type,
    schema: record.schema,
    event: decodeValue(record.event),
    blobs: record.blobs.map(({ digest, data }) => ({ digest: encodeHex(digest), data: data ?? null })),
    causeSeq: record.causeSeq,
    effectId: record.effectId,
    state: outcome?.state ?? "",
    change: decodeValue(outcome?.contextChange ?? new Uint8Array()),
    effects: (outcome?.effects ?? []).map(({ id, type, params }) => ({ id, type, params: decodeValue(params) })),
    stateDigest: outcome?.stateDigest ?? new Uint8Array(),
    bodyBytes: body.length,
  };
}

function decodeValue(bytes: Uint8Array): RecordValue {
  try {
    return decodeCanonical(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return bytes;
  }
}

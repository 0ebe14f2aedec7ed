import assert from "node:assert/strict";
import { Record } from "../proto/generated/log.ts";
import { isStoreError, type StoreErrorCode } from "./errors.ts";
import type { EventLog, SnapshotLog, StoredRecord } from "./event-log.ts";

/** Appends one record at a position, of the epoch that the log says. */
export function appendOne(log: EventLog, seq: bigint): Promise<{ readonly commit: bigint }> {
  const { epoch } = log.head();
  return log.append({ epoch, expectedSeq: seq, bodies: [body(seq, epoch)] });
}

/** An encoded record. */
export function body(seq: bigint, epoch: bigint, type = `type-${seq}`, event = new Uint8Array([1, 2, 3])): Uint8Array {
  return Record.encode(Record.fromPartial({ seq, epoch, type, event, machine: "contract", instance: "contract/1" })).finish();
}

/** Everything that is read. */
export async function collect(records: AsyncIterable<StoredRecord>): Promise<StoredRecord[]> {
  const collected: StoredRecord[] = [];
  for await (const record of records) collected.push(record);
  return collected;
}

/** The whole log. */
export function all(log: EventLog): Promise<StoredRecord[]> {
  return collect(log.read());
}

/** All snapshots, comparable. */
export async function allSnapshots(log: SnapshotLog): Promise<{ seq: bigint; parts: number[][] }[]> {
  const collected: { seq: bigint; parts: number[][] }[] = [];
  for await (const { seq, parts } of log.snapshots()) collected.push({ seq, parts: parts.map(plain) });
  return collected;
}

/** Bytes as numbers, comparable whatever their class. */
export function plain(bytes: Uint8Array): number[] {
  return [...bytes];
}

/** Ascending order. */
export function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

/** Asserts that the store refuses with a code. */
export async function refused(code: StoreErrorCode, action: Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error) => isStoreError(error, code), `expected ${code}`);
}

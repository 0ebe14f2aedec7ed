import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Record } from "../../proto/generated/log.ts";
import type { EventLog, StoredRecord } from "../../store/index.ts";

/** The body of a record; what it holds follows from its seq and epoch, so that a reader knows what it must be. */
export function recordBody(seq: bigint, epoch: bigint, length = Number(seq % 5n) * 9): Uint8Array {
  const event = new Uint8Array(length);
  const start = Number(seq) * 131 + Number(epoch) * 17;
  for (let at = 0; at < length; at++) event[at] = start + at * at * 7;
  return Record.encode(Record.fromPartial({ seq, epoch, machine: "m", instance: "m/1", type: `t${seq}`, event })).finish();
}

/** As {@link recordBody}, now and then larger than a page. */
export function variedBody(seq: bigint, epoch: bigint): Uint8Array {
  return recordBody(seq, epoch, seq % 13n === 7n ? 5_000 : Number(seq % 7n) * 11);
}

/** Appends records of one call and waits for them. */
export async function appendRecords(log: EventLog, count: number, bodyOf = recordBody): Promise<void> {
  const { epoch, seq } = log.head();
  const bodies = Array.from({ length: count }, (_, at) => bodyOf(seq + BigInt(at) + 1n, epoch));
  await log.append({ epoch, expectedSeq: seq + 1n, bodies });
}

/** Asserts that records are dense from the first on, and what was appended. */
export function checkRecords(records: readonly StoredRecord[], bodyOf = recordBody): void {
  for (const [at, { seq, record, body }] of records.entries()) {
    assert.equal(seq, 1n + BigInt(at), "a gap");
    assert.ok(Buffer.compare(body, bodyOf(seq, record.epoch)) === 0, `record ${seq} is not what was appended`);
  }
}

/** Everything that is read. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

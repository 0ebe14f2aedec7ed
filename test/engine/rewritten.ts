import { Record as LogRecord } from "../../proto/generated/log.ts";
import { createMemoryLog, type EventLog, openLevelLog } from "../../store/index.ts";

/** A log with the wallet's records, some of them rewritten; its frames are sound. */
export async function rewritten(directory: string, change: (record: LogRecord) => LogRecord | undefined): Promise<EventLog> {
  await using log = await openLevelLog(directory, { readOnly: true });
  const memory = createMemoryLog();
  const copy = await memory.open();
  let seq = 0n;
  for await (const { record } of log.read()) {
    const changed = change(record);
    if (changed === undefined) continue;
    seq += 1n;
    const body = LogRecord.encode({ ...changed, seq, epoch: 1n }).finish();
    await copy.append({ epoch: 1n, expectedSeq: seq, bodies: [body] });
  }
  await copy.close();
  return memory.open();
}

/** UTF-8. */
export const encoded = (value: string): Uint8Array => new TextEncoder().encode(value);
export const decoded = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Changes the first record of that type. */
export function first(type: string, change: (record: LogRecord) => LogRecord): (record: LogRecord) => LogRecord {
  let done = false;
  return (record) => {
    if (done || record.type !== type) return record;
    done = true;
    return change(record);
  };
}

type Outcome = NonNullable<LogRecord["outcome"]>;
/** Changes the outcome of a record. */
export const outcome = (change: (outcome: Outcome) => Outcome) => (record: LogRecord) => ({
  ...record,
  outcome: record.outcome === undefined ? undefined : change(record.outcome),
});

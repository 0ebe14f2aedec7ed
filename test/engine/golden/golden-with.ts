import { fileURLToPath } from "node:url";
import { Record as LogRecord } from "../../../proto/generated/log.ts";
import { createMemoryLog, openExport, type SnapshotLog } from "../../../store/index.ts";

/** The export of the golden life. */
export const GOLDEN = fileURLToPath(new URL("../../vectors/golden/wallet.export", import.meta.url));

/** The golden log as a log of its own, some of its records changed; its frames are sound. */
export async function goldenWith(change: (record: LogRecord) => LogRecord): Promise<SnapshotLog> {
  await using golden = await openExport(GOLDEN);
  const log = await createMemoryLog().open();
  for await (const { seq, record } of golden.read()) {
    const body = LogRecord.encode({ ...change(record), epoch: 1n }).finish();
    await log.append({ epoch: 1n, expectedSeq: seq, bodies: [body] });
  }
  return log;
}

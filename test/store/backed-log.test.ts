import { describe, expect, test } from "vitest";
import type { BackEnd } from "../../store/back-end.ts";
import { BackedLog } from "../../store/backed-log.ts";
import { headAt, type RawFrame, startOf } from "../../store/chain-reader.ts";
import type { LogHead } from "../../store/index.ts";
import { appendRecords, contents, recordBody, refusal } from "./helpers.ts";

const LOG_ID = "42".repeat(32);

describe("reading while the back end loses or changes something", () => {
  test("the end missing, a record missing or the last one replaced is refused", async () => {
    const disk = new Disk();
    const log = await disk.filled(8);
    disk.tamper = (frames) => frames.filter(({ seq }) => seq !== 8n);
    expect(await refusal(contents(log))).toMatchObject({ code: "STORE_SEQUENCE_GAP", place: { seq: 8n } });
    expect(await refusal(log.get(8n))).toMatchObject({ code: "STORE_SEQUENCE_GAP" });
    disk.tamper = (frames) => frames.filter(({ seq }) => seq !== 4n);
    expect(await refusal(contents(log))).toMatchObject({ code: "STORE_SEQUENCE_GAP", place: { seq: 4n } });
    expect(await refusal(log.get(5n))).toMatchObject({ code: "STORE_SEQUENCE_GAP", place: { seq: 4n } });
    const other = new Disk();
    await (await other.filled(7)).append({ epoch: 1n, expectedSeq: 8n, bodies: [recordBody(15n, 1n)].map(renumbered) });
    disk.tamper = (frames) => frames.map((raw) => (raw.seq === 8n ? (other.stored[7] ?? raw) : raw));
    expect(await refusal(log.get(8n))).toMatchObject({ code: "STORE_BROKEN_CHAIN", place: { seq: 8n } });
    disk.tamper = (frames) => frames;
    expect(await contents(log)).toHaveLength(8);
  });
});

describe("closing", () => {
  test("waits for what is being written and what is queued, then hands the last head on", async () => {
    const disk = new Disk();
    const log = disk.open();
    const appends = [appendRecords(log, 1), log.append({ epoch: 1n, expectedSeq: 2n, bodies: [recordBody(2n, 1n)] })];
    const closed = log.close();
    await Promise.all([...appends, closed]);
    expect(disk.events).toEqual(["frames 2", "head 2", "close 2"]);
  });

  test("after a failed write hands no head on, so that nothing is marked as in order", async () => {
    const disk = new Disk();
    const log = disk.open();
    disk.isBroken = true;
    expect(await refusal(appendRecords(log, 1))).toMatchObject({ code: "STORE_IO" });
    await log.close();
    expect(disk.events).toEqual(["close none"]);
  });

  test("ends a reading that is under way with STORE_CLOSED", async () => {
    const disk = new Disk();
    const log = await disk.filled(3);
    const reader = log.read()[Symbol.asyncIterator]();
    await reader.next();
    await log.close();
    expect(await refusal(Promise.resolve(reader.next()))).toMatchObject({ code: "STORE_CLOSED" });
  });
});

/** The same content under the number 8. */
function renumbered(body: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(body);
  copy[1] = 8;
  return copy;
}

/** A back end in memory that can lie. */
class Disk implements BackEnd {
  readonly stored: RawFrame[] = [];
  readonly events: string[] = [];
  tamper = (frames: RawFrame[]) => frames;
  isBroken = false;

  open(): BackedLog {
    return new BackedLog({ backEnd: this, head: headAt(LOG_ID, 1n, startOf(LOG_ID)), readOnly: false });
  }

  async filled(count: number): Promise<BackedLog> {
    const log = this.open();
    await appendRecords(log, count);
    return log;
  }

  async *frames(from: bigint, to: bigint): AsyncGenerator<readonly RawFrame[]> {
    yield this.tamper(this.stored.slice(Number(from) - 1, Number(to)));
  }

  async writeFrames(frames: readonly RawFrame[]): Promise<void> {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    if (this.isBroken) throw new Error("EIO");
    this.stored.push(...frames);
    this.events.push(`frames ${this.stored.length}`);
  }

  async writeHead(head: LogHead): Promise<void> {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    this.events.push(`head ${head.seq}`);
  }

  async close(head: LogHead | undefined): Promise<void> {
    this.events.push(`close ${head?.seq ?? "none"}`);
  }
}

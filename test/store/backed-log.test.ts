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
    await (await other.filled(7)).append({ epoch: 1n, expectedSeq: 8n, bodies: [renumbered(recordBody(15n, 1n), 8)] });
    disk.tamper = (frames) => frames.map((raw) => (raw.seq === 8n ? (other.stored[7] ?? raw) : raw));
    expect(await refusal(log.get(8n))).toMatchObject({ code: "STORE_BROKEN_CHAIN", place: { seq: 8n } });
    disk.tamper = (frames) => frames;
    expect(await contents(log)).toHaveLength(8);
  });
});

test("frames are told as soon as they are committed, and not while they are only written", async () => {
  const disk = new Disk();
  const log = await disk.filled(2);
  const told = async (): Promise<bigint[]> => {
    const seqs: bigint[] = [];
    for await (const frames of log.frames(1n, 9n)) seqs.push(...frames.map(({ seq }) => seq));
    return seqs;
  };
  const writing = appendRecords(log, 1);
  while (disk.stored.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(await told()).toEqual([1n, 2n]);
  await writing;
  expect(await told()).toEqual([1n, 2n, 3n]);
  await log.close();
  expect(await refusal(told())).toMatchObject({ code: "STORE_CLOSED" });
});

describe("a snapshot that does not fit is left out", () => {
  test("with any bit flipped, cut anywhere or lengthened", async () => {
    const disk = new Disk();
    const log = await disk.filled(2);
    await log.saveSnapshot({ seq: 2n, parts: [new Uint8Array([1, 2, 3]), new Uint8Array([4])] });
    const bytes = disk.snapshots.get(2n) ?? new Uint8Array(0);
    const wrong = Array.from({ length: bytes.length * 8 }, (_, bit) =>
      bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
    );
    for (let length = 0; length < bytes.length; length++) wrong.push(bytes.slice(0, length));
    for (const changed of [...wrong, Uint8Array.from([...bytes, 0])]) {
      disk.snapshots.set(2n, changed);
      expect(await snapshotSeqs(log)).toEqual([]);
    }
    disk.snapshots.set(2n, bytes);
    expect(await snapshotSeqs(log)).toEqual([2n]);
  });

  test("of another log, of another content of the log, under another number, or of a record that is not there", async () => {
    const disk = new Disk();
    const log = await disk.filled(3);
    await log.saveSnapshot({ seq: 2n, parts: [] });
    await log.saveSnapshot({ seq: 3n, parts: [] });
    const [two, three] = [2n, 3n].map((seq) => disk.snapshots.get(seq) ?? new Uint8Array(0)) as [Uint8Array, Uint8Array];
    disk.snapshots.set(3n, two);
    disk.snapshots.set(9n, three);
    expect(await snapshotSeqs(log)).toEqual([2n]);
    const other = new Disk("43".repeat(32));
    const otherLog = await other.filled(3);
    const forked = new Disk();
    const forkedLog = await forked.filled(2);
    await forkedLog.append({ epoch: 1n, expectedSeq: 3n, bodies: [renumbered(recordBody(17n, 1n), 3)] });
    for (const [theirs, target] of [
      [other, otherLog],
      [forked, forkedLog],
    ] as const) {
      theirs.snapshots.set(3n, three);
      expect(await snapshotSeqs(target)).toEqual([]);
    }
  });

  test("and does not take the place of one that fits", async () => {
    const disk = new Disk();
    const log = await disk.filled(3);
    for (const seq of [8n, 9n]) disk.snapshots.set(seq, new Uint8Array([1]));
    for (const seq of [1n, 2n, 3n]) await log.saveSnapshot({ seq, parts: [] });
    expect(await snapshotSeqs(log)).toEqual([3n, 2n]);
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

/** The same content under another number below 128. */
function renumbered(body: Uint8Array, seq: number): Uint8Array {
  const copy = Uint8Array.from(body);
  copy[1] = seq;
  return copy;
}

async function snapshotSeqs(log: BackedLog): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const { seq } of log.snapshots()) found.push(seq);
  return found;
}

/** A back end in memory that can lie. */
class Disk implements BackEnd {
  readonly stored: RawFrame[] = [];
  readonly snapshots = new Map<bigint, Uint8Array>();
  readonly events: string[] = [];
  tamper = (frames: RawFrame[]) => frames;
  isBroken = false;
  readonly #logId: string;

  constructor(logId = LOG_ID) {
    this.#logId = logId;
  }

  open(): BackedLog {
    return new BackedLog({ backEnd: this, head: headAt(this.#logId, 1n, startOf(this.#logId)), readOnly: false });
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

  async putSnapshot(seq: bigint, pieces: Iterable<Uint8Array>): Promise<void> {
    this.snapshots.set(seq, new Uint8Array(Buffer.concat([...pieces])));
  }

  async getSnapshot(seq: bigint): Promise<Uint8Array | undefined> {
    return this.snapshots.get(seq);
  }

  async listSnapshots(): Promise<bigint[]> {
    return [...this.snapshots.keys()];
  }

  async deleteSnapshot(seq: bigint): Promise<void> {
    this.snapshots.delete(seq);
  }

  async close(head: LogHead | undefined): Promise<void> {
    this.events.push(`close ${head?.seq ?? "none"}`);
  }
}

import { describe, expect, test } from "vitest";
import { Record } from "../../proto/generated/log.ts";
import type { CommitSink } from "../../store/back-end.ts";
import { headAt, startOf } from "../../store/chain-reader.ts";
import { CommitQueue } from "../../store/commit-queue.ts";
import { FRAME_OVERHEAD_BYTES } from "../../store/frame.ts";
import { recordBody } from "./helpers.ts";

const START = headAt("11".repeat(32), 1n, startOf("11".repeat(32)));

describe("group commit", () => {
  test("what arrives while a commit is written shares the next one", async () => {
    const disk = new SlowDisk();
    const queue = new CommitQueue(START, disk);
    const first = queue.append(request(1n));
    await disk.untilWriting();
    const later = [2n, 3n, 4n].map((seq) => queue.append(request(seq)));
    expect(disk.sizes).toEqual([1]);
    disk.goOn();
    expect(await Promise.all([first, ...later])).toEqual([1n, 2n, 2n, 2n].map((commit) => ({ commit })));
    expect(disk.sizes).toEqual([1, 3]);
  });

  test("one commit is written at a time, HEAD never leads the log, and the log leads HEAD by two commits at most", async () => {
    const disk = new SlowDisk();
    disk.goOn();
    const queue = new CommitQueue(START, disk);
    const appends: Promise<unknown>[] = [];
    for (let seq = 1n; seq <= 200n; seq++) {
      appends.push(queue.append(request(seq)));
      if (seq % 3n === 0n) await pause();
    }
    await Promise.all(appends);
    expect(disk.framesInFlightMax).toBe(1);
    expect(disk.headsInFlightMax).toBe(1);
    expect(disk.leadMin).toBe(0n);
    expect(disk.leadMax).toBe(2n);
  });

  test("an append is acknowledged only after frames and head are durable, and readers see it only then", async () => {
    const disk = new SlowDisk();
    const queue = new CommitQueue(START, disk);
    let acknowledged = false;
    const append = queue.append(request(1n)).then(() => {
      acknowledged = true;
    });
    await disk.untilWriting();
    disk.holdHeads = true;
    disk.goOn();
    while (disk.log.commit === 0n) await pause();
    for (let turn = 0; turn < 5; turn++) await pause();
    expect(acknowledged).toBe(false);
    expect(queue.committed.seq).toBe(0n);
    disk.holdHeads = false;
    await append;
    expect(queue.committed.seq).toBe(1n);
  });

  test("a commit stays within its limits, and a larger request is a commit of its own", async () => {
    const disk = new SlowDisk();
    disk.goOn();
    const queue = new CommitQueue(START, disk);
    const many = Array.from({ length: 5_000 }, (_, i) => queue.append(request(BigInt(i + 1))));
    await Promise.all(many);
    expect(Math.max(...disk.sizes)).toBe(4_096);
    const bodies = Array.from({ length: 5_000 }, (_, i) => recordBody(BigInt(5_001 + i), 1n));
    await Promise.all([queue.append({ epoch: 1n, expectedSeq: 5_001n, bodies }), queue.append(request(10_001n))]);
    expect(disk.sizes.slice(-2)).toEqual([5_000, 1]);
  });

  test("a commit has 4 MiB of frames at most where it takes in more than one request", async () => {
    const sizesOf = async (bytes: number): Promise<number[]> => {
      const disk = new SlowDisk();
      disk.goOn();
      const queue = new CommitQueue(START, disk);
      const bodies = [1n, 2n].map((seq) => recordOf(seq, bytes / 2 - FRAME_OVERHEAD_BYTES));
      await Promise.all(bodies.map((body, i) => queue.append({ epoch: 1n, expectedSeq: BigInt(i) + 1n, bodies: [body] })));
      return disk.sizes;
    };
    expect(await sizesOf(4 * 1024 * 1024)).toEqual([2]);
    expect(await sizesOf(4 * 1024 * 1024 + 2)).toEqual([1, 1]);
  });
});

/** A record of exactly so many bytes, more than 2 MiB less a little. */
function recordOf(seq: bigint, bytes: number): Uint8Array {
  const withEvent = (length: number): Uint8Array =>
    Record.encode(
      Record.fromPartial({ seq, epoch: 1n, machine: "test", instance: "test/1", type: "x", event: new Uint8Array(length) }),
    ).finish();
  return withEvent(2 * bytes - withEvent(bytes).length);
}

describe("after a failed write", () => {
  test.each([
    ["no room for frames", "frames", "IO error: /x/000003.log: No space left on device", "STORE_FULL"],
    ["frames that fail", "frames", "IO error: /x/000003.log: Input/output error", "STORE_IO"],
    ["no room for the head", "head", "ENOSPC: no space left on device, write", "STORE_FULL"],
    ["a head that fails", "head", "EIO: i/o error, fdatasync", "STORE_IO"],
  ] as const)("%s: the write says why, all others are poisoned, and nothing is written any more", async (_, what, text, code) => {
    const disk = new SlowDisk();
    const queue = new CommitQueue(START, disk);
    await Promise.all([disk.untilWriting().then(() => disk.goOn()), queue.append(request(1n))]);
    disk.failure = { what, error: new Error(text) };
    const failing = queue.append(request(2n));
    await expect(failing).rejects.toMatchObject({ code });
    await expect(queue.append(request(3n))).rejects.toMatchObject({ code: "STORE_POISONED", cause: { code } });
    disk.failure = undefined;
    const written = disk.sizes.length;
    await expect(queue.append(request(3n))).rejects.toMatchObject({ code: "STORE_POISONED" });
    await queue.drain();
    expect(disk.sizes.length).toBe(written);
    expect(queue.committed.seq).toBe(1n);
    expect(queue.poisoned).toBe(true);
  });

  test("what waited for the next commit fails too, and what was durable before is acknowledged", async () => {
    const disk = new SlowDisk();
    const queue = new CommitQueue(START, disk);
    const first = queue.append(request(1n));
    await disk.untilWriting();
    disk.failure = { what: "frames", error: new Error("IO error"), after: 1 };
    const second = queue.append(request(2n));
    disk.goOn();
    while (disk.sizes.length < 2) await pause();
    const third = queue.append(request(3n));
    expect((await Promise.allSettled([first, second, third])).map(outcome)).toEqual(["fulfilled", "STORE_IO", "STORE_POISONED"]);
  });

  test("a head that fails while the next commit is written fails both", async () => {
    const disk = new SlowDisk();
    const queue = new CommitQueue(START, disk);
    const first = queue.append(request(1n));
    await disk.untilWriting();
    disk.failure = { what: "head", error: new Error("EIO") };
    const second = queue.append(request(2n));
    disk.goOn();
    expect((await Promise.allSettled([first, second])).map(outcome)).toEqual(["STORE_IO", "STORE_POISONED"]);
    expect(queue.committed.seq).toBe(0n);
  });
});

function request(seq: bigint) {
  return { epoch: 1n, expectedSeq: seq, bodies: [recordBody(seq, 1n)] };
}

function outcome(result: PromiseSettledResult<unknown>): string {
  return result.status === "fulfilled" ? "fulfilled" : String((result.reason as { code: string }).code);
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A back end whose writes take their time, or fail, and which watches what is in flight. */
class SlowDisk implements CommitSink {
  readonly sizes: number[] = [];
  log = { commit: 0n };
  head = { commit: 0n };
  framesInFlightMax = 0;
  headsInFlightMax = 0;
  leadMin = 0n;
  leadMax = 0n;
  holdHeads = false;
  failure: { readonly what: "frames" | "head"; readonly error: Error; readonly after?: number } | undefined;
  #framesInFlight = 0;
  #headsInFlight = 0;
  #started: (() => void) | undefined;
  #go: (() => void) | undefined;
  readonly #start = new Promise<void>((resolve) => {
    this.#started = resolve;
  });
  readonly #gate = new Promise<void>((resolve) => {
    this.#go = resolve;
  });

  /** Until the first commit is being written. */
  untilWriting(): Promise<void> {
    return this.#start;
  }

  goOn(): void {
    this.#go?.();
  }

  async writeFrames(frames: readonly unknown[]): Promise<void> {
    this.sizes.push(frames.length);
    this.framesInFlightMax = Math.max(this.framesInFlightMax, ++this.#framesInFlight);
    this.#started?.();
    await this.#gate;
    await pause();
    this.#framesInFlight--;
    if (this.failure?.what === "frames" && this.sizes.length > (this.failure.after ?? 0)) throw this.failure.error;
    this.log = { commit: this.log.commit + 1n };
    this.#watch();
  }

  async writeHead(head: { readonly commit: bigint }): Promise<void> {
    this.headsInFlightMax = Math.max(this.headsInFlightMax, ++this.#headsInFlight);
    for (let turn = Number(head.commit) % 4; turn > 0 || this.holdHeads; turn--) await pause();
    this.#headsInFlight--;
    if (this.failure?.what === "head") throw this.failure.error;
    this.head = head;
    this.#watch();
  }

  #watch(): void {
    const lead = this.log.commit - this.head.commit;
    if (lead < this.leadMin) this.leadMin = lead;
    if (lead > this.leadMax) this.leadMax = lead;
  }
}

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  createLevelLog,
  isStoreError,
  openLevelLog,
  type SnapshotLog,
  type StoredRecord,
  type StoreErrorCode,
} from "../../../store/index.ts";
import { collect, recordBody } from "../records.ts";
import type { Command, Way } from "./commands.ts";

interface ModelRecord {
  readonly body: Uint8Array;
  readonly commit: bigint;
}

const SNAPSHOTS_KEPT = 2;

/** A log on a disk, and beside it what it must hold. */
export class Life {
  readonly #directory: string;
  readonly #records: ModelRecord[] = [];
  /** By record, their parts. */
  #snapshots = new Map<bigint, readonly Uint8Array[]>();
  #epoch = 0n;
  #way: Way = "writable";
  #log: SnapshotLog;

  private constructor(directory: string, log: SnapshotLog) {
    this.#directory = directory;
    this.#log = log;
    this.#epoch = 1n;
  }

  /** Creates a log and opens it. */
  static async begin(directory: string): Promise<Life> {
    await createLevelLog(directory);
    return new Life(directory, await openLevelLog(directory));
  }

  /** Executes a command on the log and the model, and compares. Returns the class it counts for. */
  async execute(command: Command): Promise<string> {
    const { kind } = command;
    switch (kind) {
      case "append":
        if (this.#isReadOnly) return this.#isRefusedForReading();
        await this.#appendAll(command.calls, command.staggered);
        break;
      case "append in conflict":
        if (this.#isReadOnly) return this.#isRefusedForReading();
        await this.#appendInConflict(command.epochOff, command.seqOff);
        break;
      case "append what is no record":
        if (this.#isReadOnly) return this.#isRefusedForReading();
        await this.#appendNoRecord(command.what);
        break;
      case "read all":
        this.#compare(await collect(this.#log.read()), 1n, this.#last);
        break;
      case "read a part":
        await this.#readPart(command.from, command.to);
        break;
      case "get":
        if (this.#last === 0n) return this.#isOutOfRange(1n);
        await this.#get(this.#at(command.share));
        break;
      case "out of range":
        await this.#isOutOfRange(command.beyond ? this.#last + 1n : 0n);
        break;
      case "save a snapshot":
        if (this.#isReadOnly) return this.#isRefusedForReading();
        if (this.#last === 0n) return this.#isOutOfRange(1n);
        await this.#saveSnapshot(this.#at(command.share), command.parts);
        break;
      case "list snapshots":
        await this.#listSnapshots();
        break;
      case "open twice":
        await refused("STORE_LOCKED", openLevelLog(this.#directory));
        break;
      case "reopen":
        await this.#log.close();
        await this.#open(command.way);
        break;
      case "abandon":
        if (this.#isReadOnly) return this.#isRefusedForReading();
        await this.#abandon(command.calls);
        await this.#open(command.way);
    }
    this.#compareHead();
    return kind;
  }

  /** Closes the log, opens it once more and compares everything. */
  async end(): Promise<void> {
    await this.#log.close();
    await this.#open("read-only");
    this.#compare(await collect(this.#log.read()), 1n, this.#last);
    await this.#listSnapshots();
    await this.#log.close();
  }

  get #isReadOnly(): boolean {
    return this.#way === "read-only";
  }

  get #last(): bigint {
    return BigInt(this.#records.length);
  }

  /** The record at a share of the log, which is not empty. */
  #at(share: number): bigint {
    return 1n + BigInt(Math.floor(share * (this.#records.length - 1)));
  }

  async #isRefusedForReading(): Promise<string> {
    const { seq } = this.#log.head();
    const bodies = [recordBody(seq + 1n, this.#epoch)];
    await refused("STORE_READ_ONLY", this.#log.append({ epoch: this.#epoch, expectedSeq: seq + 1n, bodies }));
    await refused("STORE_READ_ONLY", this.#log.saveSnapshot({ seq, parts: [] }));
    return "write on a log open for reading";
  }

  async #isOutOfRange(seq: bigint): Promise<string> {
    await refused("STORE_OUT_OF_RANGE", this.#log.get(seq));
    await refused(this.#isReadOnly ? "STORE_READ_ONLY" : "STORE_OUT_OF_RANGE", this.#log.saveSnapshot({ seq, parts: [] }));
    return "out of range";
  }

  /** Issues the calls in one turn, or some turns apart, and takes what is acknowledged into the model. */
  async #appendAll(calls: readonly (readonly number[])[], staggered = false): Promise<void> {
    let next = this.#last + 1n;
    const first = (this.#records.at(-1)?.commit ?? 0n) + 1n;
    let commitBefore = first - 1n;
    const acknowledgements: Promise<void>[] = [];
    for (const lengths of calls) {
      const from = next;
      const bodies = lengths.map((length, at) => recordBody(from + BigInt(at), this.#epoch, length));
      next += BigInt(bodies.length);
      const appended = this.#log.append({ epoch: this.#epoch, expectedSeq: from, bodies });
      acknowledgements.push(
        appended.then(({ commit }) => {
          assert.equal(this.#last + 1n, from, "acknowledged in another order");
          assert.ok(commit === commitBefore || commit === commitBefore + 1n, "a commit was left out");
          assert.ok(commit >= first, "appended to a commit that was acknowledged");
          const head = this.#log.head();
          assert.ok(
            head.commit >= commit && head.seq >= from + BigInt(bodies.length) - 1n,
            "acknowledged before it is committed",
          );
          commitBefore = commit;
          this.#records.push(...bodies.map((body) => ({ body, commit })));
        }),
      );
      if (staggered) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(acknowledgements);
  }

  async #appendInConflict(epochOff: number, seqOff: number): Promise<void> {
    const epoch = this.#epoch + BigInt(epochOff);
    const expectedSeq = this.#last + 1n + BigInt(seqOff);
    await refused("STORE_CONFLICT", this.#log.append({ epoch, expectedSeq, bodies: [recordBody(expectedSeq, epoch)] }));
  }

  async #appendNoRecord(what: "nothing" | "garbage" | "another seq"): Promise<void> {
    const expectedSeq = this.#last + 1n;
    const wrong = what === "garbage" ? new Uint8Array([0xff, 0xff, 0xff]) : recordBody(expectedSeq + 5n, this.#epoch);
    const bodies = what === "nothing" ? [] : [recordBody(expectedSeq, this.#epoch), wrong];
    await refused("STORE_BAD_RECORD", this.#log.append({ epoch: this.#epoch, expectedSeq, bodies }));
  }

  async #readPart(fromShare: number, toShare: number): Promise<void> {
    const from = 1n + BigInt(Math.floor(fromShare * this.#records.length));
    const to = from + BigInt(Math.floor(toShare * 40));
    this.#compare(await collect(this.#log.read({ from, to })), from, to < this.#last ? to : this.#last);
  }

  async #get(seq: bigint): Promise<void> {
    this.#compare([await this.#log.get(seq)], seq, seq);
  }

  async #saveSnapshot(seq: bigint, lengths: readonly number[]): Promise<void> {
    const parts = lengths.map((length, at) => recordBody(seq + BigInt(at), this.#epoch, length));
    await this.#log.saveSnapshot({ seq, parts });
    this.#snapshots.set(seq, parts);
    const newest = [...this.#snapshots].sort(([a], [b]) => Number(b - a)).slice(0, SNAPSHOTS_KEPT);
    this.#snapshots = new Map(newest);
  }

  async #listSnapshots(): Promise<void> {
    const found = await collect(this.#log.snapshots());
    const comparable = (seq: bigint, parts: readonly Uint8Array[]) =>
      `${seq} ${parts.map((part) => Buffer.from(part).toString("hex"))}`;
    assert.deepEqual(
      found.map(({ seq, parts }) => comparable(seq, parts)),
      [...this.#snapshots].map(([seq, parts]) => comparable(seq, parts)),
    );
  }

  async #abandon(calls: readonly (readonly number[])[]): Promise<void> {
    const appending = this.#appendAll(calls);
    const closing = this.#log.close();
    await refused("STORE_CLOSED", this.#log.append({ epoch: this.#epoch, expectedSeq: this.#last + 1n, bodies: [] }));
    await Promise.all([appending, closing]);
    await refused("STORE_CLOSED", this.#log.get(1n));
  }

  async #open(way: Way): Promise<void> {
    const verify = way === "verifying what is needed" ? "needed" : "everything";
    this.#log = await openLevelLog(this.#directory, { readOnly: way === "read-only", verify });
    if (way !== "read-only") this.#epoch++;
    this.#way = way;
  }

  #compareHead(): void {
    const { epoch, seq, commit } = this.#log.head();
    assert.equal(epoch, this.#epoch);
    assert.equal(seq, this.#last);
    assert.equal(commit, this.#records.at(-1)?.commit ?? 0n);
  }

  #compare(found: readonly StoredRecord[], from: bigint, to: bigint): void {
    assert.equal(BigInt(found.length), to < from ? 0n : to - from + 1n);
    for (const [at, { seq, commit, endsCommit, body }] of found.entries()) {
      const expected = this.#records[Number(from) - 1 + at];
      assert.equal(seq, from + BigInt(at));
      assert.equal(commit, expected?.commit, `record ${seq} is of another commit`);
      assert.equal(endsCommit, this.#records[Number(seq)]?.commit !== commit, `record ${seq}: the mark of a commit's end`);
      assert.ok(expected !== undefined && Buffer.compare(body, expected.body) === 0, `record ${seq} changed`);
    }
  }
}

async function refused(code: StoreErrorCode, action: Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error) => isStoreError(error, code), `expected ${code}`);
}

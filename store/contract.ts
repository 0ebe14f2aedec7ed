import assert from "node:assert/strict";
import { all, allSnapshots, appendOne, body, collect, compare, plain, refused } from "./contract-tools.ts";
import type { SnapshotLog } from "./event-log.ts";

/** A log under test that can be opened again after it was closed. */
export interface ContractLog {
  open(options?: { readonly readOnly?: boolean }): Promise<SnapshotLog>;
  /** Removes what the log left behind. */
  remove?(): Promise<void>;
}

/** What {@link storeContract} needs. */
export interface StoreContractOptions {
  /** Registers one test: `test` or `it` of any runner. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** Makes a new, empty log. */
  readonly create: () => Promise<ContractLog>;
}

/**
 * The tests that every back end must pass, for any test runner: `storeContract({ test, create })`.
 *
 * They show order, atomicity, conditions, epochs and verification; that commits survive a crash must be shown by the
 * back end's own tests.
 */
export function storeContract({ test, create }: StoreContractOptions): void {
  for (const [claim, body] of Object.entries(CLAIMS)) {
    test(claim, async () => {
      const log = await create();
      try {
        await body(log);
      } finally {
        await log.remove?.();
      }
    });
  }
}

const CLAIMS: { readonly [claim: string]: (log: ContractLog) => Promise<void> } = {
  "a new log is empty and its first writer has epoch 1": async (handle) => {
    await using log = await handle.open();
    const { logId, epoch, commit, seq, chain } = log.head();
    assert.match(logId, /^[0-9a-f]{64}$/);
    assert.match(chain, /^[0-9a-f]{32}$/);
    assert.deepEqual({ epoch, commit, seq }, { epoch: 1n, commit: 0n, seq: 0n });
    assert.deepEqual(await all(log), []);
  },

  "what was appended is read back, before and after a reopen": async (handle) => {
    const log = await handle.open();
    const bodies = [body(1n, 1n, "one"), body(2n, 1n, "two"), body(3n, 1n, "three")];
    assert.deepEqual(await log.append({ epoch: 1n, expectedSeq: 1n, bodies: bodies.slice(0, 2) }), { commit: 1n });
    assert.deepEqual(await log.append({ epoch: 1n, expectedSeq: 3n, bodies: bodies.slice(2) }), { commit: 2n });
    const before = await all(log);
    assert.deepEqual(before.map((stored) => stored.body).map(plain), bodies.map(plain));
    assert.deepEqual(
      before.map(({ seq, commit, record }) => [seq, commit, record.seq, record.type]),
      [
        [1n, 1n, 1n, "one"],
        [2n, 1n, 2n, "two"],
        [3n, 2n, 3n, "three"],
      ],
    );
    const head = log.head();
    await log.close();
    await using again = await handle.open();
    assert.deepEqual(again.head(), { ...head, epoch: 2n });
    assert.deepEqual(await all(again), before);
  },

  "every writable open raises the epoch by one, and one for reading does not": async (handle) => {
    for (const epoch of [1n, 2n, 3n]) {
      await using log = await handle.open();
      assert.equal(log.head().epoch, epoch);
    }
    await using reader = await handle.open({ readOnly: true });
    assert.equal(reader.head().epoch, 3n);
  },

  "appends that nobody waited for keep their order and share commits": async (handle) => {
    await using log = await handle.open();
    const appends = Array.from({ length: 64 }, (_, i) => appendOne(log, BigInt(i + 1)));
    const commits = (await Promise.all(appends)).map(({ commit }) => commit);
    assert.deepEqual(commits, [...commits].sort(compare));
    assert.ok(new Set(commits).size < 64, "expected fewer commits than appends");
    const records = await all(log);
    assert.deepEqual(
      records.map(({ seq, commit, record }) => [seq, commit, record.type]),
      commits.map((commit, i) => [BigInt(i + 1), commit, `type-${i + 1}`]),
    );
  },

  "all records of a call are in one commit, also beside others": async (handle) => {
    await using log = await handle.open();
    let seq = 1n;
    const appends = Array.from({ length: 40 }, (_, i) => {
      const bodies = Array.from({ length: (i % 7) + 1 }, (_unused, j) => body(seq + BigInt(j), 1n));
      const request = { epoch: 1n, expectedSeq: seq, bodies };
      seq += BigInt(bodies.length);
      return log.append(request).then(({ commit }) => ({ request, commit }));
    });
    const done = await Promise.all(appends);
    const commitOf = new Map((await all(log)).map((stored) => [stored.seq, stored.commit]));
    for (const { request, commit } of done) {
      request.bodies.forEach((_, i) => {
        assert.equal(commitOf.get(request.expectedSeq + BigInt(i)), commit);
      });
    }
  },

  "the last record of each commit, and no other, is marked as its end": async (handle) => {
    await using log = await handle.open();
    const appends = [1n, 4n, 5n, 8n].map((seq, i, starts) => {
      const bodies = Array.from({ length: Number((starts[i + 1] ?? 12n) - seq) }, (_, j) => body(seq + BigInt(j), 1n));
      return log.append({ epoch: 1n, expectedSeq: seq, bodies });
    });
    await Promise.all(appends);
    await appendOne(log, 12n);
    const stored = await all(log);
    const ends = stored.map(({ commit }, i) => stored[i + 1]?.commit !== commit);
    assert.deepEqual(
      stored.map(({ endsCommit }) => endsCommit),
      ends,
    );
    assert.ok(ends.includes(false));
    assert.equal((await log.get(12n)).endsCommit, true);
  },

  "an append at another place or of another epoch is a conflict and writes nothing": async (handle) => {
    await using log = await handle.open();
    await appendOne(log, 1n);
    for (const expectedSeq of [0n, 1n, 3n]) {
      await refused("STORE_CONFLICT", log.append({ epoch: 1n, expectedSeq, bodies: [body(expectedSeq, 1n)] }));
    }
    await refused("STORE_CONFLICT", log.append({ epoch: 2n, expectedSeq: 2n, bodies: [body(2n, 2n)] }));
    assert.equal(log.head().seq, 1n);
    await appendOne(log, 2n);
    assert.equal((await all(log)).length, 2);
  },

  "of appends at one place only the first succeeds": async (handle) => {
    await using log = await handle.open();
    const results = await Promise.allSettled([appendOne(log, 1n), appendOne(log, 1n), appendOne(log, 2n), appendOne(log, 2n)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "rejected"],
    );
  },

  "a body that is not the record it should be is refused and writes nothing": async (handle) => {
    await using log = await handle.open();
    const wrong = [body(2n, 1n), body(1n, 2n), new Uint8Array([0xff, 0xff]), new Uint8Array(0)];
    for (const bad of wrong) await refused("STORE_BAD_RECORD", log.append({ epoch: 1n, expectedSeq: 1n, bodies: [bad] }));
    await refused("STORE_BAD_RECORD", log.append({ epoch: 1n, expectedSeq: 1n, bodies: [body(1n, 1n), body(1n, 1n)] }));
    await refused("STORE_BAD_RECORD", log.append({ epoch: 1n, expectedSeq: 1n, bodies: [] }));
    assert.equal(log.head().seq, 0n);
    await appendOne(log, 1n);
  },

  "bytes that the caller changes afterwards do not change the log": async (handle) => {
    await using log = await handle.open();
    const given = body(1n, 1n, "mine");
    const appended = log.append({ epoch: 1n, expectedSeq: 1n, bodies: [given] });
    given.fill(0);
    await appended;
    const first = await log.get(1n);
    first.body.fill(0);
    assert.equal((await log.get(1n)).record.type, "mine");
  },

  "a part is read as it stands in the whole": async (handle) => {
    await using log = await handle.open();
    for (let seq = 1n; seq <= 600n; seq += 100n) {
      const bodies = Array.from({ length: 100 }, (_, i) => body(seq + BigInt(i), 1n));
      await log.append({ epoch: 1n, expectedSeq: seq, bodies });
    }
    const whole = await all(log);
    for (const [from, to] of [
      [1n, 1n],
      [2n, 2n],
      [255n, 258n],
      [600n, 600n],
      [300n, 9_999n],
      [5n, 4n],
      [601n, 700n],
    ] as const) {
      assert.deepEqual(await collect(log.read({ from, to })), whole.slice(Number(from) - 1, Number(to)));
    }
    assert.deepEqual(await log.get(377n), whole[376]);
    await refused("STORE_OUT_OF_RANGE", log.get(0n));
    await refused("STORE_OUT_OF_RANGE", log.get(601n));
    await refused("STORE_OUT_OF_RANGE", collect(log.read({ from: 0n })));
  },

  "a reader sees the end that was committed when it began": async (handle) => {
    await using log = await handle.open();
    for (let seq = 1n; seq <= 3n; seq++) await appendOne(log, seq);
    const reader = log.read()[Symbol.asyncIterator]();
    assert.equal((await reader.next()).value?.seq, 1n);
    await appendOne(log, 4n);
    assert.equal((await reader.next()).value?.seq, 2n);
    assert.equal((await reader.next()).value?.seq, 3n);
    assert.equal((await reader.next()).done, true);
  },

  "reading ends with the reason of its signal": async (handle) => {
    await using log = await handle.open();
    for (let seq = 1n; seq <= 3n; seq++) await appendOne(log, seq);
    const stop = new AbortController();
    const reader = log.read({ signal: stop.signal })[Symbol.asyncIterator]();
    await reader.next();
    stop.abort(new Error("enough"));
    await assert.rejects(async () => reader.next(), /enough/);
  },

  "closing waits for what is queued, and a closed log refuses everything": async (handle) => {
    const log = await handle.open();
    const appended = Promise.all([1n, 2n, 3n].map((seq) => appendOne(log, seq)));
    await log.close();
    await appended;
    assert.equal(log.head().seq, 3n);
    await refused("STORE_CLOSED", appendOne(log, 4n));
    await refused("STORE_CLOSED", log.get(1n));
    await refused("STORE_CLOSED", collect(log.read()));
    await log.close();
    await using again = await handle.open();
    assert.equal((await all(again)).length, 3);
  },

  "a log that is open for reading refuses to append and changes nothing": async (handle) => {
    const log = await handle.open();
    await appendOne(log, 1n);
    await log.close();
    const reader = await handle.open({ readOnly: true });
    await refused("STORE_READ_ONLY", appendOne(reader, 2n));
    assert.equal((await all(reader)).length, 1);
    await reader.close();
    await using again = await handle.open();
    assert.equal(again.head().epoch, 2n);
    assert.equal(again.head().seq, 1n);
  },

  "a second open is refused and the first goes on": async (handle) => {
    await using log = await handle.open();
    await refused("STORE_LOCKED", handle.open());
    await refused("STORE_LOCKED", handle.open({ readOnly: true }));
    await appendOne(log, 1n);
    await refused("STORE_LOCKED", handle.open());
    await appendOne(log, 2n);
    assert.equal((await all(log)).length, 2);
  },

  "the two newest snapshots are kept, and survive a reopen": async (handle) => {
    const log = await handle.open();
    for (let seq = 1n; seq <= 4n; seq++) {
      await appendOne(log, seq);
      await log.saveSnapshot({ seq, parts: [new Uint8Array([Number(seq)]), new Uint8Array(0), new Uint8Array(3).fill(9)] });
    }
    const kept = [4, 3].map((n) => ({ seq: BigInt(n), parts: [[n], [], [9, 9, 9]] }));
    assert.deepEqual(await allSnapshots(log), kept);
    await log.saveSnapshot({ seq: 4n, parts: [] });
    await log.close();
    await using again = await handle.open({ readOnly: true });
    assert.deepEqual(await allSnapshots(again), [{ seq: 4n, parts: [] }, kept[1]]);
    await refused("STORE_READ_ONLY", again.saveSnapshot({ seq: 4n, parts: [] }));
  },

  "a snapshot of a record that is not committed is refused": async (handle) => {
    const log = await handle.open();
    await appendOne(log, 1n);
    for (const seq of [-1n, 0n, 2n]) await refused("STORE_OUT_OF_RANGE", log.saveSnapshot({ seq, parts: [] }));
    assert.deepEqual(await allSnapshots(log), []);
    await log.close();
    await refused("STORE_CLOSED", log.saveSnapshot({ seq: 1n, parts: [] }));
  },

  "a record of 4 MB among small ones is kept whole": async (handle) => {
    const log = await handle.open();
    const event = new Uint8Array(4_000_000).map((_, i) => (i * 31) & 0xff);
    await Promise.all([
      appendOne(log, 1n),
      log.append({ epoch: 1n, expectedSeq: 2n, bodies: [body(2n, 1n, "large", event)] }),
      appendOne(log, 3n),
    ]);
    await log.close();
    await using again = await handle.open();
    const large = (await again.get(2n)).record.event;
    assert.ok(Buffer.compare(large, event) === 0);
  },
};

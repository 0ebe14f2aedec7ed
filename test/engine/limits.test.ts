import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { encodeVtxo, type Vtxo } from "../../ark/vtxo.ts";
import { ActionDriver } from "../../engine/action-driver.ts";
import type { Engine } from "../../engine/engine.ts";
import { mapConcurrently } from "../../engine/map-concurrently.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { keyGapOf } from "../../engine/node/salvage-wallet.ts";
import { checkOptions } from "../../engine/options.ts";
import { OwnFailures } from "../../engine/own-failure.ts";
import { QuoteBook } from "../../engine/pay.ts";
import { readBackup } from "../../engine/read-backup.ts";
import { NoticeReader } from "../../engine/read-notices.ts";
import { Recovery } from "../../engine/recovery.ts";
import { findKeys } from "../../engine/recovery-keys.ts";
import { runSync } from "../../engine/sync.ts";
import { Undecided } from "../../engine/undecided.ts";
import { type VettingContext, vetVtxo } from "../../engine/vet-vtxo.ts";
import type { OpenCommand } from "../../engine/wallet-rows.ts";
import type { MailboxDelivery } from "../../streams/delivery.ts";
import type { ServerSession } from "../../streams/session.ts";
import { alice, board } from "../ark/payments.ts";
import { MNEMONIC } from "./helpers.ts";

// Each bound, reached and passed by one, with no more of an engine than what is asked about it.

const { signal } = new AbortController();
const partOf = (parts: object): Engine => parts as unknown as Engine;
const pad = (n: number): string => n.toString(16).padStart(64, "0");

test("a restore looks ahead over 30,000 keys at most where it is asked to, and over 20,000 unless it is", async () => {
  const options = { directory: "x", mnemonic: () => MNEMONIC, server: "https://a.example", chain: "https://b.example" } as const;
  const check = (restoreLookAhead: number) => checkOptions({ ...options, network: "regtest", restoreLookAhead });
  expect(() => check(30_000)).not.toThrow();
  expect(() => check(30_001)).toThrow(expect.objectContaining({ code: "BAD_OPTION" }));

  const looked: number[] = [];
  const keyring = {
    ownerIndex: async (_key: Uint8Array, _next: number, _signal: AbortSignal, lookAhead: number) => void looked.push(lookAhead),
  };
  const engine = partOf({ keyring, loop: { pending: { nextKeyIndex: 0 } } });
  const foreign = { id: `${pad(1)}:0`, owner: alice.publicKey };
  expect(await findKeys(engine, [foreign], new Recovery(engine).lookAhead, signal)).toEqual(new Set());
  expect(looked).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000]);
});

test("a salvage passes over two keys for each record that was lost", () => {
  const kept = { logId: "", epoch: 1n, seq: 10n, commit: 1n, chain: "" };
  const lost = { from: 11n, to: 1_010n };
  const report = { kept, damage: [], lost, stranded: [] };
  expect(keyGapOf({ ...report, isEndKnown: false })).toBe(2_000);
  expect(keyGapOf({ ...report, isEndKnown: true })).toBe(2_020);
});

test("a wait longer than a timer can be is as long as a timer can be, and does not end at once", () => {
  const set = vi.spyOn(globalThis, "setTimeout");
  for (const delayMs of [2_147_483_646, 2_147_483_647, 2_147_483_648, Number.POSITIVE_INFINITY]) {
    defaultPorts.clock.after(delayMs, () => {})();
  }
  const waits = set.mock.calls.map(([, delayMs]) => delayMs);
  set.mockRestore();
  expect(waits).toEqual([2_147_483_646, 2_147_483_647, 2_147_483_647, 2_147_483_647]);
});

test("100 quotes are remembered, and the oldest goes first", () => {
  const quotes = new QuoteBook();
  const plan = { amountSats: 1n, feeSats: 0n, inputs: [] };
  for (let i = 0; i < 100; i++) quotes.keep(`${i}`, plan);
  expect(quotes.find("0", 1n)).toBe(plan);
  quotes.keep("100", plan);
  expect(["0", "1", "100"].map((hash) => quotes.find(hash, 1n))).toEqual([undefined, plan, plan]);
});

test("an action that fails again and again is tried once a minute at least (lightning.md S1)", async () => {
  const waits: number[] = [];
  let goOn = (): void => {};
  const after = (waitMs: number, callback: () => void) => {
    waits.push(waitMs);
    goOn = callback;
    return () => {};
  };
  const effect = { id: "1", type: "awaitGrant", params: {} };
  const command = { effect, instance: "lightning-receive/1", seq: 1n } as unknown as OpenCommand;
  const driver = new ActionDriver(
    partOf({
      clock: { after },
      // Of which every call fails.
      connection: { session: {}, signal },
      loop: { settled: async () => {}, pending: { outbox: new Map([["1", command]]) } },
      ports: { logger: () => {} },
    }),
  );
  driver.issue(command);
  for (let attempt = 1; attempt <= 10; attempt++) {
    await driver.idle();
    goOn();
  }
  await driver.idle();
  expect(waits.map((waitMs) => waitMs / 1_000)).toEqual([1, 4, 9, 16, 25, 36, 49, 60, 60, 60, 60]);
});

test("of a backup the last 50,000 ids are restored, and those before them are counted", async () => {
  const idsOf = (from: number, count: number) => Array.from({ length: count }, (_, i) => `${pad(from + i)}:0`);
  const pages = [idsOf(0, 49_999), idsOf(49_999, 1), idsOf(49_998, 4)];
  const messages = pages.map((ids, i) => delivery(BigInt(i) + 1n, { kind: "recovery-vtxo-ids", ids, malformed: 0 }));
  const session = sessionOf(async (after) => messages.slice(Number(after), Number(after) + 1));
  const keyring = { recoveryAuthorization: () => new Uint8Array(), recoveryMailboxId: new Uint8Array() };
  const { ids, beyond } = await readBackup(partOf({ keyring }), session, signal);
  expect([ids.length, ids[0], ids.at(-1), beyond]).toEqual([50_000, `${pad(2)}:0`, `${pad(50_001)}:0`, 2]);
});

test("a backup without an end is left after 20,000 pages, and counts as one id more that is not restored", async () => {
  let pages = 0;
  const session = sessionOf(async (after) => {
    pages++;
    const content = { kind: "recovery-vtxo-ids", ids: after === 0n ? [`${pad(1)}:0`] : [], malformed: 0 } as const;
    return [delivery(after + 1n, content)];
  });
  const keyring = { recoveryAuthorization: () => new Uint8Array(), recoveryMailboxId: new Uint8Array() };
  const { ids, beyond } = await readBackup(partOf({ keyring }), session, signal);
  // The first page is read once more as a whole.
  expect([pages, ids.length, beyond]).toEqual([20_001, 1, 1]);
});

test("a backup that ends with messages that do not say where they stand is read up to them, and counts as one id more", async () => {
  const posted = delivery(1n, { kind: "recovery-vtxo-ids", ids: [`${pad(1)}:0`], malformed: 0 });
  const garbage = delivery(0n, { kind: "malformed" });
  const session = sessionOf(async (after) => (after === 0n ? [garbage, posted, garbage] : [garbage, garbage]));
  const keyring = { recoveryAuthorization: () => new Uint8Array(), recoveryMailboxId: new Uint8Array() };
  const { ids, beyond } = await readBackup(partOf({ keyring }), session, signal);
  expect([ids, beyond]).toEqual([[`${pad(1)}:0`], 1]);
});

test("behind a halt a hundred pages are read at a time, and the next time goes on behind them", async () => {
  const asked: bigint[] = [];
  const session = sessionOf(async (after) => {
    asked.push(after);
    return after === 150n ? [] : [delivery(after + 1n, { kind: "unknown", fieldNumbers: [9] })];
  });
  const keyring = { mailboxAuthorization: () => new Uint8Array(), mailboxId: new Uint8Array() };
  const loop = { pending: { checkpoint: 0n } };
  const reader = new NoticeReader(partOf({ keyring, loop, clock: defaultPorts.clock, time: { isPlausible: async () => true } }));
  await reader.drain(session, signal);
  expect([asked.length, asked.at(-1)]).toEqual([100, 99n]);
  await reader.drain(session, signal);
  expect([asked.length, asked.at(-1)]).toEqual([151, 150n]);
});

test("a sync reads 10,000 pages unless another number is given", async () => {
  const refusal = new Error("no more");
  const ask = async (maxPages?: number) => {
    const connection = { mostPages: 0 };
    const feed = (): never => {
      throw refusal;
    };
    const loop = { checkRunning: () => {}, pending: { instances: new Map() } };
    const engine = partOf({ connection, feed, loop, committed: { counters: {} }, pagesRead: 0 });
    await expect(runSync(engine, maxPages === undefined ? {} : { maxPages })).rejects.toBe(refusal);
    return connection.mostPages;
  };
  expect([await ask(), await ask(3)]).toEqual([10_000, 3]);
});

test("among 20 VTXOs one of another anchor is looked for to ask about instead, and no further", async () => {
  const [same, other] = [board(alice, 10_000n, 1).vtxo, board(alice, 10_000n, 2).vtxo];
  const asked = async (siblings: number): Promise<string[]> => {
    const coins = [...Array.from({ length: siblings }, () => same), other];
    const blobs = { vtxo: async (vtxo: Vtxo) => encodeVtxo(vtxo) };
    const committed = { coins: new Map(coins.map((source, i) => [i, { id: `${i}`, keyIndex: 0, source }])) };
    const subjects: string[] = [];
    const transaction = async (txid: string) => {
      subjects.push(txid);
      return { kind: "absent" };
    };
    const failures = new OwnFailures(partOf({ blobs, committed }), {
      chain: { transaction },
      signal,
    } as unknown as VettingContext);
    const error = new Undecided("CHAIN_TIMEOUT", "none", { question: "transaction", subject: same.chainAnchor.txid });
    expect(await failures.isOwn(error)).toBe(true);
    return subjects;
  };
  expect(await asked(19)).toEqual([other.chainAnchor.txid]);
  expect(await asked(20)).toEqual(["0123456789abcdef".repeat(4)]);
});

/** A VTXO of that depth whose signatures are none: what counts is whether anybody gets as far as looking at them. */
function deep(depth: number): Uint8Array {
  const { vtxo } = board(alice, 10_000n);
  const [item] = vtxo.genesis;
  if (item === undefined) throw new Error("expected a board with an item");
  return encodeVtxo({ ...vtxo, genesis: Array.from({ length: depth }, () => item) });
}

/** The code of the refusal of a VTXO, from a server that allows any depth; `CHAIN_NO_ANSWER` if its anchor is asked for. */
async function codeOfVetting(bytes: Uint8Array, genesisItems: number): Promise<string> {
  const error = { code: "CHAIN_NO_ANSWER", message: "none" };
  const context = {
    chain: { transaction: async () => ({ kind: "unknown", error }) },
    info: { maxVtxoExitDepth: 65_535 },
    session: { getVtxo: async () => bytes },
    isKnown: () => false,
    pace: { spend: async () => {} },
    signal,
  } as unknown as VettingContext;
  try {
    const source = { digest: "", entry: 0 };
    const { verdict } = await vetVtxo({ bytes, source, checkpoint: 1n, work: { genesisItems } }, context);
    return verdict.kind === "refused" ? verdict.item.code : verdict.kind;
  } catch (thrown) {
    return (thrown as Undecided).code;
  }
}

test("a VTXO 256 deep is looked at, a deeper one is not, whatever the server allows", async () => {
  expect(await codeOfVetting(deep(256), 0)).toBe("CHAIN_NO_ANSWER");
  expect(await codeOfVetting(deep(257), 0)).toBe("TOO_DEEP");
});

test("5,000 genesis items of a message are looked at, and no more", async () => {
  expect(await codeOfVetting(deep(100), 4_900)).toBe("CHAIN_NO_ANSWER");
  expect(await codeOfVetting(deep(100), 4_901)).toBe("TOO_MUCH_WORK");
});

test("no more calls are under way than a width allows, and every width is eight and of such calls", async () => {
  let [running, most] = [0, 0];
  await mapConcurrently(Array.from({ length: 30 }), 8, async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  });
  expect(most).toBe(8);
  const widths = readFileSync("docs/limits.md", "utf8").matchAll(/`(engine\/[\w-]+\.ts)` `(CONCURRENT_(?!DRIVES)\w+)`/g);
  const uses = [...widths].map(([, file = "", name = ""]) => {
    const source = readFileSync(file, "utf8");
    const count = (pattern: string): number => source.match(new RegExp(pattern, "g"))?.length ?? 0;
    return [file, count(`const ${name} = 8;`), count(`mapConcurrently\\([\\w.]+, ${name},`), count(name) - 1];
  });
  expect(uses).toEqual([
    ["engine/anchors.ts", 1, 1, 1],
    ["engine/receive-grant.ts", 1, 3, 3],
    ["engine/reconcile.ts", 1, 1, 1],
    ["engine/recovery.ts", 1, 2, 2],
    ["engine/requeue.ts", 1, 2, 2],
    ["engine/vetting.ts", 1, 1, 1],
  ]);
});

function delivery(checkpoint: bigint, content: MailboxDelivery["content"]): MailboxDelivery {
  return { checkpoint, content, raw: new Uint8Array(), digest: pad(Number(checkpoint)) };
}

function sessionOf(read: (after: bigint) => Promise<readonly MailboxDelivery[]>): ServerSession {
  const readMailbox = async ({ after }: { after: bigint }) => ({ messages: await read(after), haveMore: false });
  return { readMailbox } as unknown as ServerSession;
}

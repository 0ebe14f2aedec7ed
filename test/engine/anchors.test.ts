import { expect, test } from "vitest";
import { ancestorIds, exitTransactions } from "../../ark/exit.ts";
import type { Outpoint } from "../../ark/outpoint.ts";
import { encodeTransaction, type Transaction } from "../../ark/transaction.ts";
import { decodeVtxo } from "../../ark/vtxo.ts";
import { outpointOf } from "../../ark/vtxo-id.ts";
import { type ChainSource, Heartwood, type OpenOptions, type WalletEvent } from "../../engine/index.ts";
import type { Simulator } from "../../simulator/index.ts";
import {
  addressOf,
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  fastChain,
  fastOptions,
  freshDirectory,
  goLive,
  nextEvent,
  OTHER_MNEMONIC,
  openWallet,
  recorded,
  setUp,
  simulate,
} from "./helpers.ts";

/** A longer chain that leaves out the block of a transaction. */
function reorganize({ chain }: Simulator, txid: string): void {
  chain.mine();
  chain.add(chain.transaction(txid)?.bytes ?? new Uint8Array(), null);
}

/** Spends the output that a VTXO hangs from, as no chain of a VTXO does. */
function spendAnchor(simulator: Simulator, bytes: Uint8Array): void {
  spend(simulator, decodeVtxo(bytes).chainAnchor);
}

function spend({ chain }: Simulator, outpoint: Outpoint): void {
  const input = { outpoint, script: new Uint8Array(), sequence: 0, witness: [new Uint8Array(64)] };
  const output = { amountSats: 1_000n, script: Uint8Array.of(0x51) };
  chain.add(encodeTransaction({ version: 2, inputs: [input], outputs: [output], lockTime: 0 }), null);
}

function mine({ chain }: Simulator, transaction: Transaction | undefined): void {
  if (transaction === undefined) throw new Error("expected a transaction, got none");
  chain.add(encodeTransaction(transaction), chain.tip);
  chain.mine();
}

const told = (events: readonly WalletEvent[]) => events.filter(({ type }) => type === "vtxo.unanchored");

test("a VTXO whose anchor a reorganisation takes away is not spendable until it is in a block again, and no money is gone", async () => {
  const { simulator, directory, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n] });
  const [{ id, anchorTxid } = { id: "", anchorTxid: "" }] = vtxos;
  await simulator.pay(address, { amountsSats: [500n] });
  await wallet.sync();
  const events = recorded(wallet);
  reorganize(simulator, anchorTxid);
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 7_500n, spendableSats: 500n, unanchoredSats: 7_000n });
  expect(wallet.vtxos().find((vtxo) => vtxo.id === id)).toMatchObject({ state: "unanchored", anchorCode: "ANCHOR_UNCONFIRMED" });
  expectBooksToBalance(wallet.status());
  expect(told(events)).toMatchObject([
    {
      tipHeight: simulator.chain.tip,
      vtxos: [{ id, amountSats: 7_000n, anchor: `${anchorTxid}:0`, code: "ANCHOR_UNCONFIRMED" }],
    },
  ]);
  const story = await wallet.explain(id);
  expect(story.now).toBe("unanchored (ANCHOR_UNCONFIRMED)");
  expect(story.steps.at(-1)).toMatchObject({ machine: "anchors", code: "ANCHOR_UNCONFIRMED", rules: ["mailbox.md W-41"] });
  await goLive(wallet);
  expect(await codeOfRefusal(wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 600n))).toBe("INSUFFICIENT_FUNDS");
  await wallet.stop();

  await wallet.sync();
  await wallet.sync();
  expect(told(events)).toHaveLength(1);
  simulator.mine();
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 7_500n, spendableSats: 7_500n, unanchoredSats: 0n });
  expect(told(events)[1]).toMatchObject({ vtxos: [{ id, code: null }] });
  expect((await wallet.explain(id)).now).toBe("spendable");
  const { vtxos: rows } = wallet.status();
  await wallet.close();
  expect((await Heartwood.read(directory)).vtxos).toEqual(rows);
  expect((await Heartwood.verify(directory)).borne).toEqual([]);
});

test("a chain source that lags takes no money away: an absent anchor is believed at a second, higher tip (mailbox.md W-1)", async () => {
  const { simulator, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n] });
  const txid = vtxos[0]?.anchorTxid ?? "";
  await wallet.sync();
  const events = recorded(wallet);
  simulator.chain.hide(txid);
  simulator.mine();
  await wallet.sync();
  await wallet.sync();
  expect(wallet.balance().spendableSats).toBe(7_000n);
  expect((await wallet.explain(vtxos[0]?.id ?? "")).steps.at(-1)).toMatchObject({ code: "ANCHOR_NOT_FOUND" });
  simulator.chain.setFault("down");
  simulator.mine();
  await wallet.sync();
  expect(wallet.balance().spendableSats).toBe(7_000n);
  expect(told(events)).toEqual([]);
  simulator.chain.setFault(null);
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ spendableSats: 0n, unanchoredSats: 7_000n });
  expect(told(events)).toMatchObject([{ vtxos: [{ code: "ANCHOR_NOT_FOUND" }] }]);
  simulator.chain.show(txid);
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ spendableSats: 7_000n, unanchoredSats: 0n });
});

test("who spends the anchor otherwise takes all that hang from it: two questions tell of both, and nothing pays with them", async () => {
  const simulator = await simulate();
  const questions: string[] = [];
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), chain: counting(simulator, questions) });
  await wallet.sync();
  const { vtxos } = await simulator.pay(await wallet.address(), { amountsSats: [7_000n, 2_000n], perCoin: 2 });
  await wallet.sync();
  spendAnchor(simulator, vtxos[0]?.bytes ?? new Uint8Array());
  questions.length = 0;
  await wallet.sync();
  expect(questions).toEqual([]);
  simulator.mine();
  await wallet.sync();
  expect(questions).toEqual(["status", "outspend"]);
  expect(wallet.balance()).toMatchObject({ totalSats: 9_000n, spendableSats: 0n, unanchoredSats: 9_000n });
  expect(wallet.vtxos().map(({ anchorCode }) => anchorCode)).toEqual(["ANCHOR_SPENT", "ANCHOR_SPENT"]);
  expectBooksToBalance(wallet.status());
});

test.each([
  ["that names the spender", (source: ChainSource) => source],
  ["that does not", withoutSpender],
])(
  "what a former owner exits is no money until the next transaction of the chain is there too, by a source %s; what is on chain itself pays no more",
  async (_, through) => {
    const simulator = await simulate();
    const chain = through(fastChain(simulator));
    const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), chain });
    await wallet.sync();
    const { vtxos } = await simulator.pay(await wallet.address(), { amountsSats: [9_000n], depth: 3 });
    await wallet.sync();
    const spendable: bigint[] = [];
    for (const transaction of exitTransactions(decodeVtxo(vtxos[0]?.bytes ?? new Uint8Array()))) {
      mine(simulator, transaction);
      await wallet.sync();
      spendable.push(wallet.balance().spendableSats);
    }
    // The payer's VTXO, the checkpoint, and the payment.
    expect(spendable).toEqual([0n, 9_000n, 0n]);
    expect(wallet.vtxos()).toMatchObject([{ state: "unanchored", anchorCode: "ANCHOR_SPENT" }]);
    expectBooksToBalance(wallet.status());
  },
);

test.each([
  ["that names the spender", (source: ChainSource) => source],
  ["that does not", withoutSpender],
])("where the chains of two VTXOs part, what happens to one takes nothing from the other, by a source %s", async (_, through) => {
  const simulator = await simulate();
  const chain = through(fastChain(simulator));
  const directory = await freshDirectory();
  const wallet = await openWallet({ ...fastOptions(simulator, directory), chain });
  await wallet.sync();
  const request = { amountsSats: [7_000n, 2_000n, 500n], perCoin: 3 };
  const { vtxos } = await simulator.pay(await wallet.address(), request);
  await wallet.sync();
  const [one, two] = vtxos.map(({ bytes }) => decodeVtxo(bytes));
  if (one === undefined || two === undefined) throw new Error("expected three VTXOs");
  const events = recorded(wallet);
  for (const transaction of exitTransactions(one)) mine(simulator, transaction);
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 9_500n, spendableSats: 2_500n, unanchoredSats: 7_000n });
  const [, checkpoint] = ancestorIds(two).map(outpointOf);
  if (checkpoint === undefined) throw new Error("expected a VTXO of some depth");
  spend(simulator, checkpoint);
  simulator.mine();
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 9_500n, spendableSats: 500n, unanchoredSats: 9_000n });
  expect(told(events)).toMatchObject([
    { vtxos: [{ id: vtxos[0]?.id, code: "ANCHOR_SPENT" }] },
    { vtxos: [{ id: vtxos[1]?.id, code: "ANCHOR_SPENT" }] },
  ]);
  const untouched = await wallet.explain(vtxos[2]?.id ?? "");
  expect(untouched).toMatchObject({ now: "spendable" });
  expect(untouched.steps.filter(({ machine }) => machine === "anchors")).toEqual([]);
  expectBooksToBalance(wallet.status());
  await wallet.close();
  expect((await Heartwood.verify(directory)).borne).toEqual([]);
});

test("where one of two VTXOs of an anchor is cut, a chain source that lags takes nothing from the other (mailbox.md W-1)", async () => {
  const simulator = await simulate();
  const below = lagging(fastChain(simulator));
  const options = { ...fastOptions(simulator, await freshDirectory()), chain: below.source, confirmations: 7 };
  const wallet = await openWallet(options);
  await wallet.sync();
  const { vtxos } = await simulator.pay(await wallet.address(), { amountsSats: [7_000n, 2_000n], perCoin: 2 });
  simulator.mine();
  await wallet.sync();
  for (const transaction of exitTransactions(decodeVtxo(vtxos[0]?.bytes ?? new Uint8Array()))) mine(simulator, transaction);
  await wallet.sync();
  const inPart = { totalSats: 9_000n, spendableSats: 2_000n, unanchoredSats: 7_000n };
  expect(wallet.balance()).toMatchObject(inPart);
  const anchorTxid = vtxos[0]?.anchorTxid ?? "";
  simulator.chain.hide(anchorTxid);
  simulator.mine();
  await wallet.sync();
  expect(wallet.balance()).toMatchObject(inPart);
  simulator.chain.show(anchorTxid);
  await wallet.sync();
  expect(wallet.balance()).toMatchObject(inPart);
  below.blocks = 5;
  await wallet.sync();
  expect(wallet.balance()).toMatchObject(inPart);
  below.blocks = 0;
  simulator.chain.hide(anchorTxid);
  for (const spendableSats of [2_000n, 0n]) {
    simulator.mine();
    await wallet.sync();
    expect(wallet.balance()).toMatchObject({ totalSats: 9_000n, spendableSats });
  }
  simulator.chain.show(anchorTxid);
  await wallet.sync();
  expect(wallet.balance()).toMatchObject(inPart);
});

test("what is paid after somebody exited from the same tree is credited, and held only where a former owner could take it", async () => {
  const { simulator, wallet, address } = await setUp();
  const made = await simulator.createPackage(address, { amountsSats: [7_000n, 2_000n], perCoin: 2 });
  const [one, two] = made;
  if (one === undefined || two === undefined) throw new Error("expected two VTXOs");
  const [board, checkpoint, payment] = exitTransactions(decodeVtxo(one.bytes));
  mine(simulator, board);
  simulator.deliver(address, [two]);
  await wallet.sync();
  expect(wallet.quarantine()).toMatchObject([{ id: two.id, code: "ANCHOR_SPENT", permanent: false }]);
  mine(simulator, checkpoint);
  mine(simulator, payment);
  await wallet.sync();
  expect(wallet.quarantine()).toEqual([]);
  expect(wallet.balance()).toMatchObject({ totalSats: 2_000n, spendableSats: 2_000n });
  simulator.deliver(address, [one]);
  await wallet.sync();
  expect(wallet.quarantine()).toMatchObject([{ id: one.id, code: "ANCHOR_SPENT" }]);
});

test("what is spent by another transaction below the anchor is gone for all that hang from it", async () => {
  const { simulator, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n], depth: 3 });
  await wallet.sync();
  const vtxo = decodeVtxo(vtxos[0]?.bytes ?? new Uint8Array());
  const [first] = exitTransactions(vtxo);
  const [outpoint] = ancestorIds(vtxo).map(outpointOf);
  if (first === undefined || outpoint === undefined) throw new Error("expected a VTXO of some depth");
  simulator.chain.add(encodeTransaction(first), simulator.chain.tip);
  spend(simulator, outpoint);
  simulator.mine();
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 7_000n, unanchoredSats: 7_000n });
});

test("an anchor with a hundred blocks above it is looked at every 36 blocks, another one with each", async () => {
  const simulator = await simulate();
  const questions: string[] = [];
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), chain: counting(simulator, questions) });
  await wallet.sync();
  await simulator.pay(await wallet.address(), { amountsSats: [7_000n], unconfirmedAnchor: true });
  simulator.mine();
  await wallet.sync();
  const asked = async (blocks: number): Promise<number> => {
    simulator.mine(blocks);
    questions.length = 0;
    await wallet.sync();
    return questions.length;
  };
  expect([await asked(1), await asked(98)]).toEqual([2, 2]);
  expect([await asked(1), await asked(34), await asked(1), await asked(35), await asked(1)]).toEqual([0, 0, 2, 0, 2]);
});

test("a payment under way goes on although the anchor of its input is gone; its change waits for the anchor", async () => {
  const { simulator, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n] });
  await wallet.sync();
  await goLive(wallet);
  simulator.faults.failNext("RequestArkoorCosign", undefined, Number.POSITIVE_INFINITY);
  const payment = await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 3_000n);
  const gone = nextEvent(wallet, "vtxo.unanchored");
  reorganize(simulator, vtxos[0]?.anchorTxid ?? "");
  await gone;
  expect(wallet.balance()).toMatchObject({ totalSats: 7_000n, lockedSats: 7_000n, unanchoredSats: 0n });
  simulator.faults.clear();
  await payment.settled();
  expect(wallet.balance()).toMatchObject({ totalSats: 4_000n, spendableSats: 0n, unanchoredSats: 4_000n });
  expectBooksToBalance(wallet.status());
  const change = wallet.vtxos().map(({ id }) => ({ id, state: "unanchored" }));
  {
    await using history = wallet.history();
    await history.read();
    const { balance, tables } = await history.moment(wallet.status().records);
    expect(tables.coins.rows).toMatchObject(change.toReversed());
    expect(balance).toEqual(wallet.balance());
  }

  simulator.mine();
  await eventually(() => wallet.balance().spendableSats === 4_000n, "the change under an anchor in a block");
  expect(wallet.balance()).toMatchObject({ totalSats: 4_000n, unanchoredSats: 0n });
});

test("more confirmations than were asked for before hold for what was credited too", async () => {
  const { simulator, wallet, address, options } = await setUp();
  await simulator.pay(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  simulator.mine();
  await wallet.sync();
  await wallet.close();
  const stricter = await openWallet({ ...options, confirmations: 3 } as OpenOptions);
  for (const spendableSats of [0n, 0n, 7_000n]) {
    await stricter.sync();
    expect(stricter.balance()).toMatchObject({ totalSats: 7_000n, spendableSats });
    simulator.mine();
  }
});

test("what is marked altogether is given back at a lower tip too", async () => {
  const simulator = await simulate();
  const below = lagging(fastChain(simulator));
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), chain: below.source });
  await wallet.sync();
  const { vtxos } = await simulator.pay(await wallet.address(), { amountsSats: [7_000n] });
  await wallet.sync();
  reorganize(simulator, vtxos[0]?.anchorTxid ?? "");
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ unanchoredSats: 7_000n });
  simulator.mine();
  below.blocks = 2;
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ spendableSats: 7_000n, unanchoredSats: 0n });
});

/** A chain source whose tip is some blocks behind. */
function lagging(chain: ChainSource): { source: ChainSource; blocks: number } {
  const source: ChainSource = {
    transaction: (txid, options) => chain.transaction(txid, options),
    blockHash: (height, options) => chain.blockHash(height, options),
    status: (txid, options) => chain.status(txid, options),
    outspend: (txid, vout, options) => chain.outspend(txid, vout, options),
    tip: async (options) => {
      const answer = await chain.tip(options);
      return answer.kind === "found" ? { kind: "found", value: { height: answer.value.height - lag.blocks } } : answer;
    },
  };
  const lag = { source, blocks: 0 };
  return lag;
}

/** A chain source that does not say by which transaction an output is spent, as Bitcoin Core does not. */
function withoutSpender(source: ChainSource): ChainSource {
  return {
    tip: (options) => source.tip(options),
    transaction: (txid, options) => source.transaction(txid, options),
    blockHash: (height, options) => source.blockHash(height, options),
    status: (txid, options) => source.status(txid, options),
    outspend: async (txid, vout, options) => {
      const answer = await source.outspend(txid, vout, options);
      return answer.kind === "found" && answer.value.spent ? { kind: "found", value: { spent: true } } : answer;
    },
  };
}

/** A chain source that notes what it is asked of anchors. */
function counting(simulator: Simulator, questions: string[]): ChainSource {
  const source = fastChain(simulator);
  return {
    tip: (options) => source.tip(options),
    transaction: (txid, options) => source.transaction(txid, options),
    blockHash: (height, options) => source.blockHash(height, options),
    status: (txid, options) => {
      questions.push("status");
      return source.status(txid, options);
    },
    outspend: (txid, vout, options) => {
      questions.push("outspend");
      return source.outspend(txid, vout, options);
    },
  };
}

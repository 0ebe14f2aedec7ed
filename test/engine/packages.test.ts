import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { concatBytes } from "../../ark/bytes.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { encodeTransaction } from "../../ark/transaction.ts";
import { decodeVtxo } from "../../ark/vtxo.ts";
import { corruptVtxo, type Payment, type Simulator } from "../../simulator/index.ts";
import { openSession } from "../../streams/session.ts";
import {
  addressOf,
  eventually,
  expectBooksToBalance,
  fastOptions,
  freshDirectory,
  goLive,
  logOf,
  MNEMONIC,
  nextEvent,
  OTHER_MNEMONIC,
  openWallet,
  recorded,
  type Setup,
  setUp,
  simulate,
} from "./helpers.ts";

type Vtxo = Payment["vtxos"][number];

function only<T>(items: readonly T[]): T {
  const [item, ...more] = items;
  if (item === undefined || more.length > 0) throw new Error(`expected one item, got ${items.length}`);
  return item;
}

/** Makes one VTXO for the address, undelivered. */
async function makeVtxo({ simulator, address }: Setup, amountSats: bigint, more = {}) {
  return only(await simulator.createPackage(address, { amountsSats: [amountSats], ...more }));
}

/** Spends the output that a VTXO hangs from, on the chain. */
function spendAnchor(simulator: Simulator, { bytes }: Pick<Vtxo, "bytes">): void {
  const outpoint = decodeVtxo(bytes).chainAnchor;
  const input = { outpoint, script: new Uint8Array(), sequence: 0, witness: [new Uint8Array(64)] };
  const output = { amountSats: 1_000n, script: Uint8Array.of(0x51) };
  simulator.chain.add(encodeTransaction({ version: 2, inputs: [input], outputs: [output], lockTime: 0 }), simulator.chain.tip);
}

test("beside an invalid VTXO the good one is credited, the bad one kept with its bytes and its code", async () => {
  const { simulator, wallet, address } = await setUp();
  const payment = await simulator.pay(address, { amountsSats: [3_000n, 4_000n], corrupt: [{ index: 1, how: "signature" }] });
  const [good, bad] = payment.vtxos as [Vtxo, Vtxo];
  simulator.forgetVtxo(bad.id);

  expect(await wallet.sync()).toMatchObject({ messages: 1, applied: 1, halted: null, checkpoint: payment.checkpoint });
  expect(wallet.vtxos().map(({ id }) => id)).toEqual([good.id]);
  const held = only(wallet.quarantine());
  expect(held).toMatchObject({
    id: bad.id,
    code: "TRANSITION_INVALID_SIGNATURE",
    permanent: false,
    checkpoint: payment.checkpoint,
  });
  expect(await wallet.quarantinedBytes(held.key)).toEqual(bad.bytes);
  expect(await wallet.vtxoBytes(good.id)).toEqual(good.bytes);
  expectBooksToBalance(wallet.status());
});

test("a broken copy in the mailbox is replaced by the server's good one (mailbox.md W-5)", async () => {
  const { simulator, wallet, address } = await setUp();
  const payment = await simulator.pay(address, { amountsSats: [9_000n], corrupt: [{ index: 0, how: "signature" }] });
  const { id, bytes } = only(payment.vtxos);

  await wallet.sync();
  expect(wallet.balance().spendableSats).toBe(9_000n);
  expect(wallet.quarantine()).toEqual([]);
  const kept = await wallet.vtxoBytes(id);
  expect(kept).not.toEqual(bytes);
  expect(kept).toEqual(simulator.vtxo(id)?.bytes);
});

test("a broken copy whose server copy is unsigned is held, and credited once the server has a good one", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const { id, bytes } = await makeVtxo(setup, 9_000n, { register: false });
  const checkpoint = simulator.deliver(address, [corruptVtxo(bytes, "missing-signature")]);
  expect(await wallet.sync()).toMatchObject({ applied: 0, ignored: 1, checkpoint });
  expect(only(wallet.quarantine())).toMatchObject({ id, permanent: false });
  expect(wallet.balance().totalSats).toBe(0n);

  await using session = await openSession({ serverUrl: simulator.serverUrl, network: "regtest" });
  await session.registerVtxoTransactions([bytes]);
  await wallet.sync();
  expect(wallet.quarantine()).toEqual([]);
  expect(wallet.balance().spendableSats).toBe(9_000n);
  expect(await wallet.vtxoBytes(id)).toEqual(bytes);
});

test("bytes that do not decode are held as they came, and the checkpoint goes on", async () => {
  const { simulator, wallet, address } = await setUp();
  const payment = await simulator.pay(address, { amountsSats: [9_000n], corrupt: [{ index: 0, how: "truncate" }] });
  await wallet.sync();
  const held = only(wallet.quarantine());
  expect(held).toMatchObject({ amountSats: null, permanent: false });
  expect(await wallet.quarantinedBytes(held.key)).toEqual(only(payment.vtxos).bytes);
  expect(wallet.checkpoint()).toBe(payment.checkpoint);
});

test("a VTXO that stands twice in a package counts once (mailbox.md W-18)", async () => {
  const setup = await setUp();
  const vtxo = await makeVtxo(setup, 7_000n);
  setup.simulator.deliver(setup.address, [vtxo, vtxo]);
  await setup.wallet.sync();
  expect(only(setup.wallet.movements())).toMatchObject({ effectiveBalanceSats: 7_000n, outputVtxos: [vtxo.id] });
  expectBooksToBalance(setup.wallet.status());
});

test("of a package [A, B] with A known only B is counted (mailbox.md W-17)", async () => {
  const setup = await setUp();
  const [a, b] = [await makeVtxo(setup, 7_000n), await makeVtxo(setup, 500n)];
  setup.simulator.deliver(setup.address, [a]);
  setup.simulator.deliver(setup.address, [a, b]);
  await setup.wallet.sync();
  expect(setup.wallet.movements().map(({ effectiveBalanceSats }) => effectiveBalanceSats)).toEqual([7_000n, 500n]);
  expect(setup.wallet.movements()[1]?.outputVtxos).toEqual([b.id]);
  expectBooksToBalance(setup.wallet.status());
});

test("a package delivered again under a new checkpoint credits nothing and moves the checkpoint", async () => {
  const { simulator, wallet, address } = await setUp();
  const { checkpoint } = await simulator.pay(address, { amountsSats: [7_000n] });
  await wallet.sync();
  const again = simulator.redeliver(checkpoint ?? 0n);
  expect(await wallet.sync()).toMatchObject({ messages: 1, applied: 0, ignored: 1, checkpoint: again });
  expect(wallet.movements()).toHaveLength(1);
  expectBooksToBalance(wallet.status());
});

test("an empty package is consumed while the chain is down (mailbox.md W-45)", async () => {
  const { simulator, wallet, address } = await setUp();
  simulator.chain.setFault("down");
  const checkpoint = simulator.deliver(address, []);
  expect(await wallet.sync()).toMatchObject({ messages: 1, ignored: 1, halted: null, checkpoint });
  expect(simulator.calls("GetVtxoStatus")).toBe(0);
});

test("a message of an unknown kind is passed over by a named rule, and its bytes stay in the log", async () => {
  const { simulator, wallet, directory, address } = await setUp();
  const events = recorded(wallet);
  const checkpoint = simulator.deliverUnknown(address, 99, new TextEncoder().encode("from the future"));
  expect(await wallet.sync()).toMatchObject({ ignored: 1, checkpoint });
  expect(events).toContainEqual(expect.objectContaining({ type: "message.ignored", checkpoint, rule: "UNKNOWN_KIND" }));
  await wallet.close();
  const { bodies } = await logOf(directory);
  const wanted = Buffer.from(simulator.mailbox(address)[0]?.bytes ?? []).toString("hex");
  expect(bodies.filter((body) => body.includes(wanted))).toHaveLength(1);
});

test("a VTXO of somebody else is held as NOT_OWNED, not credited", async () => {
  const { simulator, wallet, address } = await setUp();
  const foreign = await simulator.createPackage(addressOf(simulator, OTHER_MNEMONIC, 0), { amountsSats: [7_000n] });
  simulator.deliver(address, foreign);
  await wallet.sync();
  expect(only(wallet.quarantine())).toMatchObject({ id: foreign[0]?.id, code: "NOT_OWNED", permanent: false });
  expect(wallet.balance().totalSats).toBe(0n);
});

test.each([
  ["server-htlc-send", {}],
  ["server-htlc-receive", { htlcExpiryDelta: 40 }],
] as const)("a VTXO of the wallet under %s is a contract, not money: it is held for good", async (kind, more) => {
  const setup = await setUp();
  const userPubkey = WalletKeys.fromMnemonic(MNEMONIC).vtxoPublicKey(0);
  const policy = { kind, userPubkey, paymentHash: new Uint8Array(32).fill(1), htlcExpiryHeight: 900, ...more };
  const htlc = await makeVtxo(setup, 7_000n, { policy });
  setup.simulator.deliver(setup.address, [htlc]);
  await setup.wallet.sync();
  expect(only(setup.wallet.quarantine())).toMatchObject({ id: htlc.id, code: "NOT_PUBKEY_POLICY", permanent: true });
  expect(setup.wallet.balance().totalSats).toBe(0n);
});

test("a VTXO that is about to expire is held as NEAR_EXPIRY; one block more and it is money", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const limit = simulator.chain.tip + simulator.arkInfo.vtxoExitDelta;
  const late = await makeVtxo(setup, 7_000n, { expiryHeight: limit });
  const good = await makeVtxo(setup, 500n, { expiryHeight: limit + 1 });
  simulator.deliver(address, [late, good]);
  await wallet.sync();
  expect(only(wallet.quarantine())).toMatchObject({ id: late.id, code: "NEAR_EXPIRY", permanent: false });
  expect(wallet.vtxos().map(({ id }) => id)).toEqual([good.id]);
});

test("a VTXO of another server is held as WRONG_SERVER_KEY", async () => {
  const { simulator, wallet, address } = await setUp();
  const other = await simulate({ seed: "another server" });
  const vtxo = only(await other.createPackage(addressOf(other, MNEMONIC, 0), { amountsSats: [7_000n] }));
  const anchor = other.chain.transaction(vtxo.anchorTxid);
  simulator.chain.add(anchor?.bytes ?? new Uint8Array(), 100);
  simulator.deliver(address, [vtxo]);
  await wallet.sync();
  expect(only(wallet.quarantine())).toMatchObject({ id: vtxo.id, code: "WRONG_SERVER_KEY" });
});

test("a VTXO that the server calls spent is held, without a movement, and can be exited all the same (mailbox.md W-14)", async () => {
  const { simulator, wallet, address } = await setUp();
  const payment = await simulator.pay(address, { amountsSats: [7_000n, 800n] });
  const [spent, good] = payment.vtxos as [Vtxo, Vtxo];
  simulator.setSpendState(spent.id, "spent");
  await wallet.sync();
  expect(only(wallet.quarantine())).toMatchObject({ id: spent.id, code: "SERVER_SAYS_SPENT", permanent: false });
  expect(only(wallet.movements())).toMatchObject({ effectiveBalanceSats: 800n, outputVtxos: [good.id] });
  const hidden = await wallet.exitTransactions(spent.id);
  expect(hidden.length).toBeGreaterThan(0);
  simulator.setSpendState(spent.id, "spendable");
  await wallet.sync();
  expect(wallet.vtxos().map(({ id }) => id)).toContain(spent.id);
  expect(await wallet.exitTransactions(spent.id)).toEqual(hidden);
  await expect(wallet.exitTransactions("ab")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test.each(["unclaimed", "htlc-recv-unclaimed", "ln-spent"] as const)(
  "a VTXO of which the server says %s is not credited",
  async (state) => {
    const { simulator, wallet, address } = await setUp();
    const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n] });
    simulator.setSpendState(only(vtxos).id, state);
    await wallet.sync();
    expect(wallet.balance().totalSats).toBe(0n);
    expect(only(wallet.quarantine()).code).toMatch(/^SERVER_SAYS_/);
  },
);

test("a VTXO that the server does not know is held, and credited when it does (mailbox.md W-14)", async () => {
  const { simulator, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n] });
  simulator.setSpendState(only(vtxos).id, "spent");
  await wallet.sync();
  simulator.setSpendState(only(vtxos).id, "spendable");
  await wallet.sync();
  expect(wallet.quarantine()).toEqual([]);
  expect(wallet.balance().spendableSats).toBe(7_000n);
  expect(wallet.status().counters).toMatchObject({ quarantined: 1, released: 1 });
});

test("an unregistered VTXO is credited at once, and spendable when its registration succeeded", async () => {
  const { simulator, wallet, address } = await setUp();
  simulator.faults.failNext("RegisterVtxoTransactions", undefined, Number.POSITIVE_INFINITY);
  await simulator.pay(address, { amountsSats: [7_000n], register: false });
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 7_000n, spendableSats: 0n, awaitingRegistrationSats: 7_000n });
  expect(wallet.status().openCommands).toBe(1);
  simulator.faults.clear();
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ spendableSats: 7_000n, awaitingRegistrationSats: 0n });
  expect(wallet.status().openCommands).toBe(0);
});

test("a VTXO under an unconfirmed anchor is pending, and released on a new tip with a movement of its own (mailbox.md W-15)", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const [good, pending] = [await makeVtxo(setup, 500n), await makeVtxo(setup, 7_000n, { unconfirmedAnchor: true })];
  const checkpoint = simulator.deliver(address, [good, pending]);
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 500n, unconfirmedSats: 7_000n });
  expect(only(wallet.quarantine())).toMatchObject({ id: pending.id, code: "ANCHOR_UNCONFIRMED" });

  await goLive(wallet);
  const released = nextEvent(wallet, "payment.received");
  simulator.mine();
  expect(await released).toMatchObject({ fromQuarantine: true, vtxos: [pending.id], amountSats: 7_000n });
  expect(wallet.movements().map(({ id }) => id)).toEqual([
    `arkoor_receive.${checkpoint}`,
    `arkoor_receive.${checkpoint}.${pending.id}`,
  ]);
  await eventually(() => wallet.status().openCommands === 0, "registration and backup of the released VTXO");
  expect(simulator.recoveryIds()).toContain(pending.id);
  expectBooksToBalance(wallet.status());
});

test("with three confirmations asked for, a VTXO is pending until its anchor has them (mailbox.md W-41)", async () => {
  const simulator = await simulate();
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), confirmations: 3 });
  await wallet.sync();
  await simulator.pay(await wallet.address(), { amountsSats: [7_000n], unconfirmedAnchor: true });
  for (const held of [true, true, true, false]) {
    await wallet.sync();
    expect(wallet.balance().unconfirmedSats).toBe(held ? 7_000n : 0n);
    simulator.mine();
  }
  expect(wallet.balance().totalSats).toBe(7_000n);
});

test("a VTXO under a spent anchor is held as ANCHOR_SPENT", async () => {
  const setup = await setUp();
  const vtxo = await makeVtxo(setup, 7_000n);
  spendAnchor(setup.simulator, vtxo);
  setup.simulator.deliver(setup.address, [vtxo]);
  await setup.wallet.sync();
  expect(only(setup.wallet.quarantine())).toMatchObject({ id: vtxo.id, code: "ANCHOR_SPENT", permanent: false });
});

test("a VTXO whose anchor the chain does not know is held, and released once it is found (mailbox.md W-1)", async () => {
  const { simulator, wallet, address } = await setUp();
  const payment = await simulator.pay(address, { amountsSats: [7_000n] });
  const { id, anchorTxid } = only(payment.vtxos);
  simulator.chain.hide(anchorTxid);
  expect(await wallet.sync()).toMatchObject({ halted: null, checkpoint: payment.checkpoint });
  expect(only(wallet.quarantine())).toMatchObject({ id, code: "ANCHOR_NOT_FOUND", permanent: false });

  simulator.chain.show(anchorTxid);
  await wallet.sync();
  expect(wallet.quarantine()).toEqual([]);
  expect(only(wallet.movements())).toMatchObject({
    id: `arkoor_receive.${payment.checkpoint}.${id}`,
    effectiveBalanceSats: 7_000n,
  });
});

test("a held VTXO that comes again in a good package is credited once", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const vtxo = await makeVtxo(setup, 7_000n, { unconfirmedAnchor: true });
  simulator.deliver(address, [vtxo]);
  await wallet.sync();
  simulator.mine();
  simulator.deliver(address, [vtxo]);
  await wallet.sync();
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ totalSats: 7_000n, unconfirmedSats: 0n });
  expect(wallet.quarantine()).toEqual([]);
  expectBooksToBalance(wallet.status());
});

test("a broken copy is let go at the next look once a good one was credited, long before its time", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const { bytes } = await makeVtxo(setup, 9_000n, { register: false });
  simulator.deliver(address, [corruptVtxo(bytes, "missing-signature")]);
  await wallet.sync();
  expect(wallet.quarantine()).toHaveLength(1);
  wallet.start();
  await eventually(() => wallet.status().connection === "Live", "a connection");
  // The look with which a start begins is over by then.
  await setTimeout(200);
  simulator.deliver(address, [bytes]);
  await eventually(() => wallet.quarantine().length === 0, "an empty quarantine");
  expect(wallet.balance().totalSats).toBe(9_000n);
});

test("a VTXO too small to exit carries the flag dust", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [200n], changeSats: 10_000n });
  await wallet.sync();
  expect(only(wallet.vtxos())).toMatchObject({ amountSats: 200n, flags: expect.arrayContaining(["dust"]) });
});

test("a VTXO deeper than the server cosigns from is held unverified as TOO_DEEP", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [7_000n], depth: 7 });
  simulator.faults.arkInfo = { maxVtxoExitDepth: 3 };
  await wallet.sync();
  expect(only(wallet.quarantine())).toMatchObject({ code: "TOO_DEEP", permanent: false });
});

test("bytes too large to look at do not hide the server's good copy of the VTXO that they name (mailbox.md W-5)", async () => {
  const setup = await setUp();
  const { id, bytes } = await makeVtxo(setup, 9_000n);
  setup.simulator.deliver(setup.address, [concatBytes(new Uint8Array(130 * 1024), bytes.slice(-36))]);
  await setup.wallet.sync();
  expect(await setup.wallet.vtxoBytes(id)).toEqual(bytes);
  expect(setup.wallet.quarantine()).toEqual([]);
});

test("what a sync credits is registered and backed up once", async () => {
  const { simulator, wallet, address } = await setUp();
  for (let count = 1; count <= 3; count++) await simulator.pay(address, { amountsSats: [1_000n] });
  await wallet.sync();
  expect(simulator.calls("RegisterVtxoTransactions")).toBe(3);
  expect(simulator.calls("PostRecoveryVtxoIds")).toBe(3);
  expect(wallet.status().openCommands).toBe(0);
});

test("each new VTXO is registered and backed up once", async () => {
  const { simulator, wallet, address } = await setUp();
  await goLive(wallet);
  const before = { register: simulator.calls("RegisterVtxoTransactions"), post: simulator.calls("PostRecoveryVtxoIds") };
  for (let count = 1; count <= 3; count++) {
    const received = nextEvent(wallet, "payment.received");
    await simulator.pay(address, { amountsSats: [1_000n, 2_000n] });
    await received;
  }
  await eventually(() => wallet.status().openCommands === 0, "every command ends");
  expect(simulator.calls("RegisterVtxoTransactions") - before.register).toBe(3);
  expect(simulator.calls("PostRecoveryVtxoIds") - before.post).toBe(3);
  expect(simulator.recoveryIds().toSorted()).toEqual(
    wallet
      .vtxos()
      .map(({ id }) => id)
      .toSorted(),
  );
});

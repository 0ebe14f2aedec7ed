import { expect, onTestFinished, test } from "vitest";
import { decodeAuthorization } from "../../ark/authorization.ts";
import { exitTransactions } from "../../ark/exit.ts";
import { encodeHex } from "../../ark/hex.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { encodeTransaction } from "../../ark/transaction.ts";
import { decodeVtxo } from "../../ark/vtxo.ts";
import { Heartwood, type OpenOptions, type Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { addressOf, codeOfRefusal, eventually, expectBooksToBalance, MNEMONIC, OTHER_MNEMONIC, openWallet } from "./helpers.ts";

import { backUp, elsewhere, idsOf, keys, restored, sendToSelf, world } from "./restoring.ts";

test("a wallet restored from its seed alone has the VTXOs and the balance that it had before", async () => {
  const { simulator, options } = await world();
  const before = await openWallet(await options());
  await before.sync();
  const address = await before.address();
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n] });
  await simulator.pay(await before.address({ fresh: true }), { amountsSats: [4_000n], unconfirmedAnchor: true });
  const { vtxos } = await simulator.pay(address, { amountsSats: [8_000n] });
  await before.sync();
  // Spent since, and a payment that the lost wallet never consumed although later ids were backed up (mailbox.md W-8).
  simulator.setSpendState(vtxos[0]?.id ?? "", "spent");
  await before.close();
  await simulator.pay(address, { amountsSats: [16_000n] });
  const change = await elsewhere(simulator, 32_000n);
  await backUp(simulator, change);

  const after = await restored(await options());
  expect(after.balance()).toMatchObject({ totalSats: 51_000n, spendableSats: 51_000n, unconfirmedSats: 4_000n });
  expect(idsOf(after)).toContain(change);
  expect(after.status().restore).toEqual({
    state: "restored",
    isComplete: true,
    report: {
      ids: 4,
      credited: 3,
      spent: 1,
      superseded: 0,
      held: 0,
      unresolved: 0,
      unresolvedIds: [],
      unanswered: 0,
      malformed: 0,
    },
  });
  expect(after.movements().map(({ subsystem }) => subsystem.name)).toEqual([
    ...Array(3).fill("heartwood.restore"),
    "bark.arkoor",
  ]);
  expectBooksToBalance(after.status());
  const checkpoint = after.checkpoint();
  expect(await after.sync()).toMatchObject({ applied: 0, messages: 0, checkpoint });
  await after.close();
});

test("a VTXO from whose tree somebody else has exited meanwhile is restored as well", async () => {
  const { simulator, options } = await world();
  const before = await openWallet(await options());
  await before.sync();
  const { vtxos } = await simulator.pay(await before.address(), { amountsSats: [7_000n, 2_000n], perCoin: 2 });
  await before.sync();
  await before.close();
  const [exited, kept] = vtxos;
  for (const transaction of exitTransactions(decodeVtxo(exited?.bytes ?? new Uint8Array()))) {
    simulator.chain.add(encodeTransaction(transaction), simulator.mine());
  }
  const after = await restored(await options());
  expect(idsOf(after)).toEqual([kept?.id]);
  expect(after.quarantine()).toMatchObject([{ id: exited?.id, code: "ANCHOR_SPENT" }]);
  expect(after.balance()).toMatchObject({ totalSats: 2_000n, spendableSats: 2_000n });
  await after.close();
});

test("a seed that had nothing is restored with nothing, and that is a success (mailbox.md M-7, W-9)", async () => {
  const { options } = await world();
  const open = await options();
  const lives: bigint[] = [];
  const transport: Transport = async (given) => {
    const session = await defaultPorts.transport(given);
    const readMailbox = session.readMailbox.bind(session);
    session.readMailbox = (read, call) => {
      const { mailboxId, expiresAt } = decodeAuthorization(read.authorization);
      if (encodeHex(mailboxId) === recovery) lives.push(expiresAt - BigInt(Math.floor(Date.now() / 1_000)));
      return readMailbox(read, call);
    };
    return session;
  };
  const recovery = encodeHex(WalletKeys.fromMnemonic(OTHER_MNEMONIC).recoveryMailboxId);
  const wallet = await restored({ ...open, mnemonic: () => OTHER_MNEMONIC, ports: { ...open.ports, transport } } as OpenOptions);
  expect(lives).toEqual([60n]);
  expect(wallet.status()).toMatchObject({ restore: { isComplete: true, report: { ids: 0 } }, checkpoint: 0n });
  await wallet.close();
});

test("no VTXO is restored together with one that was made of it, whatever the server says (mailbox.md W-47)", async () => {
  const { simulator, options } = await world();
  const first = await elsewhere(simulator, 5_000n);
  const second = await sendToSelf(simulator, first);
  await backUp(simulator, first, second);
  await simulator.post(addressOf(simulator, MNEMONIC, 0), [simulator.vtxo(first)?.bytes ?? new Uint8Array()]);
  simulator.setSpendState(first, "spendable");
  const wallet = await restored(await options());
  expect(idsOf(wallet)).toEqual([second]);
  expect(wallet.status().restore?.report).toMatchObject({ ids: 2, credited: 1, superseded: 1 });
  // The mailbox has it too: nothing new.
  expect(wallet.movements()).toHaveLength(1);
  await wallet.close();
});

test("contracts and expired VTXOs are no money; one that is about to expire is, and says so (mailbox.md W-48)", async () => {
  const { simulator, options } = await world();
  const { tip } = simulator.chain;
  const userPubkey = keys.vtxoPublicKey(0);
  const htlc = {
    kind: "server-htlc-receive-v1",
    userPubkey,
    paymentHash: new Uint8Array(32).fill(5),
    htlcExpiryHeight: tip + 100,
    htlcExpiryDelta: 40,
  } as const;
  const contract = await elsewhere(simulator, 1_000n, { policy: htlc });
  const expired = await elsewhere(simulator, 2_000n, { expiryHeight: tip });
  const expiring = await elsewhere(simulator, 4_000n, { expiryHeight: tip + 3 });
  await backUp(simulator, contract, expired, expiring);
  const wallet = await restored(await options());
  expect(wallet.vtxos()).toMatchObject([{ id: expiring, flags: expect.arrayContaining(["nearExpiry"]) }]);
  const held = wallet.quarantine().map(({ id, code }) => [id, code]);
  expect(held.toSorted()).toEqual(
    [
      [contract, "NOT_PUBKEY_POLICY"],
      [expired, "NEAR_EXPIRY"],
    ].toSorted(),
  );
  expect(wallet.status().restore).toMatchObject({
    state: "restored",
    isComplete: true,
    report: { credited: 1, held: 2, unresolved: 0 },
  });
  await wallet.close();
});

test("what the mailbox held before the server gave its copy is restored all the same (mailbox.md W-48)", async () => {
  const { simulator, options } = await world();
  const expiring = await elsewhere(simulator, 4_000n, { expiryHeight: simulator.chain.tip + 3 });
  await backUp(simulator, expiring);
  await simulator.post(addressOf(simulator, MNEMONIC, 0), [simulator.vtxo(expiring)?.bytes ?? new Uint8Array()]);
  simulator.faults.failNext("GetVtxo", undefined, 3);
  const wallet = await restored(await options());
  expect(wallet.quarantine()).toMatchObject([{ id: expiring, code: "NEAR_EXPIRY" }]);
  await wallet.sync();
  expect(wallet.vtxos()).toMatchObject([{ id: expiring, flags: expect.arrayContaining(["nearExpiry"]) }]);
  expect(wallet.status()).toMatchObject({ quarantine: [], restore: { isComplete: true, report: { credited: 1, held: 0 } } });
  expectBooksToBalance(wallet.status());
  await wallet.close();
});

test("a server that gives another VTXO than the one asked for hides none: the id is asked for again (mailbox.md W-49)", async () => {
  const { simulator, options } = await world();
  const [first, second] = [await elsewhere(simulator, 1_000n), await elsewhere(simulator, 2_000n)];
  await backUp(simulator, first, second);
  let isFaulty = true;
  const open = await options();
  const transport: Transport = async (given) => {
    const session = await defaultPorts.transport(given);
    const getVtxo = session.getVtxo.bind(session);
    session.getVtxo = (id, call) => getVtxo(isFaulty ? first : id, call);
    return session;
  };
  const wallet = await restored({ ...open, ports: { ...open.ports, transport } });
  expect(idsOf(wallet)).toEqual([first]);
  expect(wallet.status().restore).toMatchObject({
    state: "restoring",
    isComplete: false,
    report: { unresolved: 1, unanswered: 1, unresolvedIds: [{ id: second, code: "SERVER_GAVE_ANOTHER_VTXO" }] },
  });
  isFaulty = false;
  await wallet.sync();
  expect(wallet.status()).toMatchObject({ balance: { totalSats: 3_000n }, restore: { state: "restored", isComplete: true } });
  await wallet.close();
});

test("what spends, and an invoice, is refused until the restore is over", async () => {
  const { simulator, options } = await world();
  await backUp(simulator, await elsewhere(simulator, 1_000n));
  simulator.faults.failNext("GetVtxo", undefined, 1_000);
  const wallet = await restored(await options());
  const address = await wallet.address();
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 500n });
  const refusals = () =>
    Promise.all(
      [wallet.send(address, 1n), wallet.quote(bolt11), wallet.pay(bolt11), wallet.invoice({ amountSats: 5_000n })].map(
        codeOfRefusal,
      ),
    );
  expect(wallet.status().restore?.state).toBe("restoring");
  expect(await refusals()).toEqual(Array(4).fill("WALLET_RESTORING"));
  simulator.faults.clear();
  await wallet.sync();
  expect(wallet.balance().spendableSats).toBe(1_000n);
  expect(await refusals()).toEqual(Array(4).fill("NOT_CONNECTED"));
  await wallet.close();
});

test("a restore that its owner ends while its server takes its time lets the mailbox be read at once", async () => {
  const { simulator, options } = await world();
  await backUp(simulator, await elsewhere(simulator, 1_000n));
  simulator.faults.failNext("GetVtxo", undefined, 1_000);
  const wallet = await restored(await options());
  onTestFinished(() => wallet.close());
  simulator.faults.clear();
  simulator.faults.delay("GetVtxo", 60_000);
  const calls = simulator.calls("GetVtxo");
  await simulator.pay(addressOf(simulator, MNEMONIC, 0), { amountsSats: [2_000n] });
  wallet.start();
  await eventually(() => simulator.calls("GetVtxo") > calls, "the scan");
  await wallet.endRestore();
  await eventually(() => wallet.balance().totalSats === 2_000n, "the mailbox");
  expect(wallet.status().restore).toMatchObject({ state: "restored", isComplete: false });
});

test("an owner ends a restore that gets no answer: the wallet pays, and says what is missing", async () => {
  const { simulator, options } = await world();
  const [missing, kept] = [await elsewhere(simulator, 1_000n), await elsewhere(simulator, 2_000n)];
  await backUp(simulator, missing);
  const open = await options();
  simulator.faults.failNext("GetVtxo", undefined, 1_000);
  const wallet = await restored(open);
  await wallet.endRestore();
  await wallet.endRestore();
  expect(wallet.status().restore).toMatchObject({
    state: "restored",
    isComplete: false,
    report: { unresolved: 1, unanswered: 0, unresolvedIds: [{ id: missing }] },
  });
  simulator.faults.clear();
  await simulator.post(addressOf(simulator, MNEMONIC, 0), [simulator.vtxo(kept)?.bytes ?? new Uint8Array()]);
  await wallet.sync();
  await wallet.close();
  await using again = await openWallet(open);
  expect(again.status()).toMatchObject({ balance: { spendableSats: 2_000n }, restore: { state: "restored", isComplete: false } });
  expect(await codeOfRefusal(again.send(await again.address(), 1n))).toBe("NOT_CONNECTED");
  await again.importVtxo(simulator.vtxo(missing)?.bytes ?? new Uint8Array());
  await again.sync();
  expect(again.balance().spendableSats).toBe(3_000n);
});

test("an id that the server does not know any more is named, and a restore ends without it", async () => {
  const { simulator, options } = await world();
  const [lost, kept] = [await elsewhere(simulator, 1_000n), await elsewhere(simulator, 2_000n)];
  await backUp(simulator, lost, kept);
  simulator.forgetVtxo(lost);
  const wallet = await restored(await options());
  expect(wallet.status()).toMatchObject({
    balance: { totalSats: 2_000n },
    restore: { state: "restored", isComplete: false, report: { unresolvedIds: [{ id: lost, code: "SERVER_NOT_FOUND" }] } },
  });
  await wallet.close();
});

test("a seed is not restored over another wallet, and again over its own restore without harm", async () => {
  const { simulator, options } = await world();
  await backUp(simulator, await elsewhere(simulator, 1_000n));
  const own = await options();
  const other = await openWallet(own);
  await other.close();
  expect(await codeOfRefusal(Heartwood.restore(own))).toBe("WALLET_EXISTS");
  const open = await options();
  await (await restored(open)).close();
  const again = await restored(open);
  expect(again.balance().totalSats).toBe(1_000n);
  await again.close();
});

import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import type { Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { movementIdOf } from "../../machines/books.ts";
import { StreamError } from "../../streams/errors.ts";
import {
  addressOf,
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  fastOptions,
  freshDirectory,
  goLive,
  nextEvent,
  OTHER_MNEMONIC,
  openWallet,
  setUp,
  simulate,
} from "./helpers.ts";

test.each(["an Ark address", "an invoice"])(
  "a payment of %s out of an input that the server does not know ends; what it knows pays the next one",
  async (payee) => {
    const { simulator, wallet, address } = await setUp();
    const { vtxos } = await simulator.pay(address, { amountsSats: [5_000n, 5_000n] });
    await wallet.sync();
    await goLive(wallet);
    const begin = () =>
      payee === "an invoice"
        ? wallet.pay(simulator.lightning.invoice({ amountSats: 2_000n }).bolt11)
        : wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 2_000n);
    const [forgotten = ""] = vtxos.map(({ id }) => id);
    simulator.forgetVtxo(forgotten);
    const payments = [await begin(), await begin()];
    const ends = await Promise.allSettled(payments.map((payment) => payment.settled()));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(ends.find(({ status }) => status === "rejected")).toMatchObject({ reason: { cause: { code: "SERVER_NOT_FOUND" } } });
    // It is no money, and not gone either: it is asked about again, and comes back when the server knows it.
    await eventually(() => wallet.quarantine().length > 0, "the input in quarantine");
    expect(wallet.quarantine()).toMatchObject([{ id: forgotten, code: "SERVER_DOES_NOT_KNOW", permanent: false }]);
    const { spendableSats, totalSats, lockedSats, exitingSats } = wallet.balance();
    expect([spendableSats, lockedSats, exitingSats]).toEqual([totalSats, 0n, 0n]);
    expect(totalSats).toBeLessThanOrEqual(3_000n);
    expectBooksToBalance(wallet.status());
  },
);

test("a package that is signed while the preimage comes out is not paid with: nothing reaches the server, an exit is required", async () => {
  const simulator = await simulate();
  const { bolt11, paymentHash, preimage } = simulator.lightning.invoice({ amountSats: 2_000n });
  let isNoticed = (): boolean => true;
  const transport: Transport = async (given) => {
    const session = await defaultPorts.transport(given);
    const { cosign } = session.lightningSend;
    session.lightningSend.cosign = async (parts, call) => {
      const answer = await cosign.call(session.lightningSend, parts, call);
      const value = { paymentHash: decodeHex(paymentHash), preimage: preimage ?? undefined };
      simulator.deliverMessage(await wallet.address(), { $case: "lightningSendFinished", value });
      await eventually(() => isNoticed(), "the evidence");
      return answer;
    };
    return session;
  };
  const options = fastOptions(simulator, await freshDirectory());
  const wallet = await openWallet({ ...options, ports: { ...options.ports, transport } });
  await wallet.sync();
  await simulator.pay(await wallet.address(), { amountsSats: [5_000n] });
  await wallet.sync();
  await goLive(wallet);
  const { messages } = wallet.status().counters;
  isNoticed = () => wallet.status().counters.messages > messages && wallet.status().openNotices === 0;
  const required = nextEvent(wallet, "exit.required");
  const payment = await wallet.pay(bolt11);
  await expect(payment.settled()).rejects.toMatchObject({ cause: { code: "INVOICE_PAID" } });
  const { vtxos, byHeight } = await required;
  expect(byHeight).toBeGreaterThan(0);
  expect((await wallet.exitTransactions(vtxos[0] ?? "")).length).toBeGreaterThan(0);
  expect(simulator.calls("InitiateLightningPayment")).toBe(0);
  expect(simulator.calls("RequestArkoorCosign")).toBe(0);
  expect(wallet.balance()).toMatchObject({ totalSats: 5_000n, exitingSats: 5_000n, spendableSats: 0n, pendingOutSats: 0n });
  // Whoever paid it: it is not paid again.
  expect(await codeOfRefusal(wallet.pay(bolt11))).toBe("INVOICE_PAID");
  expect(wallet.movements().find(({ id }) => id === movementIdOf(payment.id))?.metadata.payment_preimage).toMatch(
    /^[0-9a-f]{64}$/,
  );
  expectBooksToBalance(wallet.status());
});

test.each(["the text of a refusal", "the status of the payment"])(
  "an invoice whose preimage stands in %s is not paid again, though no HTLC was made",
  async (place) => {
    const simulator = await simulate();
    const { bolt11, paymentHash, preimage } = simulator.lightning.invoice({ amountSats: 2_000n });
    if (preimage === null) throw new Error("expected the preimage of an invoice, got none");
    const isInText = place === "the text of a refusal";
    const text = isInText ? `invoice has already been paid, preimage: ${encodeHex(preimage)}` : "refused";
    let isCarriedOut = isInText;
    const transport: Transport = async (given) => {
      const session = await defaultPorts.transport(given);
      const { lightningSend } = session;
      const { cosign } = lightningSend;
      lightningSend.cosign = async (parts, call) => {
        if (isCarriedOut) throw new StreamError("SERVER_REJECTED", text);
        isCarriedOut = true;
        await cosign.call(lightningSend, parts, call);
        throw new StreamError("DEADLINE", "the answer is lost");
      };
      if (!isInText) lightningSend.check = async () => ({ state: "succeeded", preimage });
      return session;
    };
    const options = fastOptions(simulator, await freshDirectory());
    const wallet = await openWallet({ ...options, ports: { ...options.ports, transport } });
    await wallet.sync();
    await simulator.pay(await wallet.address(), { amountsSats: [5_000n, 6_000n] });
    await wallet.sync();
    await goLive(wallet);
    const payment = await wallet.pay(bolt11);
    await expect(payment.settled()).rejects.toMatchObject({ cause: { code: "SERVER_REJECTED" } });
    const { status, metadata } = wallet.movements().find(({ id }) => id === movementIdOf(payment.id)) ?? {};
    expect([status, metadata]).toEqual(["failed", expect.objectContaining({ payment_preimage: encodeHex(preimage) })]);
    expect(await codeOfRefusal(wallet.pay(bolt11))).toBe("INVOICE_PAID");
    expect(simulator.lightning.payments(paymentHash)).toEqual([]);
    expect(wallet.balance()).toMatchObject({ totalSats: 11_000n, exitingSats: isInText ? 0n : 5_000n, lockedSats: 0n });
    expectBooksToBalance(wallet.status());
  },
);

test("ids of change are backed up until the server takes them, also after a restart", async () => {
  const { simulator, wallet, options, address } = await setUp();
  await simulator.pay(address, { amountsSats: [5_000n] });
  await wallet.sync();
  await goLive(wallet);
  simulator.faults.failNext("PostRecoveryVtxoIds", Status.INVALID_ARGUMENT, 10_000);
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 2_000n });
  await (await wallet.pay(bolt11)).settled();
  await (await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 500n)).settled();
  const ids = wallet.vtxos().map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(0);
  expect(simulator.recoveryIds()).not.toEqual(expect.arrayContaining(ids));
  expect(wallet.status()).toMatchObject({ openCommands: 2, backup: null });
  await wallet.close();
  simulator.faults.clear();
  const again = await openWallet(options);
  await again.sync();
  expect(again.status()).toMatchObject({ openCommands: 0, backup: null });
  expect(simulator.recoveryIds()).toEqual(expect.arrayContaining(ids));
});

test("an input that another copy of the wallet spent is in no payment again: an exit is required, and the next one is paid with", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [5_000n, 7_000n] });
  await wallet.sync();
  const copy = await openWallet(fastOptions(simulator, await freshDirectory()));
  await copy.sync();
  await Promise.all([goLive(wallet), goLive(copy)]);
  const payee = addressOf(simulator, OTHER_MNEMONIC, 0);
  await (await wallet.send(payee, 2_000n)).settled();
  const spent = copy.vtxos().filter(({ id }) => wallet.vtxos().every((left) => left.id !== id));
  const required = nextEvent(copy, "exit.required");
  const refused = await copy.send(payee, 1_500n);
  expect(await codeOfRefusal(refused.settled())).toBe("PAYMENT_FAILED");
  expect((await required).vtxos).toEqual(spent.map(({ id }) => id));
  await (await copy.send(payee, 1_500n)).settled();
  expectBooksToBalance(copy.status());
});

test.each(["an Ark address", "an invoice"])(
  "a payment of %s whose input another copy spent in a package of the same amounts ends, and an exit is required",
  async (payee) => {
    const { simulator, wallet, address } = await setUp();
    await simulator.pay(address, { amountsSats: [5_000n] });
    await wallet.sync();
    const copy = await openWallet(fastOptions(simulator, await freshDirectory()));
    await copy.sync();
    await Promise.all([goLive(wallet), goLive(copy)]);
    const pay = (from: typeof wallet, to: number) =>
      payee === "an invoice"
        ? from.pay(simulator.lightning.invoice({ amountSats: 2_000n }).bolt11)
        : from.send(addressOf(simulator, OTHER_MNEMONIC, to), 2_000n);
    const [spent] = copy.vtxos().map(({ id }) => id);
    await (await pay(wallet, 0)).settled();
    const required = nextEvent(copy, "exit.required");
    const late = await pay(copy, 1);
    // The checkpoint transaction is the same: no refusal, but an answer that stays (arkoor.md §10.2).
    await expect(late.settled()).rejects.toMatchObject({ cause: { code: "SERVER_FAILED" } });
    expect((await required).vtxos).toEqual([spent]);
    expect(copy.balance()).toMatchObject({ exitingSats: 5_000n, spendableSats: 0n, lockedSats: 0n, pendingOutSats: 0n });
    expectBooksToBalance(copy.status());
  },
);

test("a server that answers INTERNAL again and again while the inputs are unspent ends no payment", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [5_000n] });
  await wallet.sync();
  await goLive(wallet);
  simulator.faults.failNext("RequestArkoorCosign", Status.INTERNAL, 8);
  await (await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 2_000n)).settled();
  expect(simulator.calls("RequestArkoorCosign")).toBeGreaterThan(8);
});

test("a payment whose wallet comes back near its expiry is given back, and not begun", async () => {
  const { simulator, wallet, options, address } = await setUp();
  await simulator.pay(address, { amountsSats: [10_000n] });
  await wallet.sync();
  await goLive(wallet);
  simulator.faults.failNext("InitiateLightningPayment", Status.UNAVAILABLE, 10_000);
  const held = nextEvent(wallet, "payment.changed", ({ state }) => state === "HtlcReceived");
  const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  await held;
  await wallet.close();
  simulator.faults.clear();
  simulator.mine(250);
  const calls = simulator.calls("InitiateLightningPayment");
  const again = await openWallet(options);
  await goLive(again);
  await expect(again.payment(payment.id).settled()).rejects.toMatchObject({ cause: { code: "NEAR_EXPIRY" } });
  expect(simulator.calls("InitiateLightningPayment")).toBe(calls);
  expect(again.balance()).toMatchObject({ spendableSats: 10_000n, pendingOutSats: 0n });
});

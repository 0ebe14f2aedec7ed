import { Status } from "nice-grpc-common";
import { expect, onTestFinished, test } from "vitest";
import { sha256 } from "../../ark/crypto.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import type { Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { sumOf } from "../../machines/books.ts";
import { eventually, expectBooksToBalance, fastOptions, freshDirectory, goLive, nextEvent, setUp } from "./helpers.ts";
import { funded, losingCosign } from "./payments/funded.ts";
import { keys, restored } from "./restoring.ts";

test("HTLCs of an open payment are backed up; a restore locks them, credits the change, and later what was given back", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.lightning.setOutcome("never");
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  const vtxos = wallet.vtxos();
  await eventually(() => vtxos.every(({ id }) => simulator.recoveryIds().includes(id)), "the backup of HTLCs and change");
  const htlcs = vtxos.filter(({ policy }) => policy !== "pubkey");
  expect(htlcs.length).toBeGreaterThan(0);
  const { totalSats } = wallet.balance();
  const open = await restored(fastOptions(simulator, await freshDirectory()));
  expect(open.quarantine()).toEqual([]);
  expect(open.balance()).toMatchObject({ totalSats, pendingOutSats: sumOf(htlcs) });
  expect(open.status().restore).toMatchObject({ state: "restored", isComplete: true });
  expect(open.movements().reduce((sum, { effectiveBalanceSats }) => sum + effectiveBalanceSats, 0n)).toBe(totalSats);
  await open.close();
  simulator.lightning.finish(paymentHash, "failure");
  await payment.settled().catch(() => {});
  await eventually(() => wallet.status().openCommands === 0, "the backup of what was given back");
  await expectEnd(payment, "failed");
  const over = await restored(fastOptions(simulator, await freshDirectory()));
  expect(over.balance()).toMatchObject({ totalSats: 10_000n, spendableSats: 10_000n });
  expect(over.status().restore).toMatchObject({ state: "restored", isComplete: true });
  expectBooksToBalance(over.status());
  await over.close();
});

/** A funded wallet whose directory is lost while a payment of 4,000 sat is open. */
async function lostWhilePaying() {
  const { simulator, wallet, clock } = await funded();
  simulator.lightning.setOutcome("never");
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  await eventually(() => wallet.vtxos().every(({ id }) => simulator.recoveryIds().includes(id)), "the backup");
  const { totalSats } = wallet.balance();
  await wallet.close();
  const restoredWallet = await restored(fastOptions(simulator, await freshDirectory(), clock));
  onTestFinished(() => restoredWallet.close());
  const [payment] = restoredWallet.payments();
  if (payment === undefined) throw new Error("expected the payment that was open, got none");
  return { simulator, wallet: restoredWallet, payment, paymentHash, bolt11, totalSats };
}

test("after a restore the server is asked about a payment that was open: one that fails is given back whole (mailbox.md W-48)", async () => {
  const { simulator, wallet, payment, paymentHash, bolt11, totalSats } = await lostWhilePaying();
  expect(wallet.balance()).toMatchObject({ totalSats, spendableSats: totalSats });
  expect((await wallet.pay(bolt11)).id).toBe(payment.id); // while it is open the invoice is not paid again
  simulator.lightning.finish(paymentHash, "failure");
  wallet.start();
  await expect(payment.settled()).rejects.toMatchObject({ code: "PAYMENT_FAILED", cause: { code: "RESTORED" } });
  expect(wallet.balance()).toMatchObject({ totalSats: 10_000n, spendableSats: 10_000n, pendingOutSats: 0n });
  expectBooksToBalance(wallet.status());
});

test.each(["whether HTLCs are unspent", "about a payment"])(
  "a restore reads the mailbox although the server takes its time to say %s",
  async (question) => {
    const { simulator, wallet, clock } = await funded();
    simulator.lightning.setOutcome("never");
    const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
    await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
    await eventually(() => wallet.vtxos().every(({ id }) => simulator.recoveryIds().includes(id)), "the backup");
    const htlcs = wallet.vtxos().filter(({ policy }) => policy !== "pubkey");
    await wallet.close();
    const happened: string[] = [];
    let goOn = (): void => {};
    const later = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slowly = async (): Promise<void> => {
      happened.push("asked");
      const timer = setTimeout(goOn, 20_000);
      await later;
      clearTimeout(timer);
      happened.push("answered");
    };
    const asked = new Set<string>();
    const transport: Transport = async (options) => {
      const session = await defaultPorts.transport(options);
      const { getVtxoStatus, readMailbox, lightningSend } = session;
      session.getVtxoStatus = async (id, attestation, call) => {
        // The first time is while the backup is checked.
        const isSlow = question === "whether HTLCs are unspent" && htlcs.some((htlc) => htlc.id === id) && asked.has(id);
        asked.add(id);
        if (isSlow && !happened.includes("answered")) await slowly();
        return getVtxoStatus.call(session, id, attestation, call);
      };
      const check = lightningSend.check.bind(lightningSend);
      lightningSend.check = async (hash, call) => {
        if (question === "about a payment") await slowly();
        return check(hash, call);
      };
      session.readMailbox = async (read, call) => {
        const page = await readMailbox.call(session, read, call);
        if (encodeHex(read.mailboxId) === encodeHex(keys.recoveryMailboxId)) return page;
        happened.push("read");
        goOn();
        return page;
      };
      return session;
    };
    const over = await restored({ ...fastOptions(simulator, await freshDirectory(), clock), ports: { clock, transport } });
    onTestFinished(() => over.close());
    expect(happened).toEqual(expect.arrayContaining(["asked", "read"]));
    expect(happened.indexOf("answered")).toBeGreaterThan(happened.indexOf("read"));
    expect(over.payments().map(({ id }) => id)).toEqual([payment.id]);
    expect(over.status().restore).toMatchObject({ state: "restored", isComplete: true });
  },
);

test("after a restore the server is asked about a payment that was open: one that succeeds shows its proof (mailbox.md W-48)", async () => {
  const { simulator, wallet, payment, paymentHash, bolt11, totalSats } = await lostWhilePaying();
  simulator.lightning.finish(paymentHash, "success");
  wallet.start();
  const { movement } = await payment.settled();
  expect(movement).toMatchObject({ effectiveBalanceSats: 0n, metadata: { payment_hash: paymentHash } });
  expect(encodeHex(sha256(decodeHex(String(movement.metadata.payment_preimage))))).toBe(paymentHash);
  expect(wallet.balance()).toMatchObject({ totalSats, pendingOutSats: 0n });
  expectBooksToBalance(wallet.status());
  await expect(wallet.pay(bolt11)).rejects.toMatchObject({ code: "INVOICE_PAID" });
});

test("HTLCs that were granted are backed up; a restore holds them, and credits later what was claimed", async () => {
  const { simulator, wallet } = await setUp();
  await goLive(wallet);
  simulator.faults.failNext("ClaimLightningReceive", Status.UNAVAILABLE, 1_000);
  const { bolt11, payment } = await wallet.invoice({ amountSats: 10_000n });
  const revealed = nextEvent(wallet, "payment.changed", ({ state }) => state === "PreimageRevealed");
  simulator.lightning.pay(bolt11);
  await revealed;
  const htlcs = wallet.vtxos().map(({ id }) => id);
  expect(htlcs.length).toBeGreaterThan(0);
  await eventually(() => htlcs.every((id) => simulator.recoveryIds().includes(id)), "the backup of the HTLCs");
  const open = await restored(fastOptions(simulator, await freshDirectory()));
  expect(open.quarantine().map(({ id, code }) => [id, code])).toEqual(htlcs.map((id) => [id, "NOT_PUBKEY_POLICY"]));
  expect(open.balance()).toMatchObject({ totalSats: 0n, pendingInSats: 0n });
  expect(open.status().restore).toMatchObject({ state: "restored", isComplete: true });
  await open.close();
  simulator.faults.clear();
  await payment.settled();
  await eventually(() => wallet.status().openCommands === 0, "the backup of what was claimed");
  const over = await restored(fastOptions(simulator, await freshDirectory()));
  expect(over.balance()).toMatchObject({ totalSats: 9_880n, spendableSats: 9_880n });
  expect(over.status().restore).toMatchObject({ state: "restored", isComplete: true });
  expectBooksToBalance(over.status());
  await over.close();
});

test("what a payment leaves that is given back before it was asked for is whole at the server: a restore has all of it", async () => {
  const { simulator, wallet } = await funded([10_000n], { fateOf: losingCosign() });
  const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  await expect(payment.settled()).rejects.toMatchObject({ code: "PAYMENT_FAILED" });
  await eventually(() => wallet.status().openCommands === 0, "the backup");
  const over = await restored(fastOptions(simulator, await freshDirectory()));
  expect(over.quarantine()).toEqual([]);
  expect(over.balance()).toMatchObject({ totalSats: 10_000n, spendableSats: 10_000n });
  await over.close();
});

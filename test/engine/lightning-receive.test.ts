import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import type { ChainSource, Invoice, OpenOptions, Wallet, WalletEvent } from "../../engine/index.ts";
import type { GrantFault, InvoiceFault, Simulator } from "../../simulator/index.ts";
import {
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  FastClock,
  fastChain,
  fastOptions,
  freshDirectory,
  goLive,
  nextEvent,
  OTHER_MNEMONIC,
  openWallet,
  recorded,
  setUp,
  walletOptions,
} from "./helpers.ts";

interface Live {
  readonly simulator: Simulator;
  readonly wallet: Wallet;
  readonly directory: string;
  readonly options: OpenOptions;
}

async function live(): Promise<Live> {
  const setup = await setUp();
  await goLive(setup.wallet);
  return setup;
}

/** The states that a receive went through, each once. */
function statesOf(events: readonly WalletEvent[], { payment }: Invoice): string[] {
  const states = events.flatMap((event) => ("payment" in event && event.payment === payment.id ? [event.state] : []));
  return states.filter((state, at) => state !== states[at - 1]);
}

/** A chain source that can call each output spent by a transaction of nobody. */
function cuttable(chain: ChainSource): { source: ChainSource; isCut: boolean } {
  const source: ChainSource = {
    tip: (options) => chain.tip(options),
    transaction: (txid, options) => chain.transaction(txid, options),
    blockHash: (height, options) => chain.blockHash(height, options),
    status: (txid, options) => chain.status(txid, options),
    outspend: async (txid, vout, options) =>
      cut.isCut ? { kind: "found", value: { spent: true, txid: "ff".repeat(32) } } : chain.outspend(txid, vout, options),
  };
  const cut = { source, isCut: false };
  return cut;
}

const HAPPY = ["Requesting", "AwaitingPayment", "HtlcsReady", "PreimageRevealed", "Claimed", "Completed"];

test("invoices are paid: found by polling, claimed in spite of failures, cancelled in time only", async () => {
  const { simulator, wallet } = await live();
  const events = recorded(wallet);
  const { lightning } = simulator.faults;
  lightning.dropNotices = true;

  const invoice = await wallet.invoice({ amountSats: 10_000n, description: "tea" });
  expect(invoice).toMatchObject({ amountSats: 10_000n, feeSats: 120n, payment: { status: "pending" } });
  expect(simulator.lightning.pay(invoice.bolt11).status).toBe("held");
  const { movement } = await invoice.payment.settled();
  expect(movement).toMatchObject({
    subsystem: { name: "bark.lightning_receive", kind: "receive" },
    status: "successful",
    intendedBalanceSats: 10_000n,
    effectiveBalanceSats: 9_880n,
    feeSats: 120n,
    receivedOn: [{ destination: invoice.bolt11, amountSats: 10_000n }],
  });
  await eventually(() => statesOf(events, invoice).includes("Completed"), "the backup");
  expect(statesOf(events, invoice)).toEqual(HAPPY);
  // The record that ends it is the one of its backup; that it succeeded stands before that.
  expect(invoice.payment.status).toBe("successful");
  expect(await wallet.payment(invoice.payment.id).settled()).toEqual({ id: invoice.payment.id, movement });
  const told = events.flatMap((event) => ("payment" in event && event.payment === invoice.payment.id ? [event.status] : []));
  expect(told).toEqual(["pending", "pending", "pending", "pending", "successful", "successful"]);
  expect(wallet.balance()).toMatchObject({ spendableSats: 9_880n, totalSats: 9_880n });
  await eventually(() => simulator.lightning.incoming(invoice.bolt11).status === "settled", "the settlement");

  // What was received proves something against floods for the next one; a claim goes on through failures.
  const second = await wallet.invoice({ amountSats: 5_000n });
  simulator.faults.failNext("ClaimLightningReceive", Status.INTERNAL, 2);
  simulator.faults.loseNext("PrepareLightningReceiveClaim", 1);
  simulator.lightning.pay(second.bolt11);
  await second.payment.settled();
  expect(wallet.balance().spendableSats).toBe(9_880n + 4_890n);

  // Waiting for its payment an invoice can be cancelled, afterwards it cannot.
  const third = await wallet.invoice({ amountSats: 5_000n, description: "rum" });
  const { payment, ...made } = third;
  expect(wallet.invoices()).toEqual([{ ...made, payment: payment.id, description: "rum", destination: null }]);
  await wallet.cancelInvoice(third.paymentHash);
  expect(await codeOfRefusal(third.payment.settled())).toBe("PAYMENT_FAILED");
  expect(wallet.invoices()).toEqual([]);
  // It has no movement that says so (lightning.md §11).
  expect([third.payment.status, wallet.payment(third.payment.id).status]).toEqual(["canceled", "canceled"]);
  expect(simulator.lightning.receives().map(({ status }) => status)).toEqual(["settled", "settled", "canceled"]);
  expect(await codeOfRefusal(wallet.cancelInvoice(third.paymentHash))).toBe("NOT_CANCELLABLE");
  expect(await codeOfRefusal(wallet.cancelInvoice("00".repeat(32)))).toBe("NOT_FOUND");

  expectBooksToBalance(wallet.status());
});

test("what was granted before is no grant: the wallet holds what was made of it, and keeps its preimage (W-47)", async () => {
  const { simulator, wallet } = await live();
  const events = recorded(wallet);
  const first = await wallet.invoice({ amountSats: 5_000n });
  simulator.lightning.pay(first.bolt11);
  await first.payment.settled();

  simulator.faults.lightning.grant = "respent";
  const second = await wallet.invoice({ amountSats: 5_000n });
  simulator.lightning.pay(second.bolt11);
  await eventually(() => second.payment.status === "failed", "the refusal of the grant");
  expect(events.findLast((event) => event.type === "payment.changed")).toMatchObject({ state: "Failed", code: "CONFLICTING" });
  expect(simulator.lightning.preimage(second.paymentHash)).toBeNull();
  expectBooksToBalance(wallet.status());
});

test("a notice is enough, and what another address gets is delivered to it", async () => {
  const { simulator, wallet } = await live();
  // On a clock whose next poll comes after the end of this test.
  const directory = await freshDirectory();
  const other = await openWallet({
    ...walletOptions(simulator, directory, OTHER_MNEMONIC),
    ports: { clock: new FastClock(0.05) },
  });
  await goLive(other);
  const forWallet = await other.invoice({ amountSats: 3_000n, destination: await wallet.address() });
  const forItself = await other.invoice({ amountSats: 2_000n, destination: await other.address({ fresh: true }) });
  for (const { bolt11 } of [forWallet, forItself]) simulator.lightning.pay(bolt11);
  const [{ movement }] = await Promise.all([forWallet.payment.settled(), forItself.payment.settled()]);
  expect(movement).toMatchObject({
    status: "successful",
    effectiveBalanceSats: 0n,
    outputVtxos: [],
    sentTo: [{ destination: await wallet.address(), amountSats: 2_894n }],
  });
  await eventually(() => wallet.balance().spendableSats === 2_894n, "what was delivered");
  expect(other.balance()).toMatchObject({ totalSats: 1_896n, spendableSats: 1_896n });
  expectBooksToBalance(wallet.status());
  expectBooksToBalance(other.status());
});

test("an invoice that is not the one asked for is never shown; a grant that is not worth it never gets the preimage", async () => {
  const { simulator, wallet } = await live();
  const { lightning } = simulator.faults;
  const refusals: [InvoiceFault, unknown][] = [];
  for (const fault of ["hash", "amount", "network", "expiry", "cltv-delta"] as const) {
    lightning.invoice = fault;
    const error = await wallet.invoice({ amountSats: 10_000n }).catch((thrown: Error) => thrown);
    refusals.push([fault, (error as { cause?: { code?: string } }).cause?.code]);
  }
  lightning.invoice = null;
  expect(refusals).toEqual([
    ["hash", "OWN_INVOICE_OTHER_HASH"],
    ["amount", "OWN_INVOICE_OTHER_AMOUNT"],
    ["network", "INVOICE_WRONG_NETWORK"],
    ["expiry", "INVOICE_EXPIRED"],
    ["cltv-delta", "OWN_INVOICE_SHORT_CLTV"],
  ]);

  const inFault = async (fault: GrantFault): Promise<Invoice> => {
    lightning.grant = fault;
    const invoice = await wallet.invoice({ amountSats: 10_000n });
    simulator.lightning.pay(invoice.bolt11);
    return invoice;
  };
  const inflated = await inFault("htlc-delta");
  await expect(inflated.payment.settled()).rejects.toMatchObject({ cause: { code: "GRANT_WINDOW_TOO_SMALL" } });
  const short = await inFault("short-amount");
  await eventually(() => simulator.calls("PrepareLightningReceiveClaim") > 3, "several looks at the grant");
  expect(simulator.lightning.preimage(short.paymentHash)).toBeNull();
  expect(short.payment.status).toBe("pending");
  // The server keeps the right one, and at last hands it out.
  lightning.grant = null;
  await short.payment.settled();
  expect(simulator.lightning.preimage(inflated.paymentHash)).toBeNull();
  expect(wallet.balance().totalSats).toBe(9_880n);
});

test("HTLCs of which the chain is cut below the anchor get no preimage before it is whole again", async () => {
  const setup = await setUp();
  const { simulator, wallet: first, directory } = setup;
  await first.close();
  const chain = cuttable(fastChain(simulator));
  const wallet = await openWallet({ ...fastOptions(simulator, directory), chain: chain.source });
  await goLive(wallet);
  chain.isCut = true;
  const delayed = nextEvent(wallet, "payment.changed", ({ code }) => code === "ANCHOR_SPENT");
  const invoice = await wallet.invoice({ amountSats: 10_000n });
  simulator.lightning.pay(invoice.bolt11);
  expect(await delayed).toMatchObject({ state: "HtlcsReady", status: "pending" });
  expect(simulator.lightning.preimage(invoice.paymentHash)).toBeNull();
  chain.isCut = false;
  await invoice.payment.settled();
  expect(wallet.balance()).toMatchObject({ totalSats: 9_880n });
  // What was made of HTLCs that a look saw cut is looked at again with the next block.
  simulator.mine();
  await eventually(() => wallet.balance().spendableSats === 9_880n, "the money under a whole chain");
});

test("a wallet that only syncs hears in time that nothing but an exit is left (R7)", async () => {
  const { simulator, wallet, directory } = await live();
  simulator.faults.failNext("ClaimLightningReceive", Status.INVALID_ARGUMENT, 1_000);
  const invoice = await wallet.invoice({ amountSats: 10_000n });
  const events = recorded(wallet);
  simulator.lightning.pay(invoice.bolt11);
  await eventually(() => statesOf(events, invoice).includes("PreimageRevealed"), "a claim that is refused");
  await wallet.close();
  simulator.mine(25);
  // On a clock of which a minute, after which a running wallet looks by itself, takes a minute.
  const again = await openWallet(walletOptions(simulator, directory));
  const later = recorded(again);
  await again.sync();
  const required = later.flatMap((event) => (event.type === "exit.required" ? [event] : []));
  expect(required).toMatchObject([{ payment: invoice.payment.id, byHeight: expect.any(Number) }]);
  for (const id of required[0]?.vtxos ?? []) expect((await again.exitTransactions(id)).length).toBeGreaterThan(0);
  expect(again.vtxos().map(({ id, state }) => [id, state])).toEqual(required[0]?.vtxos.map((id) => [id, "exiting"]));
  expect(again.balance()).toMatchObject({ spendableSats: 0n, exitingSats: 9_880n });
});

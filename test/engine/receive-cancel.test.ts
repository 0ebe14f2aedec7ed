import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import type { Invoice } from "../../engine/index.ts";
import type { SimulatorMethod } from "../../simulator/index.ts";
import {
  addressOf,
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  goLive,
  nextEvent,
  OTHER_MNEMONIC,
  setUp,
} from "./helpers.ts";

// What becomes of a receive whose owner calls `cancelInvoice`, in each of its states (lightning.md §9.3, scenario 16).

const AMOUNT_SATS = 10_000n;
const RECEIVED_SATS = 9_880n;
/** Until the faults are cleared. */
const ALWAYS = Number.POSITIVE_INFINITY;

async function live() {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  await goLive(wallet);
  const { faults, lightning } = simulator;
  const incoming = ({ bolt11 }: Invoice) => lightning.incoming(bolt11).status;
  const reached = (state: string) => nextEvent(wallet, "payment.changed", (event) => event.state === state);
  const failing = (method: SimulatorMethod) => faults.failNext(method, Status.UNAVAILABLE, ALWAYS);
  /** Nothing came in, nothing is left over, and the server never got the preimage. */
  const expectNothing = async ({ payment, paymentHash }: Invoice) => {
    await expect(payment.settled()).rejects.toMatchObject({ cause: { code: "CANCELLED" } });
    expect(payment.status).toBe("canceled");
    expect(await codeOfRefusal(wallet.cancelInvoice(paymentHash))).toBe("NOT_CANCELLABLE");
    expect(lightning.preimage(paymentHash)).toBeNull();
    expect(simulator.calls("ClaimLightningReceive")).toBe(0);
    expect([wallet.movements(), wallet.vtxos(), wallet.status().openCommands]).toEqual([[], [], 0]);
  };
  return { simulator, wallet, faults, lightning, incoming, reached, failing, expectNothing };
}

test("in Requesting nobody has the invoice yet: it cannot be cancelled, and can once it is made", async () => {
  const { simulator, wallet, faults, expectNothing } = await live();
  faults.delay("StartLightningReceive", 150);
  const making = wallet.invoice({ amountSats: AMOUNT_SATS });
  await eventually(() => simulator.calls("StartLightningReceive") === 1, "the request");
  const [, paymentHash = ""] = wallet.payments()[0]?.id.split("/") ?? [];
  await expect(wallet.cancelInvoice(paymentHash)).rejects.toMatchObject({
    code: "NOT_CANCELLABLE",
    message: expect.stringContaining("Requesting"),
  });
  const invoice = await making;
  await wallet.cancelInvoice(invoice.paymentHash);
  await expectNothing(invoice);
});

test("in AwaitingPayment, before anybody paid, the server is told, and whoever pays later has the money back at once", async () => {
  const { simulator, wallet, lightning, expectNothing } = await live();
  const invoice = await wallet.invoice({ amountSats: AMOUNT_SATS });
  await wallet.cancelInvoice(invoice.paymentHash);
  await expectNothing(invoice);
  expect(simulator.calls("CancelLightningReceive")).toBe(1);
  expect(lightning.receives()).toMatchObject([{ status: "canceled" }]);
  expect(lightning.pay(invoice.bolt11).status).toBe("failed");
});

test("in AwaitingPayment, with the payment held and not granted, the payer gets the money back", async () => {
  const { simulator, wallet, lightning, incoming, failing, expectNothing } = await live();
  failing("PrepareLightningReceiveClaim");
  const invoice = await wallet.invoice({ amountSats: AMOUNT_SATS });
  lightning.pay(invoice.bolt11);
  await eventually(() => simulator.calls("PrepareLightningReceiveClaim") > 1, "a grant that fails");
  expect(incoming(invoice)).toBe("held");
  await wallet.cancelInvoice(invoice.paymentHash);
  await expectNothing(invoice);
  expect(incoming(invoice)).toBe("failed");
});

test("in AwaitingPayment, granted in an answer that was lost, it ends all the same: the preimage never leaves, and the payment runs out", async () => {
  const { simulator, wallet, faults, lightning, incoming, expectNothing } = await live();
  faults.loseNext("PrepareLightningReceiveClaim", ALWAYS);
  const invoice = await wallet.invoice({ amountSats: AMOUNT_SATS });
  lightning.pay(invoice.bolt11);
  await eventually(() => lightning.receives()[0]?.status === "htlcs-ready", "the grant");
  await wallet.cancelInvoice(invoice.paymentHash);
  await eventually(() => wallet.payments().length === 0, "the end");
  faults.clear();
  // The server does not take it back, and need not.
  expect(simulator.calls("CancelLightningReceive")).toBe(1);
  expect(incoming(invoice)).toBe("held");
  await wallet.sync();
  await expectNothing(invoice);
});

test("in Cancelling it is not cancelled twice, and ends though the server never takes it; a payment meanwhile is not claimed", async () => {
  const { simulator, wallet, faults, lightning, expectNothing } = await live();
  faults.delay("CancelLightningReceive", 150);
  faults.failNext("CancelLightningReceive", Status.INTERNAL, ALWAYS);
  const invoice = await wallet.invoice({ amountSats: AMOUNT_SATS });
  await wallet.cancelInvoice(invoice.paymentHash);
  await wallet.cancelInvoice(invoice.paymentHash);
  expect(wallet.payments().map(({ id }) => id)).toEqual([invoice.payment.id]);
  lightning.pay(invoice.bolt11);
  await expectNothing(invoice);
  expect(simulator.calls("PrepareLightningReceiveClaim")).toBe(0);
  // And not without end.
  expect(simulator.calls("CancelLightningReceive")).toBe(3);
});

test.each([
  ["HtlcsReady", "Completed", "CheckLightningReceive"],
  ["PreimageRevealed", "Completed", "ClaimLightningReceive"],
  ["Claimed", "Completed", "PostRecoveryVtxoIds"],
  ["Delivering", "Delivered", "PostArkoorMessage"],
] as const)("in %s it is refused and changes nothing: the receive goes on to %s", async (state, end, heldBy) => {
  const { simulator, wallet, faults, lightning, reached, failing } = await live();
  // While this call is under way everything is ready for the next one to fail.
  faults.delay("PrepareLightningReceiveClaim", 50);
  const isForeign = state === "Delivering";
  const destination = isForeign ? { destination: addressOf(simulator, OTHER_MNEMONIC, 0) } : {};
  const invoice = await wallet.invoice({ amountSats: AMOUNT_SATS, ...destination });
  const held = reached(state);
  lightning.pay(invoice.bolt11);
  await eventually(() => simulator.calls("PrepareLightningReceiveClaim") === 1, "the request for a grant");
  failing(heldBy);
  await held;
  const before = wallet.status();
  await expect(wallet.cancelInvoice(invoice.paymentHash)).rejects.toMatchObject({
    code: "NOT_CANCELLABLE",
    message: expect.stringContaining(state),
  });
  expect(wallet.status()).toMatchObject({ vtxos: before.vtxos, balance: before.balance });
  expect(simulator.calls("CancelLightningReceive")).toBe(0);
  const ended = reached(end);
  faults.clear();
  await Promise.all([ended, invoice.payment.settled()]);
  expect(await codeOfRefusal(wallet.cancelInvoice(invoice.paymentHash))).toBe("NOT_CANCELLABLE");
  expect(wallet.balance().totalSats).toBe(isForeign ? 0n : RECEIVED_SATS);
  expectBooksToBalance(wallet.status());
});

import { Status } from "nice-grpc";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { encodeVtxo, vtxoId } from "../../ark/vtxo.ts";
import type { NetworkInvoice, PaymentOutcome, Simulator } from "../../simulator/index.ts";
import { type Client, Hands, notices } from "./lightning-support.ts";
import { connect, refusal, startTestSimulator, TestWallet, validateOverChain } from "./support.ts";

let simulator: Simulator;
let client: Client;
let clock: { nowMs: number };
let hands: Hands;
beforeAll(async () => {
  ({ simulator, clock } = await startTestSimulator());
  client = connect(simulator);
  hands = new Hands(simulator, new TestWallet("payer"));
});
afterEach(() => {
  simulator.faults.clear();
  simulator.lightning.setOutcome("success");
  simulator.lightning.isNodeOnline = true;
});
afterAll(async () => {
  client.close();
  await simulator.stop();
});

/** HTLCs for a payment. */
async function locked(amountSats = 10_000n, invoice = simulator.lightning.invoice({ amountSats })) {
  return { invoice, htlcs: await hands.lock(client, invoice, amountSats), amountSats };
}

async function status({ paymentHash }: NetworkInvoice): Promise<string | undefined> {
  const { paymentStatus } = await client.ark.checkLightningPayment({ hash: decodeHex(paymentHash) });
  return paymentStatus?.$case === "success" ? encodeHex(paymentStatus.value.preimage) : paymentStatus?.$case;
}

async function initiated(outcome: PaymentOutcome) {
  const payment = await locked();
  simulator.lightning.setOutcome(outcome, payment.invoice.paymentHash);
  await client.ark.initiateLightningPayment(hands.initiation(payment.invoice, payment.htlcs, payment.amountSats));
  return payment;
}

test("a payment succeeds: its HTLCs are the server's, preimage by status and by one notice, and it cannot be paid again", async () => {
  const { invoice, htlcs, amountSats } = await initiated("success");
  for (const htlc of htlcs) await validateOverChain(simulator, encodeVtxo(htlc));
  await client.ark.checkLightningPayment({ hash: decodeHex(invoice.paymentHash), wait: true });
  expect(await status(invoice)).toBe(encodeHex(invoice.preimage ?? new Uint8Array()));
  expect(htlcs.map((htlc) => simulator.vtxo(vtxoId(htlc))?.state)).toEqual(["ln-spent"]);
  const preimage = await status(invoice);
  expect(await notices(client, hands.wallet, invoice.paymentHash)).toEqual([{ kind: "finished", preimage }]);
  const again = hands.initiation(invoice, htlcs, amountSats);
  expect(await refusal(client.ark.initiateLightningPayment(again), Status.INVALID_ARGUMENT)).toMatch(/got ln-spent/);
  const { wire } = hands.payment([await hands.coin(12_000n)], amountSats, hands.htlc(invoice.paymentHash));
  expect(await refusal(client.ark.requestLightningPayHtlcCosign(wire), Status.INVALID_ARGUMENT)).toMatch(/already been paid/);
  expect(simulator.lightning.payments(invoice.paymentHash).map((payment) => payment.status)).toEqual(["succeeded"]);
});

test("a failed payment is revoked with amount and fee, and the same invoice can be paid with new HTLCs and no second notice", async () => {
  const { invoice, htlcs, amountSats } = await initiated("failure");
  expect(await status(invoice)).toBe("failed");
  const { wire, finish } = hands.revocation(htlcs);
  const refunded = finish(await client.ark.requestLightningPayHtlcRevocation(wire));
  expect(refunded.map((vtxo) => vtxo.amountSats)).toEqual([amountSats + hands.fee(amountSats, htlcs)]);
  expect(refunded.map((vtxo) => simulator.vtxo(vtxoId(vtxo))?.state)).toEqual(["unregistered"]);
  expect(simulator.vtxo(vtxoId(htlcs[0] ?? expect.unreachable()))?.state).toBe("spent");
  await client.ark.requestLightningPayHtlcRevocation(hands.revocation(htlcs).wire);

  simulator.lightning.setOutcome("success", invoice.paymentHash);
  const more = await hands.lock(client, invoice, amountSats);
  await client.ark.initiateLightningPayment(hands.initiation(invoice, more, amountSats));
  await client.ark.checkLightningPayment({ hash: decodeHex(invoice.paymentHash), wait: true });
  expect(await status(invoice)).toBe(encodeHex(invoice.preimage ?? new Uint8Array()));
  expect(await notices(client, hands.wallet, invoice.paymentHash)).toEqual([{ kind: "finished", preimage: undefined }]);
});

describe("outcomes on demand", () => {
  test("never: pending, not revocable until the HTLC expired, revocable then", async () => {
    const { invoice, htlcs } = await initiated("never");
    expect(await status(invoice)).toBe("pending");
    const revoke = () => client.ark.requestLightningPayHtlcRevocation(hands.revocation(htlcs).wire);
    expect(await refusal(revoke(), Status.INVALID_ARGUMENT)).toMatch(/not eligible/);
    simulator.mine(258);
    expect(await refusal(revoke(), Status.INVALID_ARGUMENT)).toMatch(/not eligible/);
    simulator.mine();
    await revoke();
    expect(await status(invoice)).toBe("failed");
  });

  test("late success: with the next block; a revocation is then refused with the preimage in its text", async () => {
    const { invoice, htlcs } = await initiated("late-success");
    expect(await status(invoice)).toBe("pending");
    simulator.mine();
    const preimage = encodeHex(invoice.preimage ?? new Uint8Array());
    expect(await status(invoice)).toBe(preimage);
    const { wire } = hands.revocation(htlcs);
    expect(await refusal(client.ark.requestLightningPayHtlcRevocation(wire), Status.INVALID_ARGUMENT)).toContain(
      `preimage: ${preimage}`,
    );
    simulator.faults.lightning.hidePreimages = true;
    expect(await status(invoice)).toBe("pending");
    expect(await refusal(client.ark.requestLightningPayHtlcRevocation(wire), Status.INVALID_ARGUMENT)).not.toContain(preimage);
  });

  test("wrong preimage: by status and notice, until it is finished by hand", async () => {
    const { invoice } = await initiated("wrong-preimage");
    const preimage = encodeHex(invoice.preimage ?? new Uint8Array());
    const told = await status(invoice);
    expect(told).toMatch(/^[0-9a-f]{64}$/);
    expect(told).not.toBe(preimage);
    expect(await notices(client, hands.wallet, invoice.paymentHash)).toHaveLength(1);
    simulator.lightning.finish(invoice.paymentHash, "success");
    expect(await status(invoice)).toBe(preimage);
  });

  test("success, then denial: the preimage is told once", async () => {
    const { invoice } = await initiated("success-then-denial");
    expect(await status(invoice)).toBe(encodeHex(invoice.preimage ?? new Uint8Array()));
    expect(await status(invoice)).toBe("failed");
    expect(simulator.lightning.preimage(invoice.paymentHash)).toEqual(invoice.preimage);
  });

  test("no node: OK without an attempt, and the same initiation starts one later", async () => {
    const { invoice, htlcs, amountSats } = await initiated("no-node");
    expect(await refusal(status(invoice), Status.NOT_FOUND)).toMatch(/not found/);
    simulator.lightning.setOutcome("never", invoice.paymentHash);
    const request = hands.initiation(invoice, htlcs, amountSats);
    for (let i = 0; i < 2; i++) await client.ark.initiateLightningPayment(request);
    expect(simulator.lightning.payments(invoice.paymentHash)).toHaveLength(1);
    const { wire } = hands.payment([await hands.coin(12_000n)], amountSats, hands.htlc(invoice.paymentHash));
    expect(await refusal(client.ark.requestLightningPayHtlcCosign(wire), Status.INVALID_ARGUMENT)).toMatch(/under way/);
  });

  test("one after the other, without notices where they are dropped", async () => {
    const { invoice, htlcs, amountSats } = await locked();
    simulator.lightning.setOutcome(["failure", "success"], invoice.paymentHash);
    simulator.faults.lightning.dropNotices = true;
    const request = hands.initiation(invoice, htlcs, amountSats);
    await client.ark.initiateLightningPayment(request);
    expect(await status(invoice)).toBe("failed");
    await client.ark.initiateLightningPayment(request);
    await client.ark.checkLightningPayment({ hash: decodeHex(invoice.paymentHash), wait: true });
    expect(await status(invoice)).toBe(encodeHex(invoice.preimage ?? new Uint8Array()));
    expect(await notices(client, hands.wallet, invoice.paymentHash)).toEqual([]);
  });

  test("an expiry too close to pay fails 75 seconds later", async () => {
    const { invoice, htlcs, amountSats } = await locked();
    simulator.mine(258 - 39);
    await client.ark.initiateLightningPayment(hands.initiation(invoice, htlcs, amountSats));
    expect(await status(invoice)).toBe("pending");
    clock.nowMs += 75_000;
    expect(await status(invoice)).toBe("failed");
  });
});

describe("what the HTLC cosign refuses", () => {
  async function cosign(change: { expiry?: number; policy?: "pubkey"; hash?: string; version?: string }): Promise<unknown> {
    const { paymentHash } = simulator.lightning.invoice();
    const policy = change.policy ? hands.pubkey : hands.htlc(change.hash ?? paymentHash, change.expiry);
    const { wire } = hands.payment([await hands.coin(12_000n)], 10_000n, policy);
    if (change.version === undefined) return client.ark.requestLightningPayHtlcCosign(wire);
    using old = connect(simulator, change.version === "" ? {} : { pver: change.version });
    return await old.ark.requestLightningPayHtlcCosign(wire);
  }

  test("protocol versions that are old or missing", async () => {
    expect(await refusal(cosign({ version: "4" }), Status.INVALID_ARGUMENT)).toMatch(/upgrade/);
    await refusal(cosign({ version: "" }), Status.INVALID_ARGUMENT);
  });

  test("packages without an HTLC, or with several", async () => {
    expect(await refusal(cosign({ policy: "pubkey" }), Status.INVALID_ARGUMENT)).toMatch(/got none/);
    const coin = await hands.coin(12_000n);
    const { paymentHash } = simulator.lightning.invoice();
    const { wire } = hands.attempt(
      [coin],
      [6_000n, 6_001n - 1n].map((amountSats, i) => ({ amountSats, policy: hands.htlc(paymentHash, 500 + i) })),
    );
    await refusal(client.ark.requestLightningPayHtlcCosign(wire), Status.INTERNAL);
  });

  test("an expiry below its own tip, delta less one; a server that is ahead sees more of them", async () => {
    const { tip } = simulator.chain;
    expect(await refusal(cosign({ expiry: tip + 256 }), Status.INVALID_ARGUMENT)).toMatch(/HTLC expiry/);
    await cosign({ expiry: tip + 257 });
    simulator.faults.lightning.tipAhead = 2;
    await refusal(cosign({ expiry: tip + 258 }), Status.INVALID_ARGUMENT);
    await cosign({ expiry: tip + 259 });
  });

  test("wrong partial signatures are noticed by the client alone", async () => {
    const { wire, finish } = hands.payment([await hands.coin(12_000n)], 10_000n, hands.htlc("11".repeat(32)));
    simulator.faults.lightning.wrongSignatures = true;
    const response = await client.ark.requestLightningPayHtlcCosign(wire);
    expect(() => finish(response)).toThrow(expect.objectContaining({ code: "ARKOOR_INVALID_PARTIAL_SIGNATURE" }));
  });
});

test("a cosign whose answer was lost is answered again, and past its expiry rule by RequestArkoorCosign", async () => {
  const invoice = simulator.lightning.invoice();
  const inputs = [await hands.coin(12_000n)];
  const policy = hands.htlc(invoice.paymentHash);
  const attempt = () => hands.payment(inputs, 10_000n, policy);
  simulator.faults.loseNext("RequestLightningPayHtlcCosign");
  await refusal(client.ark.requestLightningPayHtlcCosign(attempt().wire), Status.UNAVAILABLE);
  await client.ark.requestLightningPayHtlcCosign(attempt().wire);
  simulator.faults.lightning.tipAhead = 2;
  await refusal(client.ark.requestLightningPayHtlcCosign(attempt().wire), Status.INVALID_ARGUMENT);
  const { wire, finish } = attempt();
  const vtxos = finish(await client.ark.requestArkoorCosign(wire));
  await client.ark.registerVtxoTransactions({ vtxos: vtxos.map((vtxo) => encodeVtxo(vtxo)) });
  const htlcs = vtxos.filter((vtxo) => vtxo.policy.kind === "server-htlc-send-v1");
  await client.ark.requestLightningPayHtlcRevocation(hands.revocation(htlcs).wire);
});

describe("what an initiation refuses", () => {
  test("in the order of lightning.md 13.1", async () => {
    const { invoice, htlcs, amountSats } = await locked();
    const good = hands.initiation(invoice, htlcs, amountSats);
    const refused = (change: Partial<typeof good>, code = Status.INVALID_ARGUMENT) =>
      refusal(client.ark.initiateLightningPayment({ ...good, ...change }), code);
    const other = simulator.lightning.invoice({ amountSats });
    await refused({ htlcVtxoIds: [new Uint8Array(35)] });
    expect(await refused({ invoice: "lnbcrt1nonsense" })).toMatch(/invalid invoice/);
    await refused({ htlcVtxoIds: [new Uint8Array(36)] }, Status.NOT_FOUND);
    await refused({ htlcVtxoIds: [...good.htlcVtxoIds, ...good.htlcVtxoIds] }, Status.NOT_FOUND);
    expect(await refused({ invoice: other.bolt11 })).toMatch(/hash of the invoice/);
    expect(await refused({ paymentAmountSat: amountSats - 1n })).toMatch(/at least/);
    expect(await refused({ paymentAmountSat: 2n * amountSats + 2n })).toMatch(/at most twice/);
    expect(await refused({ paymentAmountSat: amountSats + 1n })).toMatch(/expected HTLCs of at least/);
    simulator.lightning.raiseFees(1n);
    expect(await refused({})).toMatch(/expected HTLCs of at least/);
    simulator.faults.clear();
    await client.ark.initiateLightningPayment(good);
  });

  test("HTLCs that were not registered, or whose registration was forgotten", async () => {
    const amountSats = 10_000n;
    const invoice = simulator.lightning.invoice({ amountSats });
    simulator.faults.lightning.dropRegistrations = 1;
    const htlcs = await hands.lock(client, invoice, amountSats);
    const request = hands.initiation(invoice, htlcs, amountSats);
    expect(await refusal(client.ark.initiateLightningPayment(request), Status.INVALID_ARGUMENT)).toMatch(/got unregistered/);
    const { wire } = hands.revocation(htlcs);
    expect(await refusal(client.ark.requestLightningPayHtlcRevocation(wire), Status.INVALID_ARGUMENT)).toMatch(
      /got unregistered/,
    );
    await client.ark.registerVtxoTransactions({ vtxos: htlcs.map((htlc) => encodeVtxo(htlc)) });
    await client.ark.initiateLightningPayment(request);
  });
});

test("a revocation refuses other destinations, other inputs and fan-outs", async () => {
  const { htlcs } = await locked();
  const revoke = (wire: ReturnType<Hands["attempt"]>["wire"], code: Status) =>
    refusal(client.ark.requestLightningPayHtlcRevocation(wire), code);
  const [htlc] = htlcs;
  if (!htlc) return expect.unreachable();
  const half = htlc.amountSats / 2n;
  const others = { kind: "pubkey" as const, userPubkey: new TestWallet("other").userPubkey };
  const split = (policy = hands.pubkey) =>
    hands.attempt(htlcs, [
      { amountSats: half, policy: hands.pubkey },
      { amountSats: htlc.amountSats - half, policy },
    ]).wire;
  await revoke(split(others), Status.INTERNAL);
  await revoke(hands.attempt(htlcs, [{ amountSats: htlc.amountSats, policy: htlc.policy }]).wire, Status.INVALID_ARGUMENT);
  await revoke(hands.revocation([await hands.coin(12_000n)]).wire, Status.INTERNAL);
  expect(await revoke(split(), Status.INVALID_ARGUMENT)).toMatch(/FAN_OUT/);
});

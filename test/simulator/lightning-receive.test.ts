import { Status } from "nice-grpc";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signAttestation } from "../../ark/attestation.ts";
import { parseBolt11 } from "../../ark/bolt11.ts";
import { compareBytes } from "../../ark/bytes.ts";
import { sha256 } from "../../ark/crypto.ts";
import { lightningReceiveFee } from "../../ark/fees.ts";
import { encodeHex } from "../../ark/hex.ts";
import { type GrantTerms, judgeGrant } from "../../ark/lightning-grant.ts";
import { decodeVtxo, encodeVtxo, exitDepth, type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import { decodeVtxoId, encodeVtxoId } from "../../ark/vtxo-id.ts";
import { LightningReceiveStatus } from "../../proto/generated/bark_server.ts";
import { DEFAULT_TERMS } from "../../simulator/ark-info.ts";
import { GRANT_FAULTS, type GrantFault, type Simulator } from "../../simulator/index.ts";
import { type Client, Hands, notices } from "./lightning-support.ts";
import { connect, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
let client: Client;
let clock: { nowMs: number };
let receives = 0;
const receiver = new TestWallet("receiver");
const CLTV_DELTA = 216;
const AMOUNT = 20_000n;
const FEE = lightningReceiveFee(DEFAULT_TERMS.fees.lightningReceive, AMOUNT);

beforeAll(async () => {
  ({ simulator, clock } = await startTestSimulator());
  client = connect(simulator);
});
afterEach(() => {
  simulator.faults.clear();
  simulator.lightning.setPool(null);
  simulator.lightning.isNodeOnline = true;
});
afterAll(async () => {
  client.close();
  await simulator.stop();
});

/** A receive that was started, and what its steps need. */
async function started(request: { amountSat?: bigint; minCltvDelta?: number; description?: string } = {}) {
  const preimage = sha256(new TextEncoder().encode(`receive ${receives++}`));
  const paymentHash = sha256(preimage);
  const start = { paymentHash, amountSat: AMOUNT, minCltvDelta: CLTV_DELTA, mailboxId: receiver.mailboxId, ...request };
  const { bolt11 } = await client.ark.startLightningReceive(start);
  const prepare = (change: object = {}, by = client) =>
    by.ark.prepareLightningReceiveClaim({
      paymentHash,
      userPubkey: receiver.userPubkey,
      htlcRecvExpiry: simulator.chain.tip + CLTV_DELTA,
      ...change,
    });
  const status = async () => {
    const { status: found } = await client.ark.checkLightningReceive({ hash: paymentHash });
    return Object.entries(LightningReceiveStatus).find(([, value]) => value === found)?.[0];
  };
  return { preimage, paymentHash, start, bolt11, prepare, status };
}

type Started = Awaited<ReturnType<typeof started>>;

function idBytes(vtxo: Vtxo): Uint8Array {
  return encodeVtxoId(vtxoId(vtxo));
}

/** The claim of a grant to the receiver's own key. */
function claim(receive: Pick<Started, "paymentHash" | "preimage">, granted: readonly Uint8Array[]) {
  const hands = new Hands(simulator, receiver);
  const inputs = granted.map((bytes) => decodeVtxo(bytes)).sort((a, b) => compareBytes(idBytes(a), idBytes(b)));
  const amountSats = inputs.reduce((sum, input) => sum + input.amountSats, 0n);
  const { wire, finish } = hands.attempt(inputs, [{ amountSats, policy: hands.pubkey }]);
  return { finish, request: { paymentHash: receive.paymentHash, paymentPreimage: receive.preimage, cosignRequest: wire } };
}

/** What the wallet would say of a grant. */
function judge({ paymentHash }: Started, bytes: readonly Uint8Array[], reportedSats = AMOUNT) {
  const terms: GrantTerms = {
    paymentHash,
    userPubkey: receiver.userPubkey,
    serverPubkey: simulator.arkInfo.serverPubkey,
    nowHeight: simulator.chain.tip,
    requestedExpiryHeight: simulator.chain.tip + CLTV_DELTA,
    checkTimes: true,
    invoiceSats: AMOUNT,
    reportedSats,
    feeOf: (amountSats) => lightningReceiveFee(DEFAULT_TERMS.fees.lightningReceive, amountSats),
    promisedFeeSats: FEE,
  };
  const granted = bytes.map((encoded) => {
    const anchor = simulator.chain.transaction(decodeVtxo(encoded).chainAnchor.txid);
    if (!anchor) return expect.unreachable();
    return {
      bytes: encoded,
      anchor: { kind: "found" as const, transaction: anchor.bytes },
      isAnchorConfirmed: anchor.height !== null,
    };
  });
  return judgeGrant(granted, terms);
}

test("an outside payment is held, noticed, granted in direct mode, claimed, and the payer gets the preimage", async () => {
  const receive = await started({ description: "a coffee" });
  const invoice = parseBolt11(receive.bolt11);
  expect(invoice).toMatchObject({
    network: "regtest",
    amountMsats: 20_000_000n,
    description: "a coffee",
    minFinalCltvDelta: 256n,
  });
  expect(await receive.status()).toBe("CREATED");
  expect(simulator.lightning.pay(receive.bolt11).status).toBe("held");
  expect(await receive.status()).toBe("ACCEPTED");
  const { htlcVtxos, receive: answer } = await receive.prepare();
  expect(judge(receive, htlcVtxos, answer?.amountSat)).toMatchObject({ kind: "accepted", amountSats: AMOUNT - FEE });
  expect(htlcVtxos.map((bytes) => exitDepth(decodeVtxo(bytes)))).toEqual([2]);
  expect(answer?.htlcVtxos.map((id) => simulator.vtxo(decodeVtxoId(id))?.state)).toEqual(["htlc-recv-unclaimed"]);
  expect((await client.ark.getVtxo({ vtxoId: answer?.htlcVtxos[0] ?? expect.unreachable() })).vtxo).toEqual(htlcVtxos[0]);

  const { request, finish } = claim(receive, htlcVtxos);
  const outputs = finish(await client.ark.claimLightningReceive(request));
  await client.ark.registerVtxoTransactions({ vtxos: outputs.map((vtxo) => encodeVtxo(vtxo)) });
  expect(outputs.map((vtxo) => simulator.vtxo(vtxoId(vtxo))?.state)).toEqual(["spendable"]);
  expect(await receive.status()).toBe("SETTLED");
  expect(simulator.lightning.incoming(receive.bolt11)).toEqual({ status: "settled", preimage: receive.preimage });
  expect(await notices(client, receiver, encodeHex(receive.paymentHash))).toEqual([
    { kind: "incoming", amountMsat: 20_000_000n },
  ]);
  // The claim may be repeated with the same outputs, not with others.
  await client.ark.claimLightningReceive(claim(receive, htlcVtxos).request);
});

test("a wallet pays a wallet of the same server, and the claim settles both sides", async () => {
  const receive = await started();
  const hands = new Hands(simulator, new TestWallet("neighbour"));
  const paymentHash = encodeHex(receive.paymentHash);
  const htlcs = await hands.lock(client, { bolt11: receive.bolt11, paymentHash, preimage: null }, AMOUNT);
  const forged = simulator.lightning.invoice({ amountSats: AMOUNT, paymentHash });
  const initiate = (invoice: { bolt11: string }) => client.ark.initiateLightningPayment(hands.initiation(invoice, htlcs, AMOUNT));
  expect(await refusal(initiate(forged), Status.INVALID_ARGUMENT)).toMatch(/as it was issued/);
  await initiate(receive);
  const { htlcVtxos } = await receive.prepare();
  expect(
    await refusal(client.ark.requestLightningPayHtlcRevocation(hands.revocation(htlcs).wire), Status.INVALID_ARGUMENT),
  ).toMatch(/not eligible/);
  await client.ark.claimLightningReceive(claim(receive, htlcVtxos).request);
  const { paymentStatus } = await client.ark.checkLightningPayment({ hash: receive.paymentHash, wait: true });
  expect(paymentStatus?.$case === "success" && encodeHex(paymentStatus.value.preimage)).toBe(encodeHex(receive.preimage));
  expect(htlcs.map((htlc) => simulator.vtxo(vtxoId(htlc))?.state)).toEqual(["ln-spent"]);
  expect(await notices(client, hands.wallet, paymentHash)).toMatchObject([
    { kind: "finished", preimage: encodeHex(receive.preimage) },
  ]);
});

test("a receive is canceled before its grant, started again without mailbox, and not canceled after the grant", async () => {
  const silent = await started();
  await client.ark.cancelLightningReceive({ paymentHash: silent.paymentHash });
  await client.ark.startLightningReceive(silent.start);
  simulator.lightning.pay(silent.bolt11);
  expect(await notices(client, receiver, encodeHex(silent.paymentHash))).toEqual([]);

  const receive = await started();
  simulator.lightning.pay(receive.bolt11);
  const cancel = () => client.ark.cancelLightningReceive({ paymentHash: receive.paymentHash });
  simulator.lightning.isNodeOnline = false;
  await refusal(cancel(), Status.INTERNAL);
  simulator.lightning.isNodeOnline = true;
  for (let i = 0; i < 2; i++) await cancel();
  expect(await receive.status()).toBe("CANCELED");
  expect(simulator.lightning.incoming(receive.bolt11).status).toBe("failed");
  await refusal(receive.prepare(), Status.INVALID_ARGUMENT);

  for (let i = 0; i < 2; i++) expect((await client.ark.startLightningReceive(receive.start)).bolt11).toBe(receive.bolt11);
  simulator.lightning.pay(receive.bolt11);
  await receive.prepare();
  expect(await refusal(cancel(), Status.INVALID_ARGUMENT)).toMatch(/htlcs-ready/);
  await refusal(client.ark.startLightningReceive(receive.start), Status.INTERNAL);
});

test("time cancels: a held payment that nobody prepares, and an invoice that expires after its grant", async () => {
  const [forsaken, late] = [await started(), await started()];
  simulator.lightning.pay(forsaken.bolt11);
  clock.nowMs += 180_000;
  expect(await forsaken.status()).toBe("CANCELED");
  simulator.lightning.pay(late.bolt11);
  const { htlcVtxos } = await late.prepare();
  clock.nowMs += 172_800_000;
  const { request } = claim(late, htlcVtxos);
  expect(await refusal(client.ark.claimLightningReceive(request), Status.INVALID_ARGUMENT)).toMatch(/canceled/);
  expect(simulator.lightning.preimage(encodeHex(late.paymentHash))).toBeNull();
});

describe("what is refused, in the order of lightning.md 13.2", () => {
  test("start", async () => {
    const refused = (request: object, code = Status.INVALID_ARGUMENT) => refusal(started(request), code);
    expect(await refused({ amountSat: 0n, minCltvDelta: 251 })).toMatch(/at least 1 sat/);
    expect(await refused({ description: "x".repeat(640) })).toMatch(/description/);
    await refused({ minCltvDelta: 251 }, Status.INTERNAL);
    await refused({ amountSat: 100n }, Status.INTERNAL);
    using old = connect(simulator, { pver: "4" });
    const { start } = await started();
    expect(await refusal(old.ark.startLightningReceive(start), Status.INVALID_ARGUMENT)).toMatch(/upgrade/);
  });

  test("prepare, which is sticky once granted", async () => {
    const receive = await started();
    await refusal(receive.prepare({ paymentHash: new Uint8Array(32) }), Status.NOT_FOUND);
    expect(await refusal(receive.prepare(), Status.INVALID_ARGUMENT)).toMatch(/created/);
    simulator.lightning.pay(receive.bolt11);
    const later = { htlcRecvExpiry: simulator.chain.tip + CLTV_DELTA + 1 };
    expect(await refusal(receive.prepare(later), Status.INVALID_ARGUMENT)).toMatch(/at most 456/);
    simulator.lightning.setPool([]);
    await refusal(receive.prepare(), Status.INTERNAL);
    simulator.lightning.setPool(null);
    const results = await Promise.allSettled([receive.prepare(), receive.prepare()]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const granted = await receive.prepare({ userPubkey: new TestWallet("other").userPubkey, ...later });
    expect(judge(receive, granted.htlcVtxos)).toMatchObject({ kind: "accepted" });
  });

  test("proofs and tokens against spam", async () => {
    const receive = await started();
    simulator.lightning.pay(receive.bolt11);
    const coin = await new Hands(simulator, receiver).coin(500n);
    const proof = (attestation: Uint8Array, id = encodeVtxoId(vtxoId(coin))) => ({
      lightningReceiveAntiDos: { $case: "inputVtxo" as const, value: { vtxoId: id, attestation } },
    });
    const token = (value: string) => ({ lightningReceiveAntiDos: { $case: "token" as const, value } });
    const { paymentHash } = receive;
    const good = signAttestation(
      { kind: "lightning-receive", vtxoId: vtxoId(coin), paymentHash },
      receiver.vtxoSecretKey,
      paymentHash,
    );
    await refusal(receive.prepare(proof(good, new Uint8Array(36))), Status.NOT_FOUND);
    expect(await refusal(receive.prepare(proof(new Uint8Array(64))), Status.INVALID_ARGUMENT)).toMatch(/attestation/);
    await refusal(receive.prepare(token("made up")), Status.NOT_FOUND);
    const once = token(simulator.lightning.issueToken());
    const late = { ...once, htlcRecvExpiry: simulator.chain.tip + CLTV_DELTA + 1 };
    expect(await refusal(receive.prepare(late), Status.INVALID_ARGUMENT)).toMatch(/at most/);
    expect(await refusal(receive.prepare(once), Status.INVALID_ARGUMENT)).toMatch(/was used/);
    await receive.prepare(proof(good));
  });

  test("claim", async () => {
    const receive = await started();
    simulator.lightning.pay(receive.bolt11);
    simulator.lightning.setPool([9_000n, 12_000n]);
    const { htlcVtxos } = await receive.prepare();
    expect(htlcVtxos.length).toBe(2);
    const { request } = claim(receive, htlcVtxos);
    const refused = (change: object, code = Status.INVALID_ARGUMENT) =>
      refusal(client.ark.claimLightningReceive({ ...request, ...change }), code);
    const { parts } = request.cosignRequest;
    expect(await refused({ paymentPreimage: new Uint8Array(32) })).toMatch(/preimage/);
    await refused({ cosignRequest: { parts: [] } }, Status.INTERNAL);
    await refused({ cosignRequest: { parts: parts.map((part) => ({ ...part, attestation: new Uint8Array(1) })) } });
    expect(await refused({ cosignRequest: { parts: parts.toReversed() } })).toMatch(/sorted/);
    expect(await refused({ cosignRequest: { parts: parts.map((part) => ({ ...part, useCheckpoint: false })) } })).toMatch(/MODE/);
    expect(simulator.lightning.preimage(encodeHex(receive.paymentHash))).toBeNull();
    simulator.faults.lightning.tipAhead = 254;
    expect(await refused({})).toMatch(/expected a claim by height/);
    simulator.faults.lightning.tipAhead = 253;
    await client.ark.claimLightningReceive(request);
  });

  test("a payment that comes twice, or with too little time, is not taken", async () => {
    const receive = await started();
    simulator.lightning.pay(receive.bolt11);
    expect(simulator.lightning.pay(receive.bolt11).status).toBe("failed");
    const hasty = await started();
    expect(simulator.lightning.pay(hasty.bolt11, { expiryHeight: simulator.chain.tip + 254 }).status).toBe("failed");
    expect(await hasty.status()).toBe("CANCELED");
    expect(() => simulator.lightning.pay(simulator.lightning.invoice().bolt11)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_PAYMENT" }),
    );
  });
});

test("faults of the invoice", async () => {
  const invoiceWith = async (fault: typeof simulator.faults.lightning.invoice) => {
    simulator.faults.lightning.invoice = fault;
    const { bolt11, paymentHash } = await started();
    return { ...parseBolt11(bolt11), isOurs: encodeHex(parseBolt11(bolt11).paymentHash) === encodeHex(paymentHash) };
  };
  expect(await invoiceWith("hash")).toMatchObject({ isOurs: false });
  expect(await invoiceWith("amount")).toMatchObject({ isOurs: true, amountMsats: 20_001_000n });
  expect(await invoiceWith("network")).toMatchObject({ network: "bitcoin" });
  expect(await invoiceWith("expiry")).toMatchObject({ expiryS: 0n });
  expect(await invoiceWith("cltv-delta")).toMatchObject({ minFinalCltvDelta: 9n });
});

test("faults of a grant are refused by the rules of lightning.md 9.4, and healing brings the right grant back", async () => {
  const codes: Record<GrantFault, string> = {
    "short-amount": "GRANT_TOO_LITTLE",
    "reported-amount": "accepted",
    "other-hash": "GRANT_OTHER_PAYMENT_HASH",
    "other-key": "GRANT_OTHER_USER_KEY",
    "other-policy": "GRANT_NOT_HTLC_RECEIVE",
    "early-expiry": "GRANT_EARLY_EXPIRY",
    "exit-delta": "GRANT_WINDOW_TOO_SMALL",
    "htlc-delta": "GRANT_WINDOW_TOO_SMALL",
    "foreign-server": "WRONG_SERVER_KEY",
    expiring: "GRANT_VTXO_EXPIRES_SOON",
    unconfirmed: "GRANT_ANCHOR_UNCONFIRMED",
    unsigned: "TRANSITION_MISSING_SIGNATURE",
    doubled: "GRANT_REPEATED_VTXO",
    respent: "accepted",
  };
  const receive = await started();
  simulator.lightning.pay(receive.bolt11);
  const found: Partial<Record<GrantFault, string>> = {};
  for (const fault of GRANT_FAULTS) {
    simulator.faults.lightning.grant = fault;
    const { htlcVtxos, receive: answer } = await receive.prepare();
    const judgement = judge(receive, htlcVtxos, answer?.amountSat);
    found[fault] = judgement.kind === "refused" ? judgement.code : judgement.kind;
  }
  expect(found).toEqual(codes);
  simulator.faults.lightning.grant = null;
  const { htlcVtxos } = await receive.prepare();
  await client.ark.claimLightningReceive(claim(receive, htlcVtxos).request);
});

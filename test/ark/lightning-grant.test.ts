import { describe, expect, it, test } from "vitest";
import type { Destination } from "../../ark/arkoor-allocation.ts";
import { type ArkoorInput, buildArkoorPackage } from "../../ark/arkoor-transactions.ts";
import { sha256 } from "../../ark/crypto.ts";
import { invoiceCltvDelta, latestReceiveExitHeight } from "../../ark/htlc-terms.ts";
import { signArkoorPartJointly } from "../../ark/joint-signing.ts";
import { type GrantedBytes, type GrantTerms, judgeGrant } from "../../ark/lightning-grant.ts";
import type { HtlcReceivePolicy, UserPolicy } from "../../ark/policy.ts";
import { encodeTransaction } from "../../ark/transaction.ts";
import { encodeVtxo, type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import { encodeVtxoId } from "../../ark/vtxo-id.ts";
import {
  alice,
  board,
  bob,
  carol,
  destination,
  EXIT_DELTA,
  EXPIRY_HEIGHT,
  pubkeyPolicy,
  randomBytes,
  server,
} from "./payments.ts";

const NOW = 100_000;
const DELTA = 40;
const REQUESTED = NOW + invoiceCltvDelta({ exitDelta: EXIT_DELTA, htlcExpiryDelta: DELTA });
const paymentHash = sha256(new Uint8Array(32).fill(7));

const policy: HtlcReceivePolicy = {
  kind: "server-htlc-receive-v1",
  userPubkey: alice.publicKey,
  paymentHash,
  htlcExpiryHeight: REQUESTED,
  htlcExpiryDelta: DELTA,
};

const terms: GrantTerms = {
  paymentHash,
  userPubkey: alice.publicKey,
  serverPubkey: server.publicKey,
  nowHeight: NOW,
  requestedExpiryHeight: REQUESTED,
  checkTimes: true,
  invoiceSats: 10_000n,
  reportedSats: 10_000n,
  feeOf: (amountSats) => 100n + amountSats / 500n,
  promisedFeeSats: 120n,
};

let nonce = 100;

/** As a server grants: out of a VTXO of its own, without checkpoint, the change stays with it. */
function grant(more: Partial<HtlcReceivePolicy> = {}, amountSats = 9_880n): GrantedBytes {
  const pool = board(carol, amountSats + 5_000n, nonce++);
  const vtxo = paid(pool.vtxo, { amountSats, policy: { ...policy, ...more } }, destination(5_000n, carol));
  return granted(vtxo, encodeTransaction(pool.anchor));
}

/** A grant at the end of a chain of `depth` transactions. */
function deepGrant(depth: number): GrantedBytes {
  const pool = board(carol, 9_880n, nonce++);
  let vtxo: Vtxo<UserPolicy> = pool.vtxo;
  for (let at = 1; at < depth - 1; at++) vtxo = paid(vtxo, { amountSats: 9_880n, policy: pubkeyPolicy(carol) });
  return granted(paid(vtxo, { amountSats: 9_880n, policy }), encodeTransaction(pool.anchor));
}

/** Two VTXOs that come to a whole grant, and of which only one can be brought on chain; their chains part `after` transactions. */
function rivals(after: number): GrantedBytes[] {
  const pool = board(carol, 10_000n, nonce++);
  return [5_000n, 4_880n].map((amountSats) => {
    let vtxo = paid(
      pool.vtxo,
      { amountSats, policy: after === 0 ? policy : pubkeyPolicy(carol) },
      destination(10_000n - amountSats, bob),
    );
    for (let at = 1; at <= after; at++) vtxo = paid(vtxo, { amountSats, policy: at === after ? policy : pubkeyPolicy(carol) });
    return granted(vtxo, encodeTransaction(pool.anchor));
  });
}

/** Two VTXOs side by side in one transaction. */
function siblings(): GrantedBytes[] {
  const pool = board(carol, 9_880n, nonce++);
  const destinations = [5_000n, 4_880n].map((amountSats) => ({ amountSats, policy }));
  return allPaid(pool.vtxo, destinations).map((vtxo) => granted(vtxo, encodeTransaction(pool.anchor)));
}

/** The VTXO of the first destination of a payment from carol in direct mode; isolation of dust puts others before it. */
function paid(input: ArkoorInput, ...destinations: readonly Destination[]): Vtxo<UserPolicy> {
  const vtxo = allPaid(input, destinations).find(({ policy: { kind } }) => kind === destinations[0]?.policy.kind);
  if (vtxo === undefined) throw new Error("expected a VTXO");
  return vtxo;
}

function allPaid(input: ArkoorInput, destinations: readonly Destination[]): Vtxo<UserPolicy>[] {
  const parts = buildArkoorPackage({ inputs: [input], destinations, mode: "direct" });
  const keys = { userSecretKey: carol.secretKey, serverSecretKey: server.secretKey };
  return parts.flatMap((part) => signArkoorPartJointly(part, keys, randomBytes));
}

function granted(vtxo: Vtxo<UserPolicy>, transaction: Uint8Array): GrantedBytes {
  return { bytes: encodeVtxo(vtxo), anchor: { kind: "found", transaction }, isAnchorConfirmed: true };
}

const good = grant();

function answer(granted: readonly GrantedBytes[], more: Partial<GrantTerms> = {}): string {
  const judgement = judgeGrant(granted, { ...terms, ...more });
  return judgement.kind === "accepted" ? "accepted" : `${judgement.code}, ${judgement.isFinal ? "final" : "transient"}`;
}

test("a grant that keeps every rule is accepted, with its fee and its deadline", () => {
  expect(judgeGrant([good], terms)).toMatchObject({
    kind: "accepted",
    amountSats: 9_880n,
    feeSats: 120n,
    htlcExpiryHeight: REQUESTED,
    latestExitHeight: NOW + 20,
  });
});

describe("the checks of lightning.md §9.4", () => {
  it.each<[string, string, () => readonly GrantedBytes[], Partial<GrantTerms>?]>([
    ["#1 bytes that are no VTXO", "SHORT_INPUT, transient", () => [{ ...good, bytes: good.bytes.slice(0, 40) }]],
    ["#1 an anchor that nobody knows", "ANCHOR_NOT_FOUND, transient", () => [{ ...good, anchor: { kind: "absent" } }]],
    ["#1 the transaction of another anchor", "ANCHOR_TXID_MISMATCH, transient", () => [{ ...good, anchor: grant().anchor }]],
    [
      "#1 a broken signature",
      "TRANSITION_INVALID_SIGNATURE, transient",
      () => [{ ...good, bytes: withBrokenSignature(good.bytes) }],
    ],
    ["#2 old scripts", "GRANT_NOT_HTLC_RECEIVE, transient", () => [grant({ kind: "server-htlc-receive" })]],
    ["#3 another payment hash", "GRANT_OTHER_PAYMENT_HASH, transient", () => [grant({ paymentHash: sha256(paymentHash) })]],
    ["#3 another user key", "GRANT_OTHER_USER_KEY, transient", () => [grant({ userPubkey: bob.publicKey })]],
    ["#4 an early expiry", "GRANT_EARLY_EXPIRY, transient", () => [grant({ htlcExpiryHeight: REQUESTED - 1 })]],
    ["#5 an inflated HTLC delta", "GRANT_WINDOW_TOO_SMALL, final", () => [grant({ htlcExpiryDelta: DELTA + 3 })]],
    ["#6 another server", "WRONG_SERVER_KEY, final", () => [good], { serverPubkey: bob.publicKey }],
    ["#6 a VTXO twice", "GRANT_REPEATED_VTXO, final", () => [good, good]],
    ["#6 two VTXOs for which one output would have to be spent twice", "GRANT_CONFLICTING, final", () => rivals(0)],
    ["#6 two VTXOs whose chains part on the way", "GRANT_CONFLICTING, final", () => rivals(3)],
    ["#6 two outputs of one transaction", "accepted", () => siblings()],
    ["#6 several policies", "GRANT_MIXED_POLICIES, final", () => [good, grant({ htlcExpiryHeight: REQUESTED + 1 })]],
    [
      "#6 VTXOs that expire soon",
      "GRANT_VTXO_EXPIRES_SOON, final",
      () => [grant({ htlcExpiryHeight: EXPIRY_HEIGHT + 300 })],
      { nowHeight: EXPIRY_HEIGHT - 29 },
    ],
    ["#7 an unconfirmed anchor", "GRANT_ANCHOR_UNCONFIRMED, transient", () => [{ ...good, isAnchorConfirmed: false }]],
    ["101 VTXOs", "GRANT_TOO_LARGE, final", () => new Array(101).fill(good)],
    ["100 VTXOs, if they were distinct", "GRANT_REPEATED_VTXO, final", () => new Array(100).fill(good)],
    ["more bytes than a VTXO has", "GRANT_TOO_LARGE, final", () => [{ ...good, bytes: new Uint8Array(128 * 1024 + 1) }]],
    ["no VTXO at all", "GRANT_TOO_LITTLE, transient", () => []],
    ["a sat too little", "GRANT_TOO_LITTLE, transient", () => [grant({}, 9_879n)]],
    ["an inflated reported amount", "GRANT_TOO_LITTLE, transient", () => [grant({}, 9_000n)], { reportedSats: 20_000n }],
    ["R1: a fee that grew since", "GRANT_FEE_RAISED, transient", () => [grant({}, 9_000n)], { feeOf: () => 1_000n }],
  ])("%s: %s", (_, expected, offered, more) => {
    expect(answer(offered(), more)).toBe(expected);
  });

  it("#5 leaves the two blocks of leniency and not one more", () => {
    expect(answer([good], { nowHeight: NOW + 2 })).toBe("accepted");
    expect(answer([good], { nowHeight: NOW + 3 })).toBe("GRANT_WINDOW_TOO_SMALL, final");
  });

  it("#6 measures the window with the depth of the chain where that is more than the margin (xm)", () => {
    const deep = deepGrant(13);
    expect(answer([deep], { nowHeight: NOW })).toBe("GRANT_WINDOW_TOO_SMALL, final");
    expect(answer([deep], { nowHeight: NOW - 1 })).toBe("accepted");
  });

  it("R10: check 4 is skipped where an earlier request was answered, check 5 is not", () => {
    const later = { requestedExpiryHeight: null, nowHeight: NOW + 2 };
    expect(answer([good], { ...later, requestedExpiryHeight: REQUESTED + 2 })).toBe("GRANT_EARLY_EXPIRY, transient");
    expect(answer([good], later)).toBe("accepted");
    expect(answer([good], { ...later, nowHeight: NOW + 3 })).toBe("GRANT_WINDOW_TOO_SMALL, final");
  });

  it("R8: where the server knows the preimage, no time protects anything", () => {
    expect(answer([good], { nowHeight: EXPIRY_HEIGHT, checkTimes: false })).toBe("accepted");
    expect(answer([good], { nowHeight: EXPIRY_HEIGHT, checkTimes: false, serverPubkey: bob.publicKey })).toBe(
      "WRONG_SERVER_KEY, final",
    );
  });

  it("the fee is that of the reported amount where it fits, and else that of the invoice", () => {
    const feeOf = (amountSats: bigint) => (amountSats === 9_999n ? 119n : 120n);
    const fee = (reportedSats: bigint) => {
      const judgement = judgeGrant([good], { ...terms, reportedSats, feeOf, invoiceSats: 9_999n });
      return judgement.kind === "accepted" ? judgement.feeSats : judgement.code;
    };
    expect([fee(9_999n), fee(10_000n)]).toEqual([119n, 120n]);
  });
});

test("several VTXOs come back in the order of their raw ids, not of their texts", () => {
  const offered = Array.from({ length: 6 }, () => grant({}, 2_000n));
  const judgement = judgeGrant(offered, terms);
  const ids = judgement.kind === "accepted" ? judgement.vtxos.map((vtxo) => vtxoId(vtxo)) : [];
  const raw = ids.map((id) => Buffer.from(encodeVtxoId(id)).toString("hex"));
  expect(raw).toHaveLength(6);
  expect(raw).toEqual(raw.toSorted());
});

test("the latest exit is that of the VTXO whose time runs out first", () => {
  const htlc = { exitDelta: 144, htlcExpiryDelta: 40, htlcExpiryHeight: 1_000, exitDepth: 3 };
  expect(latestReceiveExitHeight([htlc])).toBe(1_000 - 144 - 40 - 12);
  expect(latestReceiveExitHeight([htlc, { ...htlc, exitDepth: 40 }])).toBe(1_000 - 144 - 40 - 42);
  expect(latestReceiveExitHeight([htlc, { ...htlc, exitDelta: 200 }])).toBe(1_000 - 200 - 40 - 12);
});

/** One bit of the last genesis item's signature, which stands right before its outputs, policy and point. */
function withBrokenSignature(bytes: Uint8Array): Uint8Array {
  const broken = Uint8Array.from(bytes);
  const policyAndPoint = 1 + 33 + 32 + 4 + 2 + 36;
  const fee = 8;
  const sibling = 8 + 1 + 34;
  const at = broken.length - policyAndPoint - fee - sibling - 2 - 10;
  broken[at] = (broken[at] ?? 0) ^ 1;
  return broken;
}

describe("a grant in pieces too small to exit", () => {
  const small = { ...terms, invoiceSats: 1_000n, reportedSats: 1_000n, promisedFeeSats: 102n };

  test("is refused for good where they come to more than an honest server is left with", () => {
    const pieces = [grant({}, 300n), grant({}, 300n), grant({}, 300n)];
    expect(judgeGrant(pieces, small)).toMatchObject({ kind: "refused", code: "GRANT_OF_DUST", isFinal: true });
  });

  test("is accepted with one of them", () => {
    expect(judgeGrant([grant({}, 600n), grant({}, 300n)], small)).toMatchObject({ kind: "accepted", amountSats: 900n });
  });
});

import { describe, expect, it } from "vitest";
import { type AcceptedVtxo, deduplicate, judgeVtxo, type ReceivedVtxo, readableVtxoId } from "../../ark/accept.ts";
import { arkoorResults } from "../../ark/arkoor-result.ts";
import { buildArkoorPackage } from "../../ark/arkoor-transactions.ts";
import { equalBytes } from "../../ark/bytes.ts";
import { signJointly } from "../../ark/joint-signing.ts";
import type { UserPolicy } from "../../ark/policy.ts";
import { policyOutput } from "../../ark/policy-output.ts";
import { taprootSighash } from "../../ark/sighash.ts";
import { spentOutput } from "../../ark/spent-output.ts";
import { encodeTransaction, type Transaction, transactionId } from "../../ark/transaction.ts";
import { virtualTransaction } from "../../ark/virtual-transaction.ts";
import { encodeVtxo, type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import {
  alice,
  board,
  bob,
  destination,
  EXIT_DELTA,
  EXPIRY_HEIGHT,
  type KeyPair,
  pay,
  pubkeyPolicy,
  randomBytes,
  server,
} from "./payments.ts";

const funded = board(alice, 10_000n);
const anchor = { kind: "found", transaction: encodeTransaction(funded.anchor) } as const;
const [paid, rest] = pay([{ vtxo: funded.vtxo, owner: alice }], [destination(7_000n, bob), destination(3_000n, alice)]);
const [contract] = pay(
  [{ vtxo: funded.vtxo, owner: alice }],
  [
    {
      amountSats: 10_000n,
      policy: { kind: "server-htlc-send-v1", userPubkey: bob.publicKey, paymentHash: new Uint8Array(32), htlcExpiryHeight: 9 },
    },
  ],
);

/** Received by Bob, whose key has index 4. */
function received(vtxo: Vtxo<UserPolicy> | undefined, change: Partial<ReceivedVtxo> = {}): ReceivedVtxo {
  if (vtxo === undefined) throw new Error("expected a VTXO, got none");
  return {
    bytes: encodeVtxo(vtxo),
    anchor,
    tipHeight: 100_000,
    serverPubkey: server.publicKey,
    exitDelta: EXIT_DELTA,
    ownsKey: (key) => (equalBytes(key, bob.publicKey) ? 4 : undefined),
    ...change,
  };
}

describe("a received VTXO", () => {
  it("is accepted with the index of its key, and flagged while a former owner could collude", () => {
    expect(judgeVtxo(received(paid))).toEqual({
      kind: "accepted",
      id: vtxoId(some(paid)),
      vtxo: paid,
      keyIndex: 4,
      flags: ["untrustedArkoor"],
      spent: some(paid).genesis.map(() => expect.objectContaining({ txid: expect.any(String) })),
    });
  });

  it("is not flagged when each step was signed by an own key", () => {
    expect(judgeVtxo(received(rest, { ownsKey: () => 0 }))).toMatchObject({ kind: "accepted", flags: [] });
    expect(judgeVtxo(received(funded.vtxo, { ownsKey: () => 0 }))).toMatchObject({ kind: "accepted", flags: [] });
  });

  it.each([
    ["nobody but the server", [], ["untrustedArkoor"]],
    ["a stranger", [alice], ["untrustedArkoor"]],
    ["a stranger and its owner", [alice, bob], []],
  ])("whose step was signed by %s is flagged %j", (_, cosigners, flags) => {
    const { vtxo, anchor: transaction } = oneStep(cosigners);
    const input = received(vtxo, { anchor: { kind: "found", transaction: encodeTransaction(transaction) } });
    expect(judgeVtxo(input)).toMatchObject({ kind: "accepted", flags });
  });

  it("is flagged as dust below 330 sat, and as not standard beside a dust sibling", () => {
    const [big, , small] = pay([{ vtxo: funded.vtxo, owner: alice }], [destination(9_900n, bob), destination(100n, bob)]);
    expect(judgeVtxo(received(small))).toMatchObject({ kind: "accepted", flags: ["dust", "nonStandard", "untrustedArkoor"] });
    expect(judgeVtxo(received(big))).toMatchObject({ kind: "accepted", flags: ["untrustedArkoor"] });
  });

  const noSignature = arkoorResults(
    some(buildArkoorPackage({ inputs: [funded.vtxo], destinations: [destination(10_000n, bob)] })[0]),
  )[0];
  const bytes = encodeVtxo(some(paid));

  it.each<[string, ReceivedVtxo, { code: string; permanent: boolean; broken: boolean; id?: string }]>([
    [
      "that does not decode",
      received(paid, { bytes: Uint8Array.of(9, ...bytes.slice(1)) }),
      { code: "BAD_VERSION", permanent: true, broken: true, id: vtxoId(some(paid)) },
    ],
    [
      "whose anchor is not found",
      received(paid, { anchor: { kind: "absent" } }),
      { code: "ANCHOR_NOT_FOUND", permanent: false, broken: true },
    ],
    [
      "whose anchor came as other bytes",
      received(paid, { anchor: { kind: "found", transaction: bytes } }),
      { code: "BAD_TRANSACTION", permanent: false, broken: false },
    ],
    [
      "whose anchor came as another transaction",
      received(paid, { anchor: { kind: "found", transaction: encodeTransaction(board(alice, 10_000n, 7).anchor) } }),
      { code: "ANCHOR_TXID_MISMATCH", permanent: false, broken: false },
    ],
    ["without signatures", received(noSignature), { code: "TRANSITION_MISSING_SIGNATURE", permanent: true, broken: true }],
    [
      "with another amount",
      received({ ...some(paid), amountSats: 7_001n }),
      { code: "ANCHOR_OUTPUT_MISMATCH", permanent: true, broken: true },
    ],
    [
      "that is a contract",
      received(contract, { serverPubkey: alice.publicKey }),
      { code: "NOT_PUBKEY_POLICY", permanent: true, broken: false },
    ],
    [
      "of another server",
      received(paid, { serverPubkey: alice.publicKey, tipHeight: EXPIRY_HEIGHT }),
      { code: "WRONG_SERVER_KEY", permanent: false, broken: false },
    ],
    [
      "near its expiry",
      received(paid, { tipHeight: EXPIRY_HEIGHT - EXIT_DELTA, ownsKey: () => undefined }),
      { code: "NEAR_EXPIRY", permanent: false, broken: false },
    ],
    ["of somebody else", received(paid, { ownsKey: () => undefined }), { code: "NOT_OWNED", permanent: false, broken: false }],
  ])("%s is refused, in the order of the rules", (_, input, expected) => {
    expect(judgeVtxo(input)).toMatchObject({ kind: "refused", ...expected });
  });

  it.each([
    ["advertised", EXIT_DELTA + 50, EXPIRY_HEIGHT - EXIT_DELTA - 51],
    ["own", EXIT_DELTA - 50, EXPIRY_HEIGHT - EXIT_DELTA - 1],
  ])("needs an expiry beyond the larger exit delta: the %s one", (_, exitDelta, lastGoodTip) => {
    expect(judgeVtxo(received(paid, { exitDelta, tipHeight: lastGoodTip }))).toMatchObject({ kind: "accepted" });
    expect(judgeVtxo(received(paid, { exitDelta, tipHeight: lastGoodTip + 1 }))).toMatchObject({ code: "NEAR_EXPIRY" });
  });

  it("is near its expiry for a tip at the end of all heights", () => {
    expect(judgeVtxo(received(paid, { tipHeight: 0xffff_ffff }))).toMatchObject({ code: "NEAR_EXPIRY" });
  });

  it("is owned with its full key only: the other parity is somebody else", () => {
    const other = bob.publicKey.with(0, 5 - (bob.publicKey[0] ?? 0));
    expect(judgeVtxo(received(paid, { ownsKey: (key) => (equalBytes(key, other) ? 4 : undefined) }))).toMatchObject({
      code: "NOT_OWNED",
    });
  });
});

describe("the id of bytes that do not decode", () => {
  it("is read at their end", () => {
    expect(readableVtxoId(encodeVtxo(some(paid)))).toBe(vtxoId(some(paid)));
  });

  it("is unknown for what is too short to be a VTXO", () => {
    expect(readableVtxoId(new Uint8Array(155))).toBeUndefined();
    expect(readableVtxoId(new Uint8Array(156))).toBe(`${"00".repeat(32)}:0`);
    expect(judgeVtxo(received(paid, { bytes: new Uint8Array(0) }))).toMatchObject({ code: "SHORT_INPUT", id: undefined });
  });
});

describe("the accepted VTXOs of a message", () => {
  const one = accepted(received(paid));
  const two = accepted(received(rest, { ownsKey: () => 0 }));

  it("are new once each, in order; the others are known or repeated", () => {
    expect(deduplicate([two, one, two, one], () => false)).toEqual({ fresh: [two, one], known: [], repeated: [two, one] });
    expect(deduplicate([one, two, one], (id) => id === one.id)).toEqual({ fresh: [two], known: [one], repeated: [one] });
    expect(deduplicate([], () => true)).toEqual({ fresh: [], known: [], repeated: [] });
  });

  it("are the same when their bytes differ but their id does not", () => {
    const again = accepted(received({ ...some(paid) }));
    expect(deduplicate([one, again], () => false).fresh).toEqual([one]);
  });
});

/** Money of Bob behind one arkoor item with any cosigners, straight from the chain. */
function oneStep(cosigners: readonly KeyPair[]): { vtxo: Vtxo<UserPolicy>; anchor: Transaction } {
  const tapTweak = new Uint8Array(32).fill(1);
  const clientCosigners = cosigners.map(({ publicKey }) => publicKey);
  const transition = { kind: "arkoor", clientCosigners, tapTweak, signature: null } as const;
  const header = { serverPubkey: server.publicKey, expiryHeight: EXPIRY_HEIGHT, exitDelta: EXIT_DELTA };
  const amountSats = 5_000n;
  const spent = { amountSats, script: spentOutput(transition, header).script };
  const anchor = { ...funded.anchor, outputs: [spent] };
  const chainAnchor = { txid: transactionId(anchor), vout: 0 };
  const policy = pubkeyPolicy(bob);
  const exit = virtualTransaction(chainAnchor, [{ amountSats, script: policyOutput(policy, header).script }]);
  const signature = signJointly(
    [...cosigners, server].map(({ secretKey }) => secretKey),
    {
      message: taprootSighash(exit, { spentOutputs: [spent] }),
      tapTweak,
      auxRand: randomBytes(32),
    },
  );
  const genesis = [{ transition: { ...transition, signature }, outputIndex: 0, siblings: [], feeSats: 0n }];
  return { vtxo: { ...header, amountSats, chainAnchor, genesis, policy, point: { txid: transactionId(exit), vout: 0 } }, anchor };
}

function accepted(input: ReceivedVtxo): AcceptedVtxo {
  const judgement = judgeVtxo(input);
  if (judgement.kind === "refused") throw new Error(`expected an accepted VTXO, got ${judgement.code}`);
  return judgement;
}

function some<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("expected a value, got none");
  return value;
}

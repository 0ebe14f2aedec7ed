import { expect, test } from "vitest";
import { ArkoorCosignSession } from "../../ark/arkoor-cosign.ts";
import { ARKOOR_COSIGN_RULES } from "../../ark/arkoor-server.ts";
import { sha256 } from "../../ark/crypto.ts";
import { buildClaim } from "../../ark/lightning-claim.ts";
import type { UserPolicy } from "../../ark/policy.ts";
import { validateVtxo } from "../../ark/validate.ts";
import type { Vtxo } from "../../ark/vtxo.ts";
import { alice, answer, board, carol, pay, pubkeyPolicy, randomBytes } from "./payments.ts";

const policy: UserPolicy = {
  kind: "server-htlc-receive-v1",
  userPubkey: alice.publicKey,
  paymentHash: sha256(new Uint8Array(32)),
  htlcExpiryHeight: 100_300,
  htlcExpiryDelta: 40,
};

const pools = [board(carol, 3_000n, 50), board(carol, 200n, 51)];
const htlcs = pools.flatMap(({ vtxo }): Vtxo<UserPolicy>[] =>
  pay([{ vtxo, owner: carol }], [{ amountSats: vtxo.amountSats, policy }], "direct"),
);

test("a claim turns every HTLC, a dust one too, into money of the destination", () => {
  const parts = buildClaim(htlcs, pubkeyPolicy(alice));
  const secretKeys = parts.map(() => alice.secretKey);
  const session = ArkoorCosignSession.start({ parts, secretKeys, randomBytes });
  const rules = { ...ARKOOR_COSIGN_RULES, maxFanOut: 1, inputPolicies: [policy.kind], dustRule: false };
  const inputs = parts.map(({ input }) => input);
  const claimed = session.finish(answer(session.requests, inputs, rules), secretKeys);
  expect(claimed.map(({ amountSats }) => amountSats).toSorted()).toEqual([200n, 3_000n]);
  for (const vtxo of claimed) {
    expect(vtxo.policy).toEqual(pubkeyPolicy(alice));
    const pool = pools.find(({ vtxo: own }) => own.chainAnchor.txid === vtxo.chainAnchor.txid);
    if (pool === undefined) throw new Error("expected the anchor of a pool");
    validateVtxo(vtxo, pool.anchor);
  }
});

test("a claim is the same whatever the order in which the VTXOs are given", () => {
  const ids = (all: readonly Vtxo<UserPolicy>[]) =>
    buildClaim(all, pubkeyPolicy(alice)).map(({ transactions }) => transactions.map(({ txid }) => txid));
  expect(ids(htlcs)).toEqual(ids(htlcs.toReversed()));
});

import { describe, expect, it } from "vitest";
import type { Destination } from "../../ark/arkoor-allocation.ts";
import { arkoorAttestation } from "../../ark/arkoor-request.ts";
import { arkoorResults } from "../../ark/arkoor-result.ts";
import { type ArkoorInput, buildArkoorPackage, buildArkoorPart, spendingTxid } from "../../ark/arkoor-transactions.ts";
import { attestationDigest } from "../../ark/attestation.ts";
import { publicKeyOf, verifySchnorr, xOnly } from "../../ark/crypto.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { encodePolicy, type UserPolicy } from "../../ark/policy.ts";
import { policyOutput } from "../../ark/policy-output.ts";
import { encodeTransaction } from "../../ark/transaction.ts";
import { vtxoId } from "../../ark/vtxo.ts";
import { encodeVtxoId, outpointOf } from "../../ark/vtxo-id.ts";
import { arkoorVectors } from "./arkoor-vectors.ts";
import { alice, board, bob, destination } from "./payments.ts";

const known = arkoorVectors.package;
const [htlcAnswer, changeAnswer] = known.destinations;

/** The genesis plays no role for what is built on top. */
const input: ArkoorInput = {
  amountSats: BigInt(known.input.amountSats),
  expiryHeight: known.input.expiryHeight,
  serverPubkey: decodeHex(known.serverPubkey),
  exitDelta: known.input.exitDelta,
  chainAnchor: { txid: "00".repeat(32), vout: 0 },
  genesis: [],
  policy: { kind: "pubkey", userPubkey: decodeHex(known.inputUserPubkey) },
  point: outpointOf(known.input.point),
};
const htlcUser = publicKeyOf(decodeHex(known.secrets.htlcUser));
const htlcPolicy: UserPolicy = {
  kind: "server-htlc-send-v1",
  userPubkey: htlcUser,
  paymentHash: decodeHex(htlcAnswer.paymentHash),
  htlcExpiryHeight: htlcAnswer.htlcExpiryHeight,
};
const htlc: Destination = { amountSats: BigInt(htlcAnswer.amountSats), policy: htlcPolicy };
const change: Destination = { amountSats: BigInt(changeAnswer.amountSats), policy: pubkey(changeAnswer.userPubkey) };

describe("the package of arkoor.md §14.1", () => {
  const [part] = buildArkoorPackage({ inputs: [input], destinations: [htlc, change] });
  if (part === undefined) throw new Error("expected a part");
  const [checkpoint, first, second] = part.transactions;

  it("has the known keys, leaves, tweaks and scripts", () => {
    const spent = policyOutput(input.policy, input);
    const middle = policyOutput({ kind: "checkpoint", userPubkey: input.policy.userPubkey }, input);
    const contract = policyOutput(htlcPolicy, input);
    expect(encodeHex(spent.internalKey)).toBe(known.aggregateX);
    expect(spent.leaves.map(({ script }) => encodeHex(script))).toEqual([known.inputLeaf]);
    expect(encodeHex(spent.tapTweak)).toBe(known.inputTweak);
    expect(encodeHex(spent.script)).toBe(known.inputScript);
    expect(middle.leaves.map(({ script }) => encodeHex(script))).toEqual([known.checkpointLeaf]);
    expect(encodeHex(middle.tapTweak)).toBe(known.checkpointTweak);
    expect(contract.leaves.map(({ script }) => encodeHex(script))).toEqual(known.htlcLeaves);
    expect(encodeHex(contract.script)).toBe(known.htlcScript);
    expect(encodeHex(encodePolicy(htlcPolicy))).toBe(htlcAnswer.encodedPolicy);
  });

  it("has the known transactions and ids", () => {
    expect(part.transactions.map(({ kind }) => kind)).toEqual(["checkpoint", "arkoor", "arkoor"]);
    expect(checkpoint && encodeHex(encodeTransaction(checkpoint.transaction))).toBe(known.checkpointTx);
    expect(spendingTxid(part)).toBe(known.checkpointTxid);
    expect([first?.txid, second?.txid]).toEqual(known.arkoorTxids);
  });

  it("has the known signature hashes and tweaks, in wire order", () => {
    expect(part.transactions.map(({ sighash }) => encodeHex(sighash))).toEqual(known.sighashes);
    const tweaks = part.transactions.map(({ tapTweak }) => encodeHex(tapTweak));
    expect(tweaks).toEqual([known.inputTweak, known.checkpointTweak, known.checkpointTweak]);
  });

  it("is what the known signatures sign", () => {
    const verdicts = known.signatures.map((signature, i) => {
      const transaction = part.transactions[i];
      if (transaction === undefined) throw new Error("expected a transaction");
      return verifySchnorr(decodeHex(signature), transaction.sighash, transaction.spentOutput.script.slice(2));
    });
    expect(verdicts).toEqual([true, true]);
  });

  it("has the known attestation digest", () => {
    expect(encodeHex(attestationDigest(arkoorAttestation(part)))).toBe(known.attestationDigest);
  });

  it("can be spent again, giving the known chained id", () => {
    const { chained } = arkoorVectors;
    const [contract] = arkoorResults(part);
    if (contract === undefined) throw new Error("expected a VTXO");
    const [payee, rest] = chained.destinations;
    const next = buildArkoorPart(
      contract,
      {
        normal: [
          {
            amountSats: BigInt(payee.amountSats),
            policy: { kind: "pubkey", userPubkey: publicKeyOf(decodeHex(payee.userSecret)) },
          },
          { amountSats: BigInt(rest.amountSats), policy: pubkey(rest.userPubkey) },
        ],
        isolated: [],
      },
      "checkpoint",
    );
    expect(next.transactions.slice(0, 2).map(({ tapTweak }) => encodeHex(tapTweak))).toEqual(chained.tweaks);
    const [paid] = arkoorResults(next);
    expect(paid && encodeHex(encodeVtxoId(vtxoId(paid)))).toBe(chained.idHex);
    expect(
      paid?.genesis.slice(2).flatMap(({ transition }) => (transition.kind === "arkoor" ? transition.clientCosigners : [])),
    ).toEqual([htlcUser, htlcUser]);
  });
});

describe("the dust isolation of arkoor.md §14.2", () => {
  const answers = arkoorVectors.isolation;
  const [paidSats, dustSats] = answers.destinationsSats.map(BigInt);
  const destinations = [
    { amountSats: paidSats ?? 0n, policy: { kind: "pubkey", userPubkey: htlcUser } as const },
    { amountSats: dustSats ?? 0n, policy: change.policy },
  ];
  const modes = [
    {
      mode: "checkpoint",
      txids: [answers.checkpointMode.checkpointTxid, answers.checkpointMode.arkoorTxid, answers.checkpointMode.fanOutTxid],
      sighashes: answers.checkpointMode.sighashes,
    },
    {
      mode: "direct",
      txids: [answers.directMode.arkoorTxid, answers.directMode.fanOutTxid],
      sighashes: answers.directMode.sighashes,
    },
  ] as const;

  it.each(modes)("has the known transactions in $mode mode", ({ mode, txids, sighashes }) => {
    const [part] = buildArkoorPackage({ inputs: [input], destinations, mode });
    if (part === undefined) throw new Error("expected a part");
    expect(part.outputs.normal.map(({ amountSats }) => String(amountSats))).toEqual(answers.normalSats);
    expect(part.outputs.isolated.map(({ amountSats }) => String(amountSats))).toEqual(answers.isolatedSats);
    expect(part.transactions.map(({ txid }) => txid)).toEqual(txids);
    expect(part.transactions.map(({ sighash }) => encodeHex(sighash))).toEqual(sighashes);
    expect(encodeHex(attestationDigest(arkoorAttestation(part)))).toBe(answers.attestationDigest);
  });
});

describe("a package", () => {
  const { vtxo } = board(alice, 10_000n);

  it.each([
    ["without destinations", [], "ARKOOR_NO_OUTPUTS"],
    ["with a destination of 0 sat", [destination(10_000n, bob), destination(0n, alice)], "ARKOOR_NO_OUTPUTS"],
    ["that pays too little", [destination(9_999n, bob)], "ARKOOR_UNBALANCED"],
    ["that pays too much", [destination(10_001n, bob)], "ARKOOR_UNBALANCED"],
  ])("%s is refused", (_, destinations, code) => {
    expect(() => buildArkoorPackage({ inputs: [vtxo], destinations })).toThrow(expect.objectContaining({ code }));
  });

  it("commits the checkpoint to the user key of the input, not to that of the destination", () => {
    const [part] = buildArkoorPackage({ inputs: [vtxo], destinations: [destination(10_000n, bob)] });
    const expected = policyOutput({ kind: "checkpoint", userPubkey: alice.publicKey }, vtxo);
    expect(part?.transactions[1]?.spentOutput).toEqual({ amountSats: 10_000n, script: expected.script });
    expect(xOnly(expected.outputKey)).toEqual(expected.script.slice(2));
  });
});

function pubkey(hex: string): UserPolicy {
  return { kind: "pubkey", userPubkey: decodeHex(hex) };
}

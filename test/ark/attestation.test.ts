import { describe, expect, it } from "vitest";
import { type Attestation, attestationDigest, signAttestation, verifyAttestation } from "../../ark/attestation.ts";
import { sha256 } from "../../ark/crypto.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { decodeVtxoId } from "../../ark/vtxo-id.ts";
import { arkoorVectors } from "./arkoor-vectors.ts";
import { alice, bob } from "./payments.ts";

const answers = arkoorVectors.attestations;
const vtxoId = decodeVtxoId(decodeHex(answers.vtxoIdHex));
const userPubkey = decodeHex(answers.userPubkey);
const policy = { kind: "pubkey", userPubkey } as const;
const request = { amountSats: BigInt(answers.amountSats), policy };
const challenge = new Uint8Array(32).fill(0x42);

const signed: [Attestation, { readonly digest: string; readonly signature: string }][] = [
  [
    { kind: "interactive-round", vtxoId, challenge, destinations: [{ ...request, cosignPubkey: userPubkey }] },
    answers.interactiveRound,
  ],
  [{ kind: "delegated-round", vtxoId, destinations: [request] }, answers.delegatedRound],
  [{ kind: "lightning-receive", vtxoId, paymentHash: sha256(challenge) }, answers.lightningReceive],
  [{ kind: "vtxo-status", vtxoId }, answers.vtxoStatus],
];

describe("attestations (arkoor.md §14.3)", () => {
  it.each(signed)("$kind has the known digest, and its signature verifies", (attestation, { digest, signature }) => {
    expect(encodeHex(attestationDigest(attestation))).toBe(digest);
    expect(verifyAttestation(attestation, decodeHex(signature), userPubkey)).toBe(true);
    expect(verifyAttestation(attestation, decodeHex(signature), alice.publicKey)).toBe(false);
  });

  it("arkoor-cosign has the known digest", () => {
    const { amountSats, digest } = answers.arkoorCosign;
    const attestation: Attestation = {
      kind: "arkoor-cosign",
      vtxoId,
      destinations: [{ amountSats: BigInt(amountSats), policy }],
    };
    expect(encodeHex(attestationDigest(attestation))).toBe(digest);
  });
});

describe("an attestation", () => {
  const all: Attestation[] = [
    ...signed.map(([attestation]) => attestation),
    { kind: "arkoor-cosign", vtxoId, destinations: [request] },
    { kind: "offboard-request", output: { amountSats: 5n, script: new Uint8Array(34) }, inputs: [vtxoId] },
    { kind: "message", message: challenge },
  ];

  it.each(all)("of kind $kind is verified under the signer's key only, and for itself only", (attestation) => {
    const signature = signAttestation(attestation, alice.secretKey, challenge);
    expect(verifyAttestation(attestation, signature, alice.publicKey)).toBe(true);
    expect(verifyAttestation(attestation, signature, bob.publicKey)).toBe(false);
    for (const other of all.filter((candidate) => candidate !== attestation)) {
      expect(verifyAttestation(other, signature, alice.publicKey)).toBe(false);
    }
  });

  it("of an offboard covers output, count and inputs as arkoor.md §7 lays them out", () => {
    const tag = new TextEncoder().encode("Ark offboard request challenge  ");
    const body = decodeHex(`0500000000000000${"0151"}${"01000000"}${answers.vtxoIdHex}`);
    const attestation: Attestation = {
      kind: "offboard-request",
      output: { amountSats: 5n, script: Uint8Array.of(0x51) },
      inputs: [vtxoId],
    };
    expect(attestationDigest(attestation)).toEqual(sha256(tag, body));
  });

  it("of a free message has a short tag without padding", () => {
    expect(attestationDigest({ kind: "message", message: challenge })).toEqual(
      sha256(new TextEncoder().encode("bark/message"), challenge),
    );
  });
});

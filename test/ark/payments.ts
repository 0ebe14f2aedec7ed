import type { Destination } from "../../ark/arkoor-allocation.ts";
import { ArkoorCosignSession } from "../../ark/arkoor-cosign.ts";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../../ark/arkoor-request.ts";
import { ARKOOR_COSIGN_RULES, type ArkoorRpcRules, checkArkoorRequests, cosignArkoorPart } from "../../ark/arkoor-server.ts";
import { type ArkoorInput, type ArkoorMode, type ArkoorPart, buildArkoorPackage } from "../../ark/arkoor-transactions.ts";
import { boardFunding, buildBoard, signBoard } from "../../ark/board.ts";
import { publicKeyOf, scalarToBytes, sha256 } from "../../ark/crypto.ts";
import type { PubkeyPolicy, UserPolicy } from "../../ark/policy.ts";
import type { RandomBytes } from "../../ark/random-bytes.ts";
import { type Transaction, transactionId } from "../../ark/transaction.ts";
import type { Vtxo } from "../../ark/vtxo.ts";

/** A key pair from a small number. */
export interface KeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

function keyPair(secret: number): KeyPair {
  const secretKey = scalarToBytes(BigInt(secret));
  return { secretKey, publicKey: publicKeyOf(secretKey) };
}

export const server = keyPair(1_000);
export const alice = keyPair(1_001);
export const bob = keyPair(1_002);
export const carol = keyPair(1_003);

export const EXPIRY_HEIGHT = 101_010;
export const EXIT_DELTA = 144;

/** A repeatable source that never gives the same bytes twice. */
function countingBytes(): RandomBytes {
  let counter = 0;
  return (length) => sha256(scalarToBytes(BigInt(counter++))).slice(0, length);
}

export const randomBytes = countingBytes();

export function pubkeyPolicy(owner: KeyPair): PubkeyPolicy {
  return { kind: "pubkey", userPubkey: owner.publicKey };
}

export function destination(amountSats: bigint, owner: KeyPair): Destination {
  return { amountSats, policy: pubkeyPolicy(owner) };
}

/** A VTXO together with the transaction that contains its chain anchor. */
export interface Anchored<V extends Vtxo = Vtxo<PubkeyPolicy>> {
  readonly vtxo: V;
  readonly anchor: Transaction;
}

/** Money on chain that became a VTXO of `owner`; boards of different `nonce` have different ids. */
export function board(owner: KeyPair, amountSats: bigint, nonce = 0): Anchored {
  const terms = {
    userPubkey: owner.publicKey,
    serverPubkey: server.publicKey,
    expiryHeight: EXPIRY_HEIGHT,
    exitDelta: EXIT_DELTA,
  };
  const feeSats = 330n;
  const coinbase = { outpoint: { txid: "00".repeat(32), vout: nonce }, script: new Uint8Array(0), sequence: 0, witness: [] };
  const outputs = [{ amountSats: amountSats + feeSats, script: boardFunding(terms).script }];
  const anchor: Transaction = { version: 2, inputs: [coinbase], outputs, lockTime: 0 };
  const unsigned = buildBoard({ ...terms, amountSats, feeSats, fundingOutpoint: { txid: transactionId(anchor), vout: 0 } });
  const keys = { userSecretKey: owner.secretKey, serverSecretKey: server.secretKey };
  return { vtxo: signBoard(unsigned, keys, randomBytes), anchor };
}

/** An input and the key that spends it. */
export interface Spend {
  readonly vtxo: ArkoorInput;
  readonly owner: KeyPair;
}

/** Builds the parts of a package and starts one attempt to get it cosigned. */
export function startPackage(
  spends: readonly Spend[],
  destinations: readonly Destination[],
  mode: ArkoorMode = "checkpoint",
): { readonly parts: ArkoorPart[]; readonly session: ArkoorCosignSession; readonly secretKeys: Uint8Array[] } {
  const parts = buildArkoorPackage({ inputs: spends.map(({ vtxo }) => vtxo), destinations, mode });
  const secretKeys = spends.map(({ owner }) => owner.secretKey);
  return { parts, session: ArkoorCosignSession.start({ parts, secretKeys, randomBytes }), secretKeys };
}

/** A server that answers what it accepts. */
export function answer(
  requests: readonly ArkoorCosignRequest[],
  inputs: readonly ArkoorInput[],
  rules: ArkoorRpcRules = ARKOOR_COSIGN_RULES,
): ArkoorCosignResponse[] {
  const parts = inputs.flatMap((input, i) => {
    const request = requests[i];
    return request === undefined ? [] : [{ request, input }];
  });
  return checkArkoorRequests(parts, rules).map((part, i) =>
    cosignArkoorPart(part, requests[i]?.userPublicNonces ?? [], { secretKey: server.secretKey, randomBytes }),
  );
}

/** A whole payment, both sides with MuSig2: the VTXOs it creates. */
export function pay(
  spends: readonly Spend[],
  destinations: readonly Destination[],
  mode: ArkoorMode = "checkpoint",
): Vtxo<UserPolicy>[] {
  const { session, secretKeys } = startPackage(spends, destinations, mode);
  const inputs = spends.map(({ vtxo }) => vtxo);
  const rules: ArkoorRpcRules = {
    ...ARKOOR_COSIGN_RULES,
    useCheckpoint: mode === "checkpoint",
    maxFanOut: 255,
    inputPolicies: ["pubkey", "server-htlc-send-v1", "server-htlc-receive-v1"],
  };
  return session.finish(answer(session.requests, inputs, rules), secretKeys);
}

import { arkoorResults } from "./arkoor-result.ts";
import type { ArkoorPart } from "./arkoor-transactions.ts";
import { equalBytes } from "./bytes.ts";
import { bytesToScalar, GROUP_ORDER, hasEvenY, publicKeyOf, scalarToBytes, signSchnorr } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { aggregateKeys, aggregationTerms } from "./key-aggregation.ts";
import type { UserPolicy } from "./policy.ts";
import type { RandomBytes } from "./random-bytes.ts";
import type { Vtxo } from "./vtxo.ts";

/** A key-path spend of an aggregate of keys that one program holds all of. */
export interface JointSignature {
  /** 32 bytes. */
  readonly message: Uint8Array;
  /** Tap tweak (32 bytes) of the spent output. */
  readonly tapTweak: Uint8Array;
  /** 32 bytes. */
  readonly auxRand: Uint8Array;
}

/**
 * Signs alone for all cosigners of a taproot output: the result is as good as one that MuSig2 makes, and several
 * times cheaper. For simulators and tests: scalar arithmetic here is not hardened against timing.
 *
 * @throws ArkError `BAD_SECRET_KEY`, `EMPTY_COSIGNERS`
 */
export function signJointly(secretKeys: readonly Uint8Array[], request: JointSignature): Uint8Array {
  const signers = secretKeys.map((secretKey) => ({ secretKey, publicKey: publicKeyOf(secretKey) }));
  const publicKeys = signers.map(({ publicKey }) => publicKey);
  const sum = aggregationTerms(publicKeys).reduce((total, { scalar, point }) => {
    const signer = signers.find(({ publicKey }) => equalBytes(publicKey, point));
    return signer === undefined ? total : total + scalar * bytesToScalar(signer.secretKey);
  }, 0n);
  const even = hasEvenY(aggregateKeys(publicKeys)) ? sum : -sum;
  const tweaked = (even + bytesToScalar(request.tapTweak)) % GROUP_ORDER;
  return signSchnorr(request.message, scalarToBytes((tweaked + GROUP_ORDER) % GROUP_ORDER), request.auxRand);
}

/** Secret keys of both sides, in the hands of one program. */
export interface JointKeys {
  readonly userSecretKey: Uint8Array;
  readonly serverSecretKey: Uint8Array;
}

/**
 * Signs all transactions of a part for user and server, and returns the new VTXOs (arkoor.md §6). For simulators and
 * tests, see {@link signJointly}.
 *
 * @throws ArkError `ARKOOR_INCORRECT_KEY`, `BAD_SECRET_KEY`
 */
export function signArkoorPartJointly(part: ArkoorPart, keys: JointKeys, randomBytes: RandomBytes): Vtxo<UserPolicy>[] {
  checkJointKeys(keys, part.input.policy.userPubkey, part.input.serverPubkey);
  const secretKeys = [keys.userSecretKey, keys.serverSecretKey];
  const signatures = part.transactions.map(({ sighash, tapTweak }) =>
    signJointly(secretKeys, { message: sighash, tapTweak, auxRand: randomBytes(32) }),
  );
  return arkoorResults(part, signatures);
}

/** @throws ArkError `ARKOOR_INCORRECT_KEY` unless the secret keys belong to the public ones */
export function checkJointKeys(keys: JointKeys, userPubkey: Uint8Array, serverPubkey: Uint8Array): void {
  if (!equalBytes(publicKeyOf(keys.userSecretKey), userPubkey) || !equalBytes(publicKeyOf(keys.serverSecretKey), serverPubkey)) {
    throw new ArkError("ARKOOR_INCORRECT_KEY", "expected the secret keys of user and server, got others");
  }
}

/** MuSig2 with one x-only tap tweak, as cosigned Ark transactions use it (BIP-327, arkoor.md §5). */
import { nonceAggregate, nonceGen, Session } from "@scure/btc-signer/musig2.js";
import { compareBytes, equalBytes } from "./bytes.ts";
import { bytesToScalar, GROUP_ORDER, isValidPublicKey, isValidSecretKey, publicKeyOf } from "./crypto.ts";
import { ArkError } from "./errors.ts";

/** Bytes of a public nonce: two compressed points. */
const PUBLIC_NONCE_BYTES = 66;

/** Bytes of a partial signature: one scalar, big endian. */
const PARTIAL_SIGNATURE_BYTES = 32;

/**
 * Checks a peer's public nonce: two curve points, none at infinity (arkoor.md §9).
 *
 * @throws ArkError `ARKOOR_BAD_NONCE`
 */
export function decodePublicNonce(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== PUBLIC_NONCE_BYTES) {
    throw new ArkError("ARKOOR_BAD_NONCE", `expected ${PUBLIC_NONCE_BYTES} bytes, got ${bytes.length}`);
  }
  if (!isValidPublicKey(bytes.slice(0, 33)) || !isValidPublicKey(bytes.slice(33))) {
    throw new ArkError("ARKOOR_BAD_NONCE", "expected two curve points, got other bytes");
  }
  return Uint8Array.from(bytes);
}

/**
 * Checks a peer's partial signature: a scalar below the group order (arkoor.md §9). Whether it fits
 * anything is for {@link MusigSession.verifyPartial}.
 *
 * @throws ArkError `ARKOOR_BAD_PARTIAL_SIGNATURE`
 */
export function decodePartialSignature(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== PARTIAL_SIGNATURE_BYTES) {
    throw new ArkError("ARKOOR_BAD_PARTIAL_SIGNATURE", `expected ${PARTIAL_SIGNATURE_BYTES} bytes, got ${bytes.length}`);
  }
  if (bytesToScalar(bytes) >= GROUP_ORDER) {
    throw new ArkError("ARKOOR_BAD_PARTIAL_SIGNATURE", "expected a scalar below the group order, got a larger one");
  }
  return Uint8Array.from(bytes);
}

/** What {@link SecretNonce.generate} needs. */
export interface NonceRequest {
  /** Secret key of the signer (32 bytes). */
  readonly secretKey: Uint8Array;
  /** The message to sign (32 bytes). */
  readonly message: Uint8Array;
  /** 32 fresh random bytes, never used for anything else. */
  readonly random: Uint8Array;
}

/**
 * A secret nonce that signs at most one message.
 *
 * Signing twice with one nonce reveals the secret key. So the secret half never leaves this object,
 * exists in memory only, and is overwritten by the first attempt to sign, successful or not.
 */
export class SecretNonce {
  /** The public half (66 bytes), to be sent to the other signer. */
  readonly publicNonce: Uint8Array;
  #secret: Uint8Array | undefined;

  private constructor(publicNonce: Uint8Array, secret: Uint8Array) {
    this.publicNonce = publicNonce;
    this.#secret = secret;
  }

  /**
   * BIP-327 NonceGen with secret key, message and randomness; the aggregate key is left out.
   *
   * @throws ArkError `BAD_SECRET_KEY`
   */
  static generate(request: NonceRequest): SecretNonce {
    const { secretKey, message, random } = request;
    const nonces = nonceGen(publicKeyOf(secretKey), secretKey, undefined, message, undefined, random);
    return new SecretNonce(nonces.public, nonces.secret);
  }

  /** Whether the nonce can no longer sign. */
  get spent(): boolean {
    return this.#secret === undefined;
  }

  /**
   * Hands the secret half to `use` for one time and overwrites it afterwards.
   *
   * @throws ArkError `ARKOOR_NONCE_REUSED`
   */
  consume<Result>(use: (secret: Uint8Array) => Result): Result {
    const secret = this.#secret;
    if (secret === undefined) throw new ArkError("ARKOOR_NONCE_REUSED", "expected a fresh secret nonce, got one that has signed");
    this.#secret = undefined;
    try {
      return use(secret);
    } finally {
      secret.fill(0);
    }
  }

  /** Overwrites the secret half unused, for a session that will not be finished. */
  wipe(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
  }
}

/** One signer of a session. */
export interface Cosigner {
  /** 33 bytes. */
  readonly publicKey: Uint8Array;
  /** 66 bytes, already checked by {@link decodePublicNonce}. */
  readonly publicNonce: Uint8Array;
}

/** What is signed, by whom, for which taproot output. */
export interface MusigSessionOptions {
  /** In any order; partial signatures are given in the same order. */
  readonly cosigners: readonly Cosigner[];
  /** 32 bytes, usually a signature hash. */
  readonly message: Uint8Array;
  /** The tap tweak (32 bytes) of the output whose internal key is the aggregate of the cosigners. */
  readonly tapTweak: Uint8Array;
}

/** One signature in the making: keys, nonces, message and tweak are fixed. */
export class MusigSession {
  readonly #session: Session;
  readonly #cosigners: readonly Cosigner[];
  /** Positions in `#cosigners`, ordered by public key as BIP-327 KeySort does. */
  readonly #order: readonly number[];

  /** @throws ArkError `BAD_PUBKEY`, `ARKOOR_BAD_NONCE`, `BAD_TWEAK` */
  constructor(options: MusigSessionOptions) {
    const { cosigners, message, tapTweak } = options;
    for (const { publicKey } of cosigners) {
      if (!isValidPublicKey(publicKey)) throw new ArkError("BAD_PUBKEY", "expected a compressed curve point, got other bytes");
    }
    if (tapTweak.length !== 32 || bytesToScalar(tapTweak) >= GROUP_ORDER) {
      throw new ArkError("BAD_TWEAK", "expected a tap tweak below the group order, got other bytes");
    }
    this.#cosigners = cosigners.map(({ publicKey, publicNonce }) => ({
      publicKey: Uint8Array.from(publicKey),
      publicNonce: decodePublicNonce(publicNonce),
    }));
    this.#order = cosigners.map((_, i) => i).sort((a, b) => compareBytes(this.#at(a).publicKey, this.#at(b).publicKey));
    const sorted = this.#order.map((i) => this.#at(i));
    const aggregateNonce = nonceAggregate(sorted.map((cosigner) => cosigner.publicNonce));
    const publicKeys = sorted.map((cosigner) => cosigner.publicKey);
    this.#session = new Session(aggregateNonce, publicKeys, message, [tapTweak], [true]);
  }

  /** Whether a partial signature is the one of the cosigner at a position. Never throws. */
  verifyPartial(position: number, partialSignature: Uint8Array): boolean {
    const nonces = this.#order.map((i) => this.#at(i).publicNonce);
    try {
      return this.#session.partialSigVerify(partialSignature, nonces, this.#order.indexOf(position));
    } catch {
      return false;
    }
  }

  /**
   * The partial signature (32 bytes) of one cosigner. Consumes the secret nonce whatever happens.
   *
   * @throws ArkError `ARKOOR_NONCE_REUSED`, `BAD_SECRET_KEY`, `ARKOOR_INCORRECT_KEY` when key and nonce
   *   belong to none of the cosigners
   */
  sign(secretNonce: SecretNonce, secretKey: Uint8Array): Uint8Array {
    return secretNonce.consume((secret) => {
      if (!isValidSecretKey(secretKey)) throw new ArkError("BAD_SECRET_KEY", "expected 32 bytes in 1 … n − 1, got others");
      const publicKey = publicKeyOf(secretKey);
      const isCosigner = this.#cosigners.some(
        (cosigner) => equalBytes(cosigner.publicKey, publicKey) && equalBytes(cosigner.publicNonce, secretNonce.publicNonce),
      );
      if (!isCosigner) throw new ArkError("ARKOOR_INCORRECT_KEY", "expected key and nonce of a cosigner, got others");
      // No self-verification: the final signature is verified by whoever aggregates it, and costs less.
      return this.#session.sign(secret, secretKey, true);
    });
  }

  /**
   * The BIP-340 signature (64 bytes) of all partial signatures, in the order of the cosigners.
   *
   * @throws ArkError `ARKOOR_BAD_PARTIAL_SIGNATURE`
   */
  aggregate(partialSignatures: readonly Uint8Array[]): Uint8Array {
    if (partialSignatures.length !== this.#cosigners.length) {
      throw new ArkError(
        "ARKOOR_BAD_PARTIAL_SIGNATURE",
        `expected ${this.#cosigners.length} partial signatures, got ${partialSignatures.length}`,
      );
    }
    const sorted = this.#order.map((i) => decodePartialSignature(partialSignatures[i] ?? new Uint8Array()));
    return this.#session.partialSigAgg(sorted);
  }

  #at(position: number): Cosigner {
    const cosigner = this.#cosigners[position];
    if (cosigner === undefined) throw new RangeError(`expected a position below ${this.#cosigners.length}, got ${position}`);
    return cosigner;
  }
}

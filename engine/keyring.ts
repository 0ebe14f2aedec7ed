import { buildAddress, encodeAddress } from "../ark/address.ts";
import { ArkoorCosignSession } from "../ark/arkoor-cosign.ts";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../ark/arkoor-request.ts";
import type { ArkoorPart } from "../ark/arkoor-transactions.ts";
import { signAttestation } from "../ark/attestation.ts";
import { createAuthorization, encodeAuthorization } from "../ark/authorization.ts";
import { decodeHex } from "../ark/hex.ts";
import type { WalletKeys } from "../ark/keys.ts";
import type { UserPolicy } from "../ark/policy.ts";
import type { Vtxo } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Clock, Randomness } from "./ports.ts";

/** How far ahead of the last used key an owner is looked for (mailbox.md W-3, W-50). */
export const LOOK_AHEAD = 1_000;
/** Keys derived between two turns of the event loop, so that keep-alive survives a search. */
const SEARCH_STEP = 25;
const AUX_BYTES = 32;
/** Life of every authorization where the clock seems to be behind, in seconds: by this clock, or by the server's (mailbox.md W-31). */
const LONG_LIFE_S = 24 * 60 * 60;
const LIFE_BY_SERVER_S = 10 * 60;

/** The server's two keys, hex, as pinned at the first connection. */
export interface ServerPins {
  readonly serverPubkey: string;
  readonly mailboxPubkey: string;
}

/** An attempt to get a package cosigned: what to send, and what to do with the answer, once. */
export interface CosignAttempt {
  readonly requests: readonly ArkoorCosignRequest[];
  /** The new VTXOs; @throws ArkError of {@link ArkoorCosignSession.finish} */
  finish(responses: readonly ArkoorCosignResponse[]): Vtxo<UserPolicy>[];
  /** Overwrites the secret nonces. */
  abandon(): void;
}

/** Everything that needs a secret key, in one place: no other part of the engine sees one. */
export class Keyring {
  readonly #keys: WalletKeys;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  /** All keys before that index were derived, and are at hand. */
  #derivedTo = 0;
  #lastAuthorization: { readonly expiresAtS: bigint; readonly bytes: Uint8Array } | undefined;
  /** By how much the server's clock is ahead of this one, if it told. */
  serverAheadMs: number | undefined;
  /** By how much the chain's tip is ahead of this clock: so far the server's word is not the only one. */
  tipAheadMs = 0;
  /** Whether authorizations live longer, since the server seems to be ahead of the clock here (mailbox.md W-31). */
  isLongLived = false;
  /** Told when that helped. */
  onClockBehind: () => void = () => {};

  constructor(keys: WalletKeys, clock: Clock, randomness: Randomness) {
    this.#keys = keys;
    this.#clock = clock;
    this.#randomness = randomness;
  }

  get fingerprint(): string {
    return this.#keys.fingerprint;
  }

  get mailboxId(): Uint8Array {
    return this.#keys.mailboxId;
  }

  get recoveryMailboxId(): Uint8Array {
    return this.#keys.recoveryMailboxId;
  }

  /**
   * Index of the wallet's key, up to {@link LOOK_AHEAD} behind the last used one or as far as is said, or undefined.
   *
   * A foreign key costs a second or so the first time: the search yields to the event loop and ends with `signal`.
   */
  async ownerIndex(
    publicKey: Uint8Array,
    nextIndex: number,
    signal: AbortSignal,
    lookAhead = LOOK_AHEAD,
  ): Promise<number | undefined> {
    const end = nextIndex + lookAhead;
    for (let steps = 0; ; steps++) {
      const found = this.#keys.derivedVtxoKey(publicKey);
      if (found !== undefined && found < end) return found;
      if (this.#derivedTo >= end) return undefined;
      if (steps > 0) await this.#turn();
      signal.throwIfAborted();
      this.#deriveStep(end);
    }
  }

  /**
   * Derives the keys used so far, yielding to the event loop: of thousands it takes seconds, which {@link usedIndex} would
   * take in one go.
   *
   * @throws the reason of `signal`
   */
  async deriveUsed(nextIndex: number, signal: AbortSignal): Promise<void> {
    while (this.#derivedTo < nextIndex) {
      signal.throwIfAborted();
      this.#deriveStep(nextIndex);
      if (this.#derivedTo < nextIndex) await this.#turn();
    }
  }

  /** Index among the keys used so far, or undefined. */
  usedIndex(publicKey: Uint8Array, nextIndex: number): number | undefined {
    const found = this.#keys.derivedVtxoKey(publicKey);
    if (found !== undefined && found < nextIndex) return found;
    return this.#keys.findVtxoKey(publicKey, { from: Math.min(this.#derivedTo, nextIndex), to: nextIndex });
  }

  /**
   * A main-mailbox authorization of 105 bytes that lives that long (mailbox.md M-3, M-4). Its time is in whole seconds: those
   * of one second are one, since signing costs more than the page that it is for.
   */
  mailboxAuthorization(lifeSeconds: number): Uint8Array {
    const expiresAtS = this.#endOf(lifeSeconds);
    if (this.#lastAuthorization?.expiresAtS !== expiresAtS) {
      this.#lastAuthorization = { expiresAtS, bytes: this.mailboxAuthorizationUntil(expiresAtS) };
    }
    return this.#lastAuthorization.bytes;
  }

  /** One that expires at a given time, in seconds since the Unix epoch (mailbox.md M-8). */
  mailboxAuthorizationUntil(expiresAtS: number | bigint): Uint8Array {
    return this.#authorizeUntil(this.#keys.mailboxSecretKey(), this.mailboxId, BigInt(expiresAtS));
  }

  /** The same for the recovery mailbox (mailbox.md M-6). */
  recoveryAuthorization(lifeSeconds: number): Uint8Array {
    return this.#authorizeUntil(this.#keys.recoveryMailboxSecretKey(), this.recoveryMailboxId, this.#endOf(lifeSeconds));
  }

  /** Proof of ownership that a status query asks for (mailbox.md §3.8): 64 bytes. */
  statusAttestation(vtxoId: VtxoId, keyIndex: number): Uint8Array {
    return this.#withSecret(this.#keys.vtxoSecretKey(keyIndex), (secretKey) =>
      signAttestation({ kind: "vtxo-status", vtxoId }, secretKey, this.#randomness.bytes(AUX_BYTES)),
    );
  }

  /** The preimage (32 bytes) of a Lightning receive; hex of it is a secret until the claim. */
  receivePreimage(salt: Uint8Array): Uint8Array {
    return this.#keys.receivePreimage(salt);
  }

  /** Proof of a VTXO for the grant of a Lightning receive (lightning.md §9.4): 64 bytes. */
  receiveAttestation(vtxoId: VtxoId, keyIndex: number, paymentHash: Uint8Array): Uint8Array {
    return this.#withSecret(this.#keys.vtxoSecretKey(keyIndex), (secretKey) =>
      signAttestation({ kind: "lightning-receive", vtxoId, paymentHash }, secretKey, this.#randomness.bytes(AUX_BYTES)),
    );
  }

  /** Public key of 33 bytes at an index. */
  publicKey(keyIndex: number): Uint8Array {
    return this.#keys.vtxoPublicKey(keyIndex);
  }

  /**
   * One attempt to get a package cosigned, with nonces of its own that live in it alone (arkoor.md §5).
   *
   * @param keyIndices of the parts' inputs, in their order
   * @throws ArkError of {@link ArkoorCosignSession.start}
   */
  startCosigning(parts: readonly ArkoorPart[], keyIndices: readonly number[]): CosignAttempt {
    const withKeys = <T>(use: (secretKeys: Uint8Array[]) => T): T => {
      const secretKeys = keyIndices.map((index) => this.#keys.vtxoSecretKey(index));
      try {
        return use(secretKeys);
      } finally {
        for (const secretKey of secretKeys) secretKey.fill(0);
      }
    };
    const randomBytes = (length: number): Uint8Array => this.#randomness.bytes(length);
    const session = withKeys((secretKeys) => ArkoorCosignSession.start({ parts, secretKeys, randomBytes }));
    return {
      requests: session.requests,
      finish: (responses) => withKeys((secretKeys) => session.finish(responses, secretKeys)),
      abandon: () => session.abandon(),
    };
  }

  /** The wallet's address at a key index: the same index gives the same address (vtxo.md §7.3). */
  address(keyIndex: number, pins: ServerPins, mainnet: boolean): string {
    return this.#withSecret(this.#keys.vtxoSecretKey(keyIndex), (vtxoSecretKey) =>
      encodeAddress(
        buildAddress({
          serverPubkey: decodeHex(pins.serverPubkey),
          mailboxPubkey: decodeHex(pins.mailboxPubkey),
          vtxoSecretKey,
          mailboxId: this.#keys.mailboxId,
          mainnet,
        }),
      ),
    );
  }

  /** Overwrites the secrets; nothing can be signed afterwards. */
  wipe(): void {
    this.#lastAuthorization = undefined;
    this.#keys.wipe();
  }

  #deriveStep(end: number): void {
    const to = Math.min(this.#derivedTo + SEARCH_STEP, end);
    for (let index = this.#derivedTo; index < to; index++) this.#keys.vtxoPublicKey(index);
    this.#derivedTo = to;
  }

  /** Lets others have their turn. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(0, resolve));
  }

  /** The end of a life that begins now, in seconds since the Unix epoch. */
  #endOf(lifeSeconds: number): bigint {
    const lifeS = this.isLongLived ? this.#longLifeS() : lifeSeconds;
    return BigInt(Math.floor(this.#clock.nowMs() / 1000)) + BigInt(lifeS);
  }

  /** A server that tells a date far from this clock's and the tip's gets no authorization that lives longer for it (W-44). */
  #longLifeS(): number {
    const aheadS = Math.ceil((this.serverAheadMs ?? Number.NaN) / 1000);
    const isNear = aheadS >= 0 && aheadS + LIFE_BY_SERVER_S <= LONG_LIFE_S + Math.floor(this.tipAheadMs / 1000);
    return isNear ? aheadS + LIFE_BY_SERVER_S : LONG_LIFE_S;
  }

  #authorizeUntil(secret: Uint8Array, mailboxId: Uint8Array, expiresAt: bigint): Uint8Array {
    return this.#withSecret(secret, (secretKey) =>
      encodeAuthorization(createAuthorization({ secretKey, mailboxId, expiresAt, auxRand: this.#randomness.bytes(AUX_BYTES) })),
    );
  }

  #withSecret<T>(secret: Uint8Array, use: (secret: Uint8Array) => T): T {
    try {
      return use(secret);
    } finally {
      secret.fill(0);
    }
  }
}

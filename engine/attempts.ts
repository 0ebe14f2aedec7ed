import { decodeHex } from "../ark/hex.ts";
import { movementIdOf } from "../machines/books.ts";
import type { WalletState } from "./wallet-state.ts";

/** What the log says of the attempts at a payment hash. */
export interface Attempts {
  /** Instance of the attempt that is open, if one is. */
  readonly open: string | undefined;
  /**
   * What says that the invoice was paid: the attempt that succeeded, or came to know that somebody else's did; or, while
   * none is open, the record of a notice that showed the preimage (mailbox.md W-13). An attempt whose HTLCs left the wallet
   * without a word on its outcome may have been paid too: with its preimage the server could take those of another one.
   */
  readonly paid: string | undefined;
  /** Whether `paid` is an attempt of which only that is known that its HTLCs left the wallet. */
  readonly isUnsure: boolean;
  /** The preimage, hex, if an attempt has it. */
  readonly preimage: string | undefined;
  /** Instance of the last attempt, if there was any. */
  readonly last: string | undefined;
  /** Instance of the next attempt; to be begun only if none is open and none succeeded. */
  readonly next: string;
}

/**
 * Looks up the attempts at a payment hash: each has a movement, and movements are kept for ever.
 *
 * @param paymentHash hex
 */
export function attemptsAt(state: Readonly<WalletState>, paymentHash: string): Attempts {
  let open: string | undefined;
  let paid: string | undefined;
  let preimage: string | undefined;
  let isUnsure = false;
  let last: string | undefined;
  for (let attempt = 0; ; attempt++) {
    const instance = `lightning-send/${paymentHash}/${attempt}`;
    const movement = state.movements.get(movementIdOf(instance));
    if (movement === undefined) {
      const shown = open === undefined ? state.proofs.get(decodeHex(paymentHash)) : undefined;
      if (shown !== undefined && (paid === undefined || isUnsure)) {
        return { open, paid: `a notice, record ${shown}`, isUnsure: false, preimage, last, next: instance };
      }
      return { open, paid, isUnsure, preimage, last, next: instance };
    }
    last = instance;
    const status = "status" in movement ? movement.status : "successful";
    if (status === "pending") open = instance;
    const found = "metadata" in movement ? movement.metadata.payment_preimage : undefined;
    if (typeof found === "string") preimage = found;
    const isGivenUp = status === "failed" && "exited" in movement && movement.exited.length > 0;
    if (status !== "successful" && typeof found !== "string" && !isGivenUp) continue;
    paid = instance;
    isUnsure = isGivenUp && preimage === undefined;
  }
}

/** Whether an instance is the next attempt at its hash, all earlier ones having failed: none is paid twice. */
export function isNextAttempt(state: Readonly<WalletState>, instance: string): boolean {
  const [, paymentHash = ""] = instance.split("/");
  const { open, paid, next } = attemptsAt(state, paymentHash);
  return open === undefined && paid === undefined && next === instance;
}

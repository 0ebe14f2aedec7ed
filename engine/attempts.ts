import { movementIdOf } from "../machines/books.ts";
import type { WalletState } from "./wallet-state.ts";

/** What the log says of the attempts at a payment hash. */
export interface Attempts {
  /** Instance of the attempt that is open, if one is. */
  readonly open: string | undefined;
  /** Instance of the attempt that succeeded, or came to know that somebody else's did, if one has. */
  readonly paid: string | undefined;
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
  for (let attempt = 0; ; attempt++) {
    const instance = `lightning-send/${paymentHash}/${attempt}`;
    const movement = state.movements.get(movementIdOf(instance));
    if (movement === undefined) return { open, paid, next: instance };
    const status = "status" in movement ? movement.status : "successful";
    if (status === "pending") open = instance;
    const hasPreimage = "metadata" in movement && (movement.metadata.payment_preimage ?? null) !== null;
    if (status === "successful" || hasPreimage) paid = instance;
  }
}

/** Whether an instance is the next attempt at its hash, all earlier ones having failed: none is paid twice. */
export function isNextAttempt(state: Readonly<WalletState>, instance: string): boolean {
  const [, paymentHash = ""] = instance.split("/");
  const { open, paid, next } = attemptsAt(state, paymentHash);
  return open === undefined && paid === undefined && next === instance;
}

import { decodeHex } from "../ark/hex.ts";
import type { LightningFaults } from "./lightning-faults.ts";
import { isOpen, type LightningAttempt, type LightningReceive, type LightningStore } from "./lightning-store.ts";
import { encodeMessage, type NewRow } from "./mailbox-row.ts";
import type { MailboxStore } from "./mailbox-store.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

/** How long an accepted payment waits for its receiver (lightning.md §13.2). */
const ACCEPTED_MS = 180_000;

/** What the book stands on. */
export interface LightningBookParts {
  readonly store: LightningStore;
  readonly ledger: VtxoLedger;
  readonly mailboxes: MailboxStore;
  readonly faults: LightningFaults;
}

/** How Lightning payments through the server go on, each with its effects on HTLCs and mailboxes (lightning.md §13). */
export class LightningBook {
  readonly #parts: LightningBookParts;

  constructor(parts: LightningBookParts) {
    this.#parts = parts;
  }

  /** An incoming payment is held: the receiver is told. */
  accept(
    receive: LightningReceive,
    from: { readonly lowestExpiryHeight: number; readonly isIntraArk: boolean },
    nowMs: number,
  ): void {
    Object.assign(receive, from, { status: "accepted", acceptedAtMs: nowMs });
    this.#notify(receive.mailboxId, receive.paymentHash, "ln-recv-pending", {
      $case: "incomingLightningPayment",
      value: { paymentHash: decodeHex(receive.paymentHash), amountMsat: receive.amountSats * 1_000n },
    });
    this.#parts.store.changed();
  }

  /** The incoming payment, if there is one, goes back; a sender on this server has failed. */
  cancel(receive: LightningReceive): void {
    receive.status = "canceled";
    const attempt = this.#parts.store.attempt(receive.paymentHash);
    if (receive.isIntraArk && isOpen(attempt)) this.fail(attempt);
    this.#parts.store.changed();
  }

  /** The receiver has claimed: the incoming side is taken, and a sender on this server has paid. */
  settle(receive: LightningReceive, preimage: Uint8Array): void {
    receive.status = "settled";
    const attempt = this.#parts.store.attempt(receive.paymentHash);
    if (receive.isIntraArk && attempt) this.complete(attempt, preimage);
    this.#parts.store.changed();
  }

  /** A payment out succeeded: its HTLCs are the server's, the sender gets the preimage. */
  complete(attempt: LightningAttempt, preimage: Uint8Array): void {
    const { store, ledger, faults } = this.#parts;
    store.settle(attempt.paymentHash, preimage);
    attempt.status = "succeeded";
    attempt.falsePreimage = null;
    for (const id of attempt.htlcIds) if (ledger.get(id)?.state === "spendable") ledger.setState(id, "ln-spent");
    if (!faults.hidePreimages) this.notifySender(attempt, attempt.admissions === null ? preimage : null);
    store.changed();
  }

  /** A payment out failed: it can be revoked. */
  fail(attempt: LightningAttempt): void {
    attempt.status = "failed";
    this.notifySender(attempt, null);
    this.#parts.store.changed();
  }

  /** Tells the sender of an outcome; at most once for a payment hash, whatever comes later. */
  notifySender(attempt: LightningAttempt, preimage: Uint8Array | null): void {
    this.#notify(attempt.mailboxId, attempt.paymentHash, "ln-send-finished", {
      $case: "lightningSendFinished",
      value: { paymentHash: decodeHex(attempt.paymentHash), preimage: preimage ?? undefined },
    });
  }

  /** Does what time alone does: late invoices, receivers that did not come, payments that could not be tried. */
  advance(nowMs: number): void {
    const { store } = this.#parts;
    for (const receive of store.receives()) {
      const isUnfinished = receive.status === "created" || receive.status === "accepted" || receive.status === "htlcs-ready";
      const isForsaken = receive.status === "accepted" && nowMs >= (receive.acceptedAtMs ?? nowMs) + ACCEPTED_MS;
      if (isForsaken || (isUnfinished && nowMs >= receive.expiresAtMs)) this.cancel(receive);
    }
    for (const attempt of store.attempts()) {
      if (isOpen(attempt) && attempt.failsAtMs !== null && nowMs >= attempt.failsAtMs) this.fail(attempt);
    }
  }

  #notify(
    mailboxId: string | null,
    paymentHash: string,
    kind: NewRow["kind"] & ("ln-recv-pending" | "ln-send-finished"),
    message: Parameters<typeof encodeMessage>[0]["message"],
  ): void {
    if (mailboxId === null || this.#parts.faults.dropNotices) return;
    this.#parts.mailboxes.post(mailboxId, [{ kind, key: paymentHash, bytes: encodeMessage({ checkpoint: 0n, message }) }]);
  }
}

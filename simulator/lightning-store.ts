import type { VtxoId } from "../ark/vtxo-id.ts";

/** How far a payment out is; the first two are open (lightning.md §13). */
export type AttemptStatus = "requested" | "submitted" | "succeeded" | "failed";

/** One attempt of the server to pay an invoice for a wallet. */
export interface LightningAttempt {
  /** Hex. */
  readonly paymentHash: string;
  readonly amountSats: bigint;
  /** What pays the server when it learns the preimage. */
  readonly htlcIds: readonly VtxoId[];
  /** The sender's smallest. */
  readonly htlcExpiryHeight: number;
  /** The sender's mailbox, hex; `null` when none was given. */
  readonly mailboxId: string | null;
  /** Whether the payee is a user of the same server. */
  readonly isIntraArk: boolean;
  status: AttemptStatus;
  /** When reconciliation gives it up, Unix milliseconds: only where the expiry was too close to pay. */
  failsAtMs: number | null;
  /** What a lying server tells in place of the preimage. */
  falsePreimage: Uint8Array | null;
  /** A server that goes back on its word: how often success may still be told; `null` for an honest one. */
  admissions: number | null;
}

/** How far a payment in is (lightning.md §13). */
export type ReceiveStatus = "created" | "accepted" | "htlcs-ready" | "settled" | "canceled";

/** One invoice of a wallet: what the server calls a subscription. */
export interface LightningReceive {
  /** Hex. */
  readonly paymentHash: string;
  readonly bolt11: string;
  readonly amountSats: bigint;
  readonly finalCltvDelta: number;
  readonly expiresAtMs: number;
  /** The receiver's mailbox, hex; `null` when none was given. */
  readonly mailboxId: string | null;
  status: ReceiveStatus;
  /** Height at which the incoming payment times out; `null` before one arrived. */
  lowestExpiryHeight: number | null;
  acceptedAtMs: number | null;
  /** Whether the payer is a user of the same server. */
  isIntraArk: boolean;
  /** What was granted, sorted by raw bytes. */
  htlcIds: readonly VtxoId[];
}

/** What the server remembers of Lightning: settlements, attempts and subscriptions (lightning.md §13). */
export class LightningStore {
  readonly #preimages = new Map<string, Uint8Array>();
  readonly #attempts = new Map<string, LightningAttempt[]>();
  readonly #receives = new Map<string, LightningReceive[]>();
  readonly #waiting = new Set<() => void>();

  /** The preimage of a settled payment hash; the one source of truth. */
  preimage(paymentHash: string): Uint8Array | null {
    return this.#preimages.get(paymentHash) ?? null;
  }

  /** Records a settlement for ever. */
  settle(paymentHash: string, preimage: Uint8Array): void {
    if (!this.#preimages.has(paymentHash)) this.#preimages.set(paymentHash, Uint8Array.from(preimage));
    this.changed();
  }

  /** Every attempt, oldest first; those of one hash if it is given. */
  attempts(paymentHash?: string): LightningAttempt[] {
    if (paymentHash === undefined) return [...this.#attempts.values()].flat();
    return [...(this.#attempts.get(paymentHash) ?? [])];
  }

  /** The newest attempt for a hash. */
  attempt(paymentHash: string): LightningAttempt | null {
    return this.#attempts.get(paymentHash)?.at(-1) ?? null;
  }

  addAttempt(attempt: LightningAttempt): void {
    this.#attempts.set(attempt.paymentHash, [...(this.#attempts.get(attempt.paymentHash) ?? []), attempt]);
    this.changed();
  }

  /** Every subscription, oldest first. */
  receives(): LightningReceive[] {
    return [...this.#receives.values()].flat();
  }

  /** The newest subscription for a hash. */
  receive(paymentHash: string): LightningReceive | null {
    return this.#receives.get(paymentHash)?.at(-1) ?? null;
  }

  addReceive(receive: LightningReceive): void {
    this.#receives.set(receive.paymentHash, [...(this.#receives.get(receive.paymentHash) ?? []), receive]);
    this.changed();
  }

  /** Wakes calls that wait for a change. */
  changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Waits for the next change, or until the caller gives up. */
  async nextChange(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const wake = () => {
        end();
        resolve();
      };
      const abandon = () => {
        end();
        reject(signal.reason);
      };
      const end = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", abandon);
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", abandon);
    });
  }
}

/** Whether the server still works on an attempt. */
export function isOpen(attempt: LightningAttempt | null): attempt is LightningAttempt {
  return attempt?.status === "requested" || attempt?.status === "submitted";
}

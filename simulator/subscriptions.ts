import { Status } from "nice-grpc-common";
import type { MailboxStore } from "./mailbox-store.ts";

/** Why a waiting subscription goes on: something to read, bytes to pass on as they are, or the end. */
export type Wake =
  | { readonly kind: "read" }
  | { readonly kind: "inject"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }
  | { readonly kind: "cut"; readonly status: Status };

/** One open `SubscribeMailbox` stream, as seen by the rest of the simulator. */
export class Subscription {
  readonly mailboxId: string;
  readonly #injected: Uint8Array[] = [];
  #noticed = 0n;
  #closing: Wake | null = null;
  #wake: (() => void) | null = null;

  constructor(mailboxId: string) {
    this.mailboxId = mailboxId;
  }

  /** A mailbox write was announced. */
  notice(checkpoint: bigint): void {
    if (checkpoint > this.#noticed) this.#noticed = checkpoint;
    this.#wake?.();
  }

  /** Has bytes sent that are in no mailbox. */
  inject(bytes: Uint8Array): void {
    this.#injected.push(bytes);
    this.#wake?.();
  }

  /** Ends the stream, cleanly or with a status, before its next message. */
  close(how: Wake & { readonly kind: "end" | "cut" }): void {
    this.#closing ??= how;
    this.#wake?.();
  }

  /** How the stream shall end, once it shall. */
  get closing(): Wake | null {
    return this.#closing;
  }

  /**
   * Waits for something to do. A notice that is not above `lastEmitted`, compared unsigned, is passed over
   * (mailbox.md §3.6, point 4).
   */
  async next(lastEmitted: bigint, signal: AbortSignal): Promise<Wake> {
    for (;;) {
      if (this.#closing) return this.#closing;
      const bytes = this.#injected.shift();
      if (bytes) return { kind: "inject", bytes };
      if (this.#noticed > lastEmitted) {
        this.#noticed = 0n;
        return { kind: "read" };
      }
      if (signal.aborted) return { kind: "end" };
      await this.#sleep(signal);
    }
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        this.#wake = null;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

/** All open subscriptions of the server. */
export class Subscriptions {
  readonly #store: MailboxStore;
  readonly #open = new Map<Subscription, () => void>();
  #opened = 0;
  /** While true, mailbox writes wake nobody: clients learn of them at their next subscription or read. */
  dropNotices = false;

  constructor(store: MailboxStore) {
    this.#store = store;
  }

  /** How many streams are open now. */
  get size(): number {
    return this.#open.size;
  }

  /** How many streams were opened so far. */
  get opened(): number {
    return this.#opened;
  }

  open(mailboxId: string): Subscription {
    const subscription = new Subscription(mailboxId);
    const unwatch = this.#store.watch(mailboxId, (checkpoint) => {
      if (!this.dropNotices) subscription.notice(checkpoint);
    });
    this.#open.set(subscription, unwatch);
    this.#opened += 1;
    return subscription;
  }

  close(subscription: Subscription): void {
    this.#open.get(subscription)?.();
    this.#open.delete(subscription);
  }

  /** Sends bytes once into the streams that are open on a mailbox; answers how many. */
  inject(mailboxId: string, bytes: Uint8Array): number {
    const reached = [...this.#open.keys()].filter((subscription) => subscription.mailboxId === mailboxId);
    for (const subscription of reached) subscription.inject(bytes);
    return reached.length;
  }

  /** Ends every stream with status OK, as a server does that shuts down (mailbox.md §3.6, point 5). */
  endAll(): void {
    for (const subscription of this.#open.keys()) subscription.close({ kind: "end" });
  }

  /** Ends every stream with an error. */
  cutAll(status: Status = Status.UNAVAILABLE): void {
    for (const subscription of this.#open.keys()) subscription.close({ kind: "cut", status });
  }
}

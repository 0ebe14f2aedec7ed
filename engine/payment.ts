import { EmptyError, filter, firstValueFrom, type Observable } from "rxjs";
import { map, takeWhile } from "rxjs/operators";
import { type ForeignVtxo, instanceOf, isAction, movementIdOf } from "../machines/books.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { type Movement, toMovement } from "./movement-view.ts";
import { orAborted } from "./or-aborted.ts";
import { freshTip } from "./receive-grant.ts";
import { type PaymentNotice, toWalletEvent, type WalletEvent } from "./wallet-event.ts";

/** An event of a payment. */
export type PaymentEvent = Extract<WalletEvent, PaymentNotice>;

/** How a payment ended well. */
export interface SettledPayment {
  readonly id: string;
  readonly movement: Movement;
}

/** A payment that the log remembers: it goes on by itself while the wallet is connected, also after a restart. */
export class Payment {
  /** Names it for good: `Wallet.payment` finds it again. */
  readonly id: string;
  readonly #engine: Engine;

  /** @internal */
  constructor(id: string, engine: Engine) {
    this.id = id;
    this.#engine = engine;
  }

  /** What is durable of it. */
  get status(): PaymentNotice["status"] {
    const status = this.#movement()?.status ?? "pending";
    if (status !== "pending") return status;
    const { committed } = this.#engine;
    if (!committed.hasFinished(this.id)) return "pending";
    return committed.wasCanceled(this.id) ? "canceled" : "failed";
  }

  /** What happens to it from now on; completes at its end. */
  get events$(): Observable<PaymentEvent> {
    return this.#engine.committed$.pipe(
      map(toWalletEvent),
      filter((event): event is PaymentEvent => event !== undefined && "payment" in event && event.payment === this.id),
      takeWhile(({ status }) => status === "pending", true),
    );
  }

  /**
   * Resolves when it succeeded.
   *
   * @param options.signal ends the waiting; the payment goes on
   * @throws HeartwoodError `PAYMENT_FAILED` if nothing was paid, `WALLET_CLOSED`, `WALLET_FAILED`; the reason of `signal`
   */
  async settled(options: { readonly signal?: AbortSignal } = {}): Promise<SettledPayment> {
    options.signal?.throwIfAborted();
    // A success stands in the movement: the last record may be one that came after it, as that of a backup.
    const before = this.#movement();
    if (before?.status === "successful") return { id: this.id, movement: before };
    const end = this.#engine.committed.hasFinished(this.id) ? await this.#recordedEnd() : await this.#nextEnd(options.signal);
    const movement = this.#movement();
    if (end.status === "successful" && movement !== undefined) return { id: this.id, movement };
    const cause = Object.assign(new Error(end.message ?? end.status), { code: end.code ?? "CANCELED" });
    throw new HeartwoodError("PAYMENT_FAILED", `the payment ${end.status}: ${end.message ?? end.code ?? end.status}`, { cause });
  }

  /**
   * Lets a Lightning payment that the server neither ends nor gives back ask for an exit (`exit.required`) when its HTLCs'
   * expiry is near, and not only when the VTXOs themselves run out.
   *
   * @returns whether it may, now or since an earlier call: false, and nothing changes, where it has ended, or pays nothing out
   * over Lightning
   * @throws HeartwoodError `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async allowExit(): Promise<boolean> {
    const { committed } = this.#engine.feed({ instance: this.id, event: { type: "exit.allowed" } });
    const isAllowed = this.#engine.loop.pending.contextOf(this.id)?.isExitAllowed === true;
    await committed;
    return isAllowed;
  }

  /**
   * Gives up what only an exit brings back, when that exit was made or is not worth it: the VTXOs leave the wallet.
   *
   * Of a payment that has ended, what it left to be exited, at any time. Of a Lightning payment that is open, all of it,
   * once its HTLCs have expired: one that goes out and for which an exit was required, or one that comes in, whose preimage
   * is out, and which could not be claimed; without this the server is asked for ever. What was given up has no exit
   * transactions here any more: take them before (`Wallet.exitTransactions`).
   *
   * @throws HeartwoodError `NOT_CANCELLABLE` where it can go on, or left nothing to be exited, `WALLET_CLOSED`,
   * `WALLET_FAILED`; ChainError
   */
  async giveUp(): Promise<void> {
    const { loop, signal } = this.#engine;
    if (!loop.pending.instances.has(this.id)) return this.#endExits();
    const tipHeight = await freshTip(this.#engine, signal);
    const live = loop.pending.instances.get(this.id);
    const { taken, committed } = this.#engine.feed({ instance: this.id, event: { type: "giveUp.requested", tipHeight } });
    if (!taken) {
      const expected = `expected a payment past height ${live?.context.htlcExpiryHeight ?? "of its HTLCs"} that only an exit can end`;
      throw new HeartwoodError("NOT_CANCELLABLE", `${expected}, got one in ${live?.state ?? "its end"} at ${tipHeight}`);
    }
    await committed;
  }

  /**
   * VTXOs that are paid and that no mailbox took so far, in full encoding: the recipient can import them by hand. Empty
   * before they are signed and once they are delivered.
   *
   * @throws StoreError if a record is damaged
   */
  async undelivered(): Promise<readonly Uint8Array[]> {
    const { state, context = {} } = this.#engine.committed.instances.get(this.id) ?? {};
    // What a receive claimed is somebody else's only while it is delivered.
    const paid = (context.paid ?? (state === "Delivering" ? context.claimed : []) ?? []) as readonly ForeignVtxo[];
    return Promise.all(paid.map(({ source }) => this.#engine.blobs.vtxo(source)));
  }

  async #endExits(): Promise<void> {
    const { taken, committed } = this.#engine.feed({ instance: `exit/${this.id}`, event: { type: "exit.ended" } });
    if (!taken) {
      const expected = "expected a payment that is open, or left VTXOs that only an exit brings back";
      throw new HeartwoodError("NOT_CANCELLABLE", `${expected}, got one that has ended without`);
    }
    await committed;
  }

  async #recordedEnd(): Promise<PaymentNotice> {
    const record = await this.#engine.lastRecordOf(this.id);
    return toWalletEvent(record) as PaymentEvent;
  }

  async #nextEnd(signal: AbortSignal | undefined): Promise<PaymentNotice> {
    const ended = firstValueFrom(this.events$.pipe(filter(({ status }) => status !== "pending")));
    try {
      return await (signal === undefined ? ended : orAborted(ended, signal));
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof EmptyError) throw new HeartwoodError("WALLET_CLOSED", "the wallet was closed during a payment");
      throw new HeartwoodError("WALLET_FAILED", "the wallet stopped at a failure during a payment", { cause });
    }
  }

  #movement(): Movement | undefined {
    const row = this.#engine.committed.movements.get(movementIdOf(this.id));
    return row === undefined ? undefined : toMovement(row);
  }
}

/** The payments that are not finished. */
export function openPayments(engine: Engine): Payment[] {
  const open = [...engine.committed.instances].filter(([, { machine }]) => isAction(machine));
  return open.map(([name]) => new Payment(name, engine));
}

/**
 * A payment by its id, or by that of its movement.
 *
 * @throws HeartwoodError `NOT_FOUND`
 */
export function findPayment(engine: Engine, named: string): Payment {
  const { committed } = engine;
  const id = instanceOf(named);
  const isKnown = isAction(id.split("/")[0] ?? "") && (committed.instances.has(id) || committed.hasFinished(id));
  if (!isKnown) throw new HeartwoodError("NOT_FOUND", `expected a payment ${named} of this wallet, got none`);
  return new Payment(id, engine);
}

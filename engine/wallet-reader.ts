import type { Observable } from "rxjs";
import { mergeMap } from "rxjs/operators";
import { exitTransactions } from "../ark/exit.ts";
import { encodeHex } from "../ark/hex.ts";
import { encodeTransaction } from "../ark/transaction.ts";
import { decodeVtxo } from "../ark/vtxo.ts";
import type { EventLog } from "../store/event-log.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { type ExpiringOptions, type ExpiringVtxo, findExpiring } from "./expiry.ts";
import { type Explanation, explain } from "./explain.ts";
import { followEvents } from "./follow-events.ts";
import { followHistory } from "./follow-history.ts";
import type { History } from "./history.ts";
import { heldBytes } from "./import-vtxo.ts";
import { invoicesOf, type OpenInvoice } from "./invoice-view.ts";
import { type Movement, movementsOf } from "./movement-view.ts";
import { findPayment, openPayments, type Payment } from "./payment.ts";
import { proofOf } from "./proofs.ts";
import { transitionsOf } from "./transitions-of.ts";
import {
  type Balance,
  balanceOf,
  type QuarantinedVtxo,
  quarantineOf,
  statusOf,
  vtxosOf,
  type WalletStatus,
  type WalletVtxo,
} from "./view.ts";
import { toWalletEvent, type WalletEvent } from "./wallet-event.ts";

/** What a wallet says of itself and changes nothing: its money, its history, its events. All of it is durable. */
export abstract class WalletReader {
  readonly #engine: Engine;
  readonly #log: EventLog;

  /** @internal */
  protected constructor(engine: Engine, log: EventLog) {
    this.#engine = engine;
    this.#log = log;
  }

  /** What happens from now on. Errors if the wallet fails, completes when it is closed. For history: {@link events}. */
  get events$(): Observable<WalletEvent> {
    return this.#engine.committed$.pipe(
      mergeMap((transition) => [toWalletEvent(transition)].filter((event) => event !== undefined)),
    );
  }

  /**
   * What happened since a record, then what happens, without a gap and in order, as fast as it is consumed.
   *
   * Ends when the wallet is closed or `signal` is aborted.
   *
   * @param options.from the first record wanted; the beginning unless given
   * @throws HeartwoodError `WALLET_FAILED`; StoreError if a record is damaged
   */
  events(options: { readonly from?: bigint; readonly signal?: AbortSignal } = {}): AsyncIterable<WalletEvent> {
    return followEvents(this.#engine, this.#log, options);
  }

  /** The wallet's money. */
  balance(): Balance {
    return balanceOf(this.#engine.committed);
  }

  /** Its VTXOs, those that expire first at the front. */
  vtxos(): readonly WalletVtxo[] {
    return vtxosOf(this.#engine.committed);
  }

  /**
   * VTXOs that expire within a margin of the tip, or did, those that expire first at the front. Asks the chain source.
   *
   * @throws HeartwoodError `BAD_OPTION`, `WALLET_CLOSED`; ChainError if there is no tip to be had; StoreError if a record
   * is damaged; the reason of `signal`
   */
  async expiring(options: ExpiringOptions = {}): Promise<readonly ExpiringVtxo[]> {
    this.checkOpen();
    return findExpiring(this.#engine, options);
  }

  /** Its history, the oldest first. */
  movements(): readonly Movement[] {
    return movementsOf(this.#engine.committed);
  }

  /** Its Lightning invoices that wait for their payment, the oldest first; one that is paid stands in {@link movements}. */
  invoices(): readonly OpenInvoice[] {
    return invoicesOf(this.#engine.committed);
  }

  /** Server position of the last message that was fully consumed; 0 at the beginning. */
  checkpoint(): bigint {
    return this.#engine.committed.checkpoint;
  }

  /** What arrived and is not money now, with the reason. */
  quarantine(): readonly QuarantinedVtxo[] {
    return quarantineOf(this.#engine.committed);
  }

  /**
   * How a VTXO, a movement, a message (by its checkpoint) or a held item (by its key) came to be what it is: its records
   * in order, in words, with the rules that applied. Reads the log twice.
   *
   * @param id of a VTXO and of a key the first 8 digits will do
   * @throws HeartwoodError `NOT_FOUND`, `AMBIGUOUS_ID`, `WALLET_CLOSED`; StoreError if a record is damaged; the reason of
   * `signal`
   */
  async explain(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<Explanation> {
    this.checkOpen();
    const { seq: to, machines } = this.#engine.committed;
    return explain(() => transitionsOf(this.#log, { ...options, to }, machines), id);
  }

  /**
   * The wallet's log to look around in, as far as it goes and as it grows. It is read in small pieces in between, and
   * ends with the wallet; close it before.
   *
   * @throws HeartwoodError `WALLET_CLOSED`
   */
  history(): History {
    this.checkOpen();
    return followHistory(this.#engine, this.#log);
  }

  /** Everything at once. */
  status(): WalletStatus {
    return statusOf(this.#engine.committed);
  }

  /**
   * The encoding of a quarantined VTXO, as it arrived. Bytes that were above the day's budget are read from the server.
   *
   * @throws HeartwoodError `NOT_FOUND`, `NOT_CONNECTED` if only the server has them; StoreError if the record is damaged
   */
  async quarantinedBytes(key: string): Promise<Uint8Array> {
    const entry = this.#engine.committed.quarantine.get(key);
    if (entry === undefined) throw new HeartwoodError("NOT_FOUND", `expected a quarantined item ${key}, got none`);
    return heldBytes(this.#engine, entry);
  }

  /**
   * The full encoding of a VTXO of the wallet, with all that is needed to bring it on chain.
   *
   * @throws HeartwoodError `NOT_FOUND`; StoreError if the record is damaged
   */
  async vtxoBytes(id: string): Promise<Uint8Array> {
    const coin = this.#engine.committed.coins.get(id);
    if (coin === undefined) throw new HeartwoodError("NOT_FOUND", `expected a VTXO ${id} of this wallet, got none`);
    return this.#engine.blobs.vtxo(coin.source);
  }

  /**
   * The signed transactions that bring a VTXO of the wallet on chain, in the order in which they are broadcast, as hex. They
   * pay no fee: each has an anchor output for a child that does. Of one that is held too, if its bytes are whole: what a
   * server calls spent may be unspent, and hidden so (mailbox.md W-14).
   *
   * @throws HeartwoodError `NOT_FOUND`, `NOT_CONNECTED` if only the server has the bytes of what is held; ArkError if they are
   * broken; StoreError if the record is damaged
   */
  async exitTransactions(id: string): Promise<readonly string[]> {
    const { coins, quarantine } = this.#engine.committed;
    const held = coins.has(id) ? undefined : [...quarantine.values()].find((entry) => entry.id === id);
    const bytes = await (held === undefined ? this.vtxoBytes(id) : this.quarantinedBytes(held.key));
    const transactions = exitTransactions(decodeVtxo(bytes));
    return transactions.map((transaction) => encodeHex(encodeTransaction(transaction)));
  }

  /**
   * The preimage (hex) that proves a Lightning payment out: of a payment of this wallet, or as a notice of the server
   * showed it for one that was given back or that this wallet does not know; undefined if none is known.
   *
   * @param paymentHash 64 hex digits
   * @throws HeartwoodError `BAD_OPTION`, `WALLET_CLOSED`; StoreError if the record is damaged
   */
  async proofOfPayment(paymentHash: string): Promise<string | undefined> {
    this.checkOpen();
    if (!/^[0-9a-f]{64}$/.test(paymentHash)) {
      throw new HeartwoodError("BAD_OPTION", `expected a payment hash of 64 hex digits, got ${paymentHash.length} characters`);
    }
    return proofOf(this.#engine.committed, this.#log, paymentHash);
  }

  /** The payments that are not finished. */
  payments(): readonly Payment[] {
    return openPayments(this.#engine);
  }

  /**
   * A payment by its id, or by that of its movement, finished or not.
   *
   * @throws HeartwoodError `NOT_FOUND`
   */
  payment(id: string): Payment {
    return findPayment(this.#engine, id);
  }

  /**
   * @throws HeartwoodError `WALLET_CLOSED`
   * @internal
   */
  protected abstract checkOpen(): void;
}

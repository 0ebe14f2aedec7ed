import type { Observable } from "rxjs";
import { mergeMap } from "rxjs/operators";
import { exitTransactions } from "../ark/exit.ts";
import { encodeHex } from "../ark/hex.ts";
import { encodeTransaction } from "../ark/transaction.ts";
import { decodeVtxo } from "../ark/vtxo.ts";
import type { EventLog } from "../store/event-log.ts";
import { authorizeReader } from "./authorize-reader.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { type ExpiringOptions, type ExpiringVtxo, findExpiring } from "./expiry.ts";
import { type Explanation, explain } from "./explain.ts";
import { followEvents } from "./follow-events.ts";
import { followHistory } from "./follow-history.ts";
import type { History } from "./history.ts";
import { importVtxo, retryQuarantine, type VettedVtxo } from "./import-vtxo.ts";
import { cancelInvoice, giveUpReceive, type Invoice, type InvoiceOptions, makeInvoice } from "./invoice.ts";
import type { ServerPins } from "./keyring.ts";
import { type Movement, movementsOf } from "./movement-view.ts";
import { type PayOptions, pay, type Quote, QuoteBook, type QuoteOptions, quote } from "./pay.ts";
import { findPayment, openPayments, type Payment } from "./payment.ts";
import { type SendOptions, send } from "./send.ts";
import { runSync, type SyncOptions, type SyncResult } from "./sync.ts";
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
import { CONNECTION, WALLET } from "./wallet-state.ts";

/**
 * An open wallet. Readers see what is durable; everything it says is recomputed from the log when it is opened.
 *
 * Opened with `Heartwood.open`; give it back with `close` or `await using`.
 */
export class Wallet implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #quotes = new QuoteBook();
  readonly #log: EventLog;
  #attached: AsyncDisposable | undefined;
  #closing: Promise<void> | undefined;

  private constructor(engine: Engine, log: EventLog) {
    this.#engine = engine;
    this.#log = log;
  }

  /**
   * Use `Heartwood.open`.
   *
   * @internal
   */
  static on(engine: Engine, log: EventLog): Wallet {
    return new Wallet(engine, log);
  }

  /**
   * Gives the wallet something that reads its log, to be closed before it.
   *
   * @internal
   */
  attach(resource: AsyncDisposable): void {
    this.#attached = resource;
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

  /**
   * Follows the mailbox until the wallet is stopped or closed; reconnects by itself. If it runs already, this
   * only ends a wait after a failure.
   *
   * Trouble is an event (`connection.changed`, `package.halted`), never an exception here.
   *
   * @throws HeartwoodError `WALLET_CLOSED`, `WALLET_FAILED`
   */
  start(): void {
    this.#checkOpen();
    this.#engine.feed({ instance: CONNECTION, event: { type: "run.requested", mode: "live" } });
  }

  /** Ends what {@link start} began; the wallet stays open. Resolves when the connection is closed. */
  async stop(): Promise<void> {
    this.#checkOpen();
    await this.#engine.feed({ instance: CONNECTION, event: { type: "stop.requested" } }).committed;
    await this.#engine.connection.closed();
  }

  /**
   * Reads the mailbox until nothing is left, once, and says what happened. Beside a wallet that runs, or another sync, it
   * takes its turn: nothing is consumed twice.
   *
   * @throws HeartwoodError `SERVER_KEY_CHANGED`, `MAILBOX_KEY_CHANGED`; `MAILBOX_STUCK`, `WALLET_CLOSED`, `WALLET_FAILED`; StreamError if the server cannot be reached or refuses; ChainError
   * `CHAIN_WRONG_NETWORK`; the reason of `signal`
   */
  async sync(options: SyncOptions = {}): Promise<SyncResult> {
    this.#checkOpen();
    return runSync(this.#engine, options);
  }

  /**
   * An authorization of 105 bytes with which a third party can read the mailbox until then, rounded down to a second, and
   * nothing else (mailbox.md M-3, M-8).
   *
   * A bearer token: whoever has it reads every message of this seed's mailbox, on any server, and it cannot be taken back
   * (W-44). So it lives 30 days at most; give it away as you would a password, and never log it.
   *
   * @throws HeartwoodError `BAD_OPTION` for a time that is past or more than 30 days ahead, `WALLET_CLOSED`
   */
  mailboxAuthorization({ expiresAt }: { readonly expiresAt: Date }): Uint8Array {
    this.#checkOpen();
    return authorizeReader(this.#engine, expiresAt);
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
    this.#checkOpen();
    return findExpiring(this.#engine, options);
  }

  /** Its history, the oldest first. */
  movements(): readonly Movement[] {
    return movementsOf(this.#engine.committed);
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
    this.#checkOpen();
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
    this.#checkOpen();
    return followHistory(this.#engine, this.#log);
  }

  /** Everything at once. */
  status(): WalletStatus {
    return statusOf(this.#engine.committed);
  }

  /**
   * The encoding of a quarantined VTXO, as it arrived.
   *
   * @throws HeartwoodError `NOT_FOUND`; StoreError if the record is damaged
   */
  async quarantinedBytes(key: string): Promise<Uint8Array> {
    const entry = this.#engine.committed.quarantine.get(key);
    if (entry === undefined) throw new HeartwoodError("NOT_FOUND", `expected a quarantined item ${key}, got none`);
    return this.#engine.blobs.vtxo(entry.source);
  }

  /**
   * Takes a VTXO that came another way than the mailbox, such as one that was posted to a wrong mailbox
   * (mailbox.md W-5): kept, vetted like everything else, and credited once with a movement of its own. The same bytes
   * may be brought again. A wallet that is not connected vets them at its next connection.
   *
   * @param bytes the full encoding
   * @throws HeartwoodError `BAD_OPTION` for no bytes or more than 128 KiB, `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async importVtxo(bytes: Uint8Array): Promise<VettedVtxo> {
    this.#checkOpen();
    return importVtxo(this.#engine, bytes);
  }

  /**
   * Looks at held items now, whatever their next time is: at one, or at all that are not refused for good.
   *
   * @returns what became of each
   * @throws HeartwoodError `NOT_FOUND` for another key, `NOT_CONNECTED`, `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async retryQuarantine(key?: string): Promise<readonly VettedVtxo[]> {
    this.#checkOpen();
    return retryQuarantine(this.#engine, key);
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
   * pay no fee: each has an anchor output for a child that does.
   *
   * @throws HeartwoodError `NOT_FOUND`; StoreError if the record is damaged
   */
  async exitTransactions(id: string): Promise<readonly string[]> {
    const transactions = exitTransactions(decodeVtxo(await this.vtxoBytes(id)));
    return transactions.map((transaction) => encodeHex(encodeTransaction(transaction)));
  }

  /**
   * An Ark address that pays this wallet: the last one given out, or with `fresh` a new one, which is recorded before
   * it is returned.
   *
   * @throws HeartwoodError `SERVER_NOT_SEEN` before the first connection, `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async address(options: { readonly fresh?: boolean } = {}): Promise<string> {
    this.#checkOpen();
    const pins = this.#pins();
    const { loop } = this.#engine;
    if (options.fresh === true || typeof loop.pending.contextOf(WALLET)?.lastIssuedIndex !== "number") {
      this.#engine.feed({ instance: WALLET, event: { type: "address.issued" } });
    }
    const index = Number(loop.pending.contextOf(WALLET)?.lastIssuedIndex);
    await loop.settled();
    return this.#addressAt(index, pins);
  }

  /**
   * Pays to an Ark address. Resolves as soon as the payment is recorded: it then goes on by itself while the wallet is
   * connected, also after a restart, and its inputs are locked.
   *
   * @throws HeartwoodError `BAD_ADDRESS`, `BAD_AMOUNT`, `INSUFFICIENT_FUNDS`, `NOT_CONNECTED`, `SERVER_NOT_SEEN`,
   * `CHAIN_UNAVAILABLE`, `WALLET_RECONCILING`, `WALLET_RESTORING`, `WALLET_CLOSED`, `WALLET_FAILED`; the reason of `signal`
   */
  async send(address: string, amountSats: bigint, options: SendOptions = {}): Promise<Payment> {
    this.#checkOpen();
    return send(this.#engine, address, amountSats, options);
  }

  /**
   * What a payment of a Lightning invoice would take. The payment that follows takes the same inputs and fee, as long as
   * the inputs are free.
   *
   * @throws HeartwoodError as {@link pay}, but for `FEE_TOO_HIGH`
   */
  async quote(invoice: string, options: QuoteOptions = {}): Promise<Quote> {
    this.#checkOpen();
    return quote(this.#engine, this.#quotes, invoice, options);
  }

  /**
   * Pays a Lightning invoice (BOLT 11). Resolves as soon as the payment is recorded, as {@link send} does; an invoice that
   * is being paid already gives the payment that is under way. Proof of payment is in its movement, for ever.
   *
   * @throws HeartwoodError `BAD_INVOICE` with the reason as cause, `INVOICE_PAID`, `FEE_TOO_HIGH`, `INSUFFICIENT_FUNDS`,
   * `VTXOS_EXPIRE`, `LIGHTNING_UNAVAILABLE`, `NOT_CONNECTED`, `CHAIN_UNAVAILABLE`, `WALLET_RECONCILING`, `WALLET_RESTORING`,
   * `WALLET_CLOSED`, `WALLET_FAILED`; the reason of `signal`
   */
  async pay(invoice: string, options: PayOptions = {}): Promise<Payment> {
    this.#checkOpen();
    return pay(this.#engine, this.#quotes, invoice, options);
  }

  /**
   * A Lightning invoice that pays this wallet, or an Ark address. Resolves when the server made it; the money then comes in
   * by itself while the wallet is connected, also after a restart.
   *
   * @throws HeartwoodError `BAD_AMOUNT`, `BAD_OPTION`, `BAD_ADDRESS`, `INVOICE_FAILED`, `NOT_CONNECTED`,
   * `WALLET_RECONCILING`, `WALLET_RESTORING`, `WALLET_CLOSED`, `WALLET_FAILED`; the reason of `signal`
   */
  async invoice(options: InvoiceOptions): Promise<Invoice> {
    this.#checkOpen();
    return makeInvoice(this.#engine, options);
  }

  /**
   * Gives up an invoice whose payment has not come in, by its payment hash in hex; a payer that has paid gets the money
   * back.
   *
   * @throws HeartwoodError `NOT_FOUND`, `NOT_CANCELLABLE`, `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async cancelInvoice(paymentHash: string): Promise<void> {
    this.#checkOpen();
    return cancelInvoice(this.#engine, paymentHash);
  }

  /**
   * Gives up a payment whose preimage is out, which could not be claimed, and whose HTLCs have expired: without this it
   * is tried for ever.
   *
   * @throws HeartwoodError `NOT_FOUND`, `NOT_CANCELLABLE`, `WALLET_CLOSED`, `WALLET_FAILED`; ChainError
   */
  async giveUpReceive(paymentHash: string): Promise<void> {
    this.#checkOpen();
    return giveUpReceive(this.#engine, paymentHash);
  }

  /** The payments that are not finished. */
  payments(): readonly Payment[] {
    return openPayments(this.#engine);
  }

  /**
   * A payment by its id, finished or not.
   *
   * @throws HeartwoodError `NOT_FOUND`
   */
  payment(id: string): Payment {
    return findPayment(this.#engine, id);
  }

  /** Lets the wallet go: ends the connection, waits for what was decided to be durable. A second call waits too. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#engine.stop();
    } finally {
      await this.#attached?.[Symbol.asyncDispose]();
      await this.#log.close();
      this.#engine.keyring.wipe();
    }
  }

  #addressAt(keyIndex: number, pins: ServerPins): string {
    return this.#engine.keyring.address(keyIndex, pins, this.#engine.place.network === "bitcoin");
  }

  #pins(): ServerPins {
    const { serverPubkey, mailboxPubkey } = statusOf(this.#engine.committed);
    if (serverPubkey === null || mailboxPubkey === null) {
      throw new HeartwoodError(
        "SERVER_NOT_SEEN",
        "expected the server's keys, got none yet: connect once with sync() or start()",
      );
    }
    return { serverPubkey, mailboxPubkey };
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new HeartwoodError("WALLET_CLOSED", "expected an open wallet, got a closed one");
  }
}

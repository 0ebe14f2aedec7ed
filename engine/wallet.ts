import type { EventLog } from "../store/event-log.ts";
import { authorizeReader } from "./authorize-reader.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { importVtxo, retryQuarantine, type VettedVtxo } from "./import-vtxo.ts";
import { cancelInvoice, giveUpReceive, type Invoice, type InvoiceOptions, makeInvoice } from "./invoice.ts";
import type { ServerPins } from "./keyring.ts";
import { type PayOptions, pay, type Quote, QuoteBook, type QuoteOptions, quote } from "./pay.ts";
import type { Payment } from "./payment.ts";
import { type SendOptions, send } from "./send.ts";
import { runSync, type SyncOptions, type SyncResult } from "./sync.ts";
import { statusOf } from "./view.ts";
import { WalletReader } from "./wallet-reader.ts";
import { WALLET } from "./wallet-state.ts";

/** Indexes below that are derived without hardening (mailbox.md M-1). */
const MOST_KEYS = 2 ** 31;

/**
 * An open wallet. Readers see what is durable; everything it says is recomputed from the log when it is opened.
 *
 * Opened with `Heartwood.open`; give it back with `close` or `await using`.
 */
export class Wallet extends WalletReader implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #quotes = new QuoteBook();
  readonly #log: EventLog;
  #attached: AsyncDisposable | undefined;
  #closing: Promise<void> | undefined;

  private constructor(engine: Engine, log: EventLog) {
    super(engine, log);
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

  /**
   * Follows the mailbox until the wallet is stopped or closed; reconnects by itself. If it runs already, this
   * only ends a wait after a failure. During a sync it begins when that is done.
   *
   * Trouble is an event (`connection.changed`, `package.halted`), never an exception here.
   *
   * @throws HeartwoodError `WALLET_CLOSED`, `WALLET_FAILED`
   */
  start(): void {
    this.checkOpen();
    this.#engine.runs.start();
  }

  /** Ends what {@link start} began; the wallet stays open. Resolves when the connection is closed. */
  async stop(): Promise<void> {
    this.checkOpen();
    this.#engine.loop.checkRunning();
    this.#engine.runs.stop();
    await this.#engine.loop.settled();
    await this.#engine.connection.closed();
  }

  /**
   * Reads the mailbox until nothing is left, once, and says what happened. Beside a wallet that runs, or another sync, it
   * takes its turn: nothing is consumed twice.
   *
   * @throws HeartwoodError `SERVER_KEY_CHANGED`, `MAILBOX_KEY_CHANGED`; `MAILBOX_STUCK`, `MAILBOX_FLOODED`, `WALLET_CLOSED`, `WALLET_FAILED`; StreamError if the server cannot be reached or refuses; ChainError
   * `CHAIN_WRONG_NETWORK`; the reason of `signal`
   */
  async sync(options: SyncOptions = {}): Promise<SyncResult> {
    this.checkOpen();
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
    this.checkOpen();
    return authorizeReader(this.#engine, expiresAt);
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
    this.checkOpen();
    return importVtxo(this.#engine, bytes);
  }

  /**
   * Looks at held items now, whatever their next time is: at one, or at all that are not refused for good.
   *
   * @returns what became of each
   * @throws HeartwoodError `NOT_FOUND` for another key, `NOT_CONNECTED`, `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async retryQuarantine(key?: string): Promise<readonly VettedVtxo[]> {
    this.checkOpen();
    return retryQuarantine(this.#engine, key);
  }

  /**
   * Ends a restore that gets no answer about some VTXOs, as it is: the wallet pays again, and what is missing stays missing,
   * named in `status().restore.report`. Bytes of it that turn up are taken by {@link importVtxo}. Does nothing where no
   * restore is under way.
   *
   * @throws HeartwoodError `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async endRestore(): Promise<void> {
    this.checkOpen();
    await this.#engine.recovery.end();
  }

  /**
   * An Ark address that pays this wallet: the last one given out, or with `fresh` a new one, which is recorded before
   * it is returned.
   *
   * @throws HeartwoodError `SERVER_NOT_SEEN` before the first connection, `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async address(options: { readonly fresh?: boolean } = {}): Promise<string> {
    this.checkOpen();
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
   * The Ark address of one of the wallet's keys, such as those in `receivedOn` of a movement (mailbox.md M-51): where it
   * was paid.
   *
   * @throws HeartwoodError `BAD_OPTION` for a number that is no index, `SERVER_NOT_SEEN` before the first connection,
   * `WALLET_CLOSED`
   */
  addressAt(keyIndex: number): string {
    this.checkOpen();
    if (!Number.isInteger(keyIndex) || keyIndex < 0 || keyIndex >= MOST_KEYS) {
      throw new HeartwoodError("BAD_OPTION", `keyIndex: expected a number of 0 to ${MOST_KEYS - 1}, got ${keyIndex}`);
    }
    return this.#addressAt(keyIndex, this.#pins());
  }

  /**
   * Pays to an Ark address. Resolves as soon as the payment is recorded: it then goes on by itself while the wallet is
   * connected, also after a restart, and its inputs are locked.
   *
   * @throws HeartwoodError `BAD_ADDRESS`, `BAD_AMOUNT`, `INSUFFICIENT_FUNDS`, `NOT_CONNECTED`, `SERVER_NOT_SEEN`,
   * `CHAIN_UNAVAILABLE`, `WALLET_RECONCILING`, `WALLET_RESTORING`, `WALLET_CLOSED`, `WALLET_FAILED`; the reason of `signal`
   */
  async send(address: string, amountSats: bigint, options: SendOptions = {}): Promise<Payment> {
    this.checkOpen();
    return send(this.#engine, address, amountSats, options);
  }

  /**
   * What a payment of a Lightning invoice would take. The payment that follows takes the same inputs and fee, as long as
   * the inputs are free.
   *
   * @throws HeartwoodError as {@link pay}, but for `FEE_TOO_HIGH` and `QUOTE_STALE`
   */
  async quote(invoice: string, options: QuoteOptions = {}): Promise<Quote> {
    this.checkOpen();
    return quote(this.#engine, this.#quotes, invoice, options);
  }

  /**
   * Pays a Lightning invoice (BOLT 11), also one in a `bitcoin:` URI. Resolves as soon as the payment is recorded, as
   * {@link send} does; an invoice that is being paid already gives the payment that is under way. Proof of payment is in
   * its movement, for ever.
   *
   * @throws HeartwoodError `BAD_INVOICE` with the reason as cause, `INVOICE_PAID`, `FEE_TOO_HIGH`, `QUOTE_STALE`, `INSUFFICIENT_FUNDS`,
   * `VTXOS_EXPIRE`, `LIGHTNING_UNAVAILABLE`, `NOT_CONNECTED`, `CHAIN_UNAVAILABLE`, `WALLET_RECONCILING`, `WALLET_RESTORING`,
   * `WALLET_CLOSED`, `WALLET_FAILED`; the reason of `signal`
   */
  async pay(invoice: string, options: PayOptions = {}): Promise<Payment> {
    this.checkOpen();
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
    this.checkOpen();
    return makeInvoice(this.#engine, options);
  }

  /**
   * Gives up an invoice whose payment has not come in, by its payment hash in hex; a payer that has paid gets the money
   * back.
   *
   * @throws HeartwoodError `NOT_FOUND`, `NOT_CANCELLABLE`, `WALLET_CLOSED`, `WALLET_FAILED`
   */
  async cancelInvoice(paymentHash: string): Promise<void> {
    this.checkOpen();
    return cancelInvoice(this.#engine, paymentHash);
  }

  /**
   * Gives up a payment whose preimage is out, which could not be claimed, and whose HTLCs have expired: without this it
   * is tried for ever.
   *
   * @throws HeartwoodError `NOT_FOUND`, `NOT_CANCELLABLE`, `WALLET_CLOSED`, `WALLET_FAILED`; ChainError
   */
  async giveUpReceive(paymentHash: string): Promise<void> {
    this.checkOpen();
    return giveUpReceive(this.#engine, paymentHash);
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

  protected override checkOpen(): void {
    if (this.#closing !== undefined) throw new HeartwoodError("WALLET_CLOSED", "expected an open wallet, got a closed one");
  }
}

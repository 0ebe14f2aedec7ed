import { changePieces } from "../ark/arkoor-allocation.ts";
import { checkInvoicePayable } from "../ark/bolt11.ts";
import { ArkError } from "../ark/errors.ts";
import { type FeeSchedule, lightningSendFee } from "../ark/fees.ts";
import { encodeHex } from "../ark/hex.ts";
import {
  EXIT_MARGIN_BLOCKS,
  type ExpiringVtxo,
  lastSendHeight,
  MAX_SEND_LOCK_BLOCKS,
  SEND_EXPIRY_LENIENCY_BLOCKS,
} from "../ark/htlc-terms.ts";
import { type PaymentRequest, parsePaymentRequest, requestPaymentSats } from "../ark/payment-request.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { idsOf, type PaymentInput, sumOf } from "../machines/books.ts";
import { attemptsAt } from "./attempts.ts";
import { begin, inputsOf, sessionOf, tipOf } from "./begin-payment.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { refreshBlocksOf } from "./expiry.ts";
import { isFree, toInput } from "./free-coins.ts";
import { Payment } from "./payment.ts";
import { refuseWhileUnsure } from "./reconcile.ts";
import type { Coin } from "./wallet-rows.ts";

/** Inputs that expire within so many blocks are taken only if others do not suffice (lightning.md S10). */
const AVOIDED_BLOCKS = 4 * EXIT_MARGIN_BLOCKS;
/** Since when a server makes HTLCs that a preimage of another size cannot take (lightning.md, preface). */
const HTLC_PROTOCOL_VERSION = 5;
/** The fee up to which a payment goes out without a quote or a limit: above every schedule that is known (§5.2). */
const UNASKED_FEE_SATS = 100n;
const UNASKED_FEE_DIVISOR = 100n;
/** Quotes that are remembered. */
const MOST_QUOTES = 100;

/** Options of `Wallet.quote`. */
export interface QuoteOptions {
  /** What to pay, where the invoice, and the URI around it, leave it open. */
  readonly amountSats?: bigint;
  /** Ends the wait for the chain's tip. */
  readonly signal?: AbortSignal;
}

/** Options of `Wallet.pay`. */
export interface PayOptions extends QuoteOptions {
  /** Most that the fee may be. Unless given: the fee of a quote that was asked for before, else 100 sat and 1 %. */
  readonly maxFeeSats?: bigint;
  /** A quote to keep to, of this process or of an earlier one: `QUOTE_STALE` if that cannot be. */
  readonly quote?: Quote;
}

/** What a payment of an invoice would take. */
export interface Quote {
  /** Hex. */
  readonly paymentHash: string;
  /** Without the fee. */
  readonly amountSats: bigint;
  readonly feeSats: bigint;
  /** In the order in which they are spent. */
  readonly inputs: readonly VtxoId[];
  /** What the payee says it is for; it may be anything. */
  readonly description: string | null;
  readonly expiresAtMs: number;
  /** At the worst, the money comes back only after this height, and an exit besides (S5). */
  readonly lockedUntilHeight: number;
}

/** An amount with the fee and the inputs that pay it. */
interface Plan {
  readonly amountSats: bigint;
  readonly feeSats: bigint;
  readonly inputs: readonly PaymentInput[];
}

/** What was quoted, until it is paid: fee and inputs of the payment that follows (lightning.md §12, "fee"). */
export class QuoteBook {
  readonly #plans = new Map<string, Plan>();

  /** Replaces what was quoted for a payment hash; the oldest quote is forgotten when there are many. */
  keep(paymentHash: string, plan: Plan): void {
    this.#plans.delete(paymentHash);
    this.#plans.set(paymentHash, plan);
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > MOST_QUOTES && oldest !== undefined) this.#plans.delete(oldest);
  }

  /** What was quoted for that amount of a payment hash. */
  find(paymentHash: string, amountSats: bigint): Plan | undefined {
    const plan = this.#plans.get(paymentHash);
    return plan?.amountSats === amountSats ? plan : undefined;
  }
}

/** Says what a payment takes, and keeps to it in the one that follows. */
export async function quote(engine: Engine, quotes: QuoteBook, text: string, options: QuoteOptions): Promise<Quote> {
  options.signal?.throwIfAborted();
  const request = readRequest(text);
  const { invoice, paymentHash } = request;
  refusePaid(engine, paymentHash);
  refuseWhileUnsure(engine.loop.pending);
  const amountSats = payableSats(engine, request, options.amountSats);
  const terms = await termsOf(engine, options.signal);
  const plan = planOf(engine, terms, amountSats);
  quotes.keep(paymentHash, plan);
  return {
    paymentHash,
    amountSats,
    feeSats: plan.feeSats,
    inputs: idsOf(plan.inputs),
    description: invoice.description ?? null,
    expiresAtMs: Number(invoice.createdAtS + invoice.expiryS) * 1_000,
    lockedUntilHeight: terms.htlcExpiryHeight,
  };
}

/** Records a payment of an invoice, which then goes on by itself (lightning.md §8.2). */
export async function pay(engine: Engine, quotes: QuoteBook, text: string, options: PayOptions): Promise<Payment> {
  options.signal?.throwIfAborted();
  const request = readRequest(text);
  const { invoice, paymentHash } = request;
  refusePaid(engine, paymentHash);
  const known = openAttempt(engine, paymentHash);
  if (known !== undefined) return known;
  refuseWhileUnsure(engine.loop.pending);
  const amountSats = payableSats(engine, request, options.amountSats);
  const terms = await termsOf(engine, options.signal);

  // One tick from here to the record: what was true before the wait is looked at again.
  refusePaid(engine, paymentHash);
  const meanwhile = openAttempt(engine, paymentHash);
  if (meanwhile !== undefined) return meanwhile;
  refuseWhileUnsure(engine.loop.pending);
  const held = options.quote === undefined ? undefined : heldPlan(engine, terms, options.quote, { paymentHash, amountSats });
  const quoted = held ?? quotes.find(paymentHash, amountSats);
  const isKept = quoted !== undefined && areUsable(engine, idsOf(quoted.inputs), terms);
  const plan = isKept ? quoted : planOf(engine, terms, amountSats);
  refuseDear(plan.feeSats, options.maxFeeSats ?? quoted?.feeSats ?? defaultMaxFeeSats(amountSats));
  const { feeSats, inputs } = plan;
  const paidSats = amountSats + feeSats;
  const { htlcExpiryHeight } = terms;
  const refreshBlocks = refreshBlocksOf(engine.place.network);
  return begin(engine, {
    instance: attemptsAt(engine.loop.pending, paymentHash).next,
    event: {
      type: "payment.requested",
      invoice: invoice.text,
      paymentHash,
      amountSats,
      feeSats,
      inputs,
      changePieces: changePieces(sumOf(inputs) - paidSats, paidSats),
      htlcExpiryHeight,
      refreshBlocks,
    },
  });
}

/** What server and chain say at this moment. */
interface Terms {
  readonly tipHeight: number;
  readonly htlcExpiryHeight: number;
  readonly maxExitDepth: number;
  readonly fees: FeeSchedule["lightningSend"];
}

async function termsOf(engine: Engine, signal: AbortSignal | undefined): Promise<Terms> {
  const tipHeight = await tipOf(engine, signal);
  const { info, protocolVersion } = sessionOf(engine);
  if (protocolVersion < HTLC_PROTOCOL_VERSION) {
    const message = `expected a server of protocol version ${HTLC_PROTOCOL_VERSION}, got ${protocolVersion}`;
    throw new HeartwoodError("LIGHTNING_UNAVAILABLE", message);
  }
  const { htlcSendExpiryDelta, maxVtxoExitDepth: maxExitDepth, fees } = info;
  if (htlcSendExpiryDelta > MAX_SEND_LOCK_BLOCKS) {
    const message = `expected a server that locks money for at most ${MAX_SEND_LOCK_BLOCKS} blocks, got ${htlcSendExpiryDelta}`;
    throw new HeartwoodError("LIGHTNING_UNAVAILABLE", message);
  }
  const htlcExpiryHeight = tipHeight + htlcSendExpiryDelta + SEND_EXPIRY_LENIENCY_BLOCKS;
  return { tipHeight, htlcExpiryHeight, maxExitDepth, fees: fees.lightningSend };
}

/** Of VTXOs that last until the payment is over: soon-expiring deep ones are passed over for others (S10). */
function planOf(engine: Engine, terms: Terms, amountSats: bigint): Plan {
  const { tipHeight, maxExitDepth, fees } = terms;
  const feeOf = (selected: readonly Coin[]) => lightningSendFee(fees, amountSats, selected, tipHeight);
  const choice = { targetSats: amountSats, maxExitDepth, avoidUpTo: tipHeight + AVOIDED_BLOCKS, feeOf };
  const inputs = orExpiring(
    () => inputsOf(engine, { ...choice, isUsable: (coin) => isLasting(coin, tipHeight) }),
    () => inputsOf(engine, { ...choice, isUsable: () => true }),
  );
  return { amountSats, feeSats: lightningSendFee(fees, amountSats, inputs, tipHeight), inputs };
}

/** Tells too little money from money that runs out too soon. */
function orExpiring<T>(choose: () => T, chooseAmongAll: () => T): T {
  try {
    return choose();
  } catch (error) {
    if (!(error instanceof HeartwoodError) || error.code !== "INSUFFICIENT_FUNDS") throw error;
    chooseAmongAll();
    const expected = "expected VTXOs that last until the payment is over, got too many that expire before";
    throw new HeartwoodError("VTXOS_EXPIRE", expected, { cause: error });
  }
}

/** Whether a payment out of it would not be given up at once because it expires (S10); HTLCs are two items deeper. */
function isLasting({ expiryHeight, exitDepth }: ExpiringVtxo, tipHeight: number): boolean {
  return tipHeight <= lastSendHeight([{ expiryHeight, exitDepth: exitDepth + 2 }]);
}

/** Whether these are free and last. */
function areUsable({ loop }: Engine, ids: readonly VtxoId[], { tipHeight }: Terms): boolean {
  const { pending } = loop;
  return ids.every((id) => {
    const coin = pending.coins.get(id);
    return coin !== undefined && isFree(pending, id) && isLasting(coin, tipHeight);
  });
}

function readRequest(text: string): PaymentRequest & { readonly paymentHash: string } {
  const request = orBadInvoice(() => parsePaymentRequest(text));
  return { ...request, paymentHash: encodeHex(request.invoice.paymentHash) };
}

function payableSats({ place, clock }: Engine, request: PaymentRequest, askedSats: bigint | undefined): bigint {
  return orBadInvoice(() => {
    checkInvoicePayable(request.invoice, { network: place.network, nowMs: clock.nowMs() });
    return requestPaymentSats(request, askedSats);
  });
}

function orBadInvoice<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof ArkError)) throw cause;
    throw new HeartwoodError("BAD_INVOICE", `expected an invoice that this wallet can pay: ${cause.message}`, { cause });
  }
}

/** Answered from the wallet's own records (lightning.md §16 #12). */
function refusePaid({ loop }: Engine, paymentHash: string): void {
  const { paid, isUnsure } = attemptsAt(loop.pending, paymentHash);
  if (paid === undefined) return;
  const why = isUnsure ? ", which was given up and may have been paid all the same: ask the payee, or for another invoice" : "";
  throw new HeartwoodError("INVOICE_PAID", `expected an invoice that is to be paid, got that of ${paid}${why}`);
}

function openAttempt(engine: Engine, paymentHash: string): Payment | undefined {
  const { open } = attemptsAt(engine.loop.pending, paymentHash);
  return open === undefined ? undefined : new Payment(open, engine);
}

/** What the fee of a payment may be where nobody said it: a server announces whatever it likes (lightning.md §5.2). */
function defaultMaxFeeSats(amountSats: bigint): bigint {
  return UNASKED_FEE_SATS + amountSats / UNASKED_FEE_DIVISOR;
}

/**
 * What the owner holds a quote of: that, or nothing.
 *
 * @throws HeartwoodError `QUOTE_STALE`
 */
function heldPlan(engine: Engine, terms: Terms, quoted: Quote, asked: Pick<Quote, "paymentHash" | "amountSats">): Plan {
  const { amountSats, feeSats, paymentHash, inputs: ids } = quoted;
  const stale = (expected: string, got: string) => new HeartwoodError("QUOTE_STALE", `expected ${expected}, got ${got}`);
  if (paymentHash !== asked.paymentHash || amountSats !== asked.amountSats) {
    throw stale(`a quote of ${asked.amountSats} sat to ${asked.paymentHash}`, `one of ${amountSats} sat to ${paymentHash}`);
  }
  if (!areUsable(engine, ids, terms)) throw stale("the VTXOs of the quote free and lasting", "some that are not");
  const { coins } = engine.loop.pending;
  const inputs = ids.flatMap((id) => coins.get(id) ?? []).map(toInput);
  const nowSats = lightningSendFee(terms.fees, amountSats, inputs, terms.tipHeight);
  if (nowSats > feeSats) throw stale(`a fee of ${feeSats} sat, as quoted`, `${nowSats} sat by the schedule of now`);
  if (sumOf(inputs) < amountSats + feeSats) throw stale(`inputs of ${amountSats + feeSats} sat`, `${sumOf(inputs)} sat`);
  return { amountSats, feeSats, inputs };
}

function refuseDear(feeSats: bigint, mostSats: bigint): void {
  if (feeSats <= mostSats) return;
  throw new HeartwoodError("FEE_TOO_HIGH", `expected a fee of at most ${mostSats} sat, got ${feeSats}`);
}

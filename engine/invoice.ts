import { EmptyError, filter, firstValueFrom } from "rxjs";
import { checkAddressPayable, parseAddress } from "../ark/address.ts";
import { sha256 } from "../ark/crypto.ts";
import { ArkError } from "../ark/errors.ts";
import { lightningReceiveFee } from "../ark/fees.ts";
import { encodeHex } from "../ark/hex.ts";
import { invoiceCltvDelta } from "../ark/htlc-terms.ts";
import type { ActionOutcome } from "../machines/books.ts";
import type { ClaimDestination, LightningReceiveContext } from "../machines/lightning-receive.ts";
import { forMany } from "../streams/for-many.ts";
import type { ServerSession } from "../streams/session.ts";
import { begin, sessionOf } from "./begin-payment.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { orAborted } from "./or-aborted.ts";
import { Payment } from "./payment.ts";
import { refuseWhileUnsure } from "./reconcile.ts";
import type { Transition } from "./transition.ts";

const SALT_BYTES = 16;
/** Longest description: what fits a field of an invoice (BOLT 11). */
const DESCRIPTION_BYTES = 639;

/** What an invoice shall be made of. */
export interface InvoiceOptions {
  readonly amountSats: bigint;
  /** What the payer sees; at most 639 bytes of UTF-8. */
  readonly description?: string;
  /** An Ark address of the same server that shall get the money; this wallet's own money unless given. */
  readonly destination?: string;
  /** Gives the invoice up as long as it was not returned. */
  readonly signal?: AbortSignal;
}

/** An invoice of this wallet, and what becomes of it. */
export interface Invoice {
  readonly bolt11: string;
  /** Hex. */
  readonly paymentHash: string;
  readonly amountSats: bigint;
  /** What the server keeps of it at most. */
  readonly feeSats: bigint;
  readonly expiresAtMs: number;
  /** The receive: its `settled` waits for the money. */
  readonly payment: Payment;
}

/** Records a receive, has the server make its invoice, and returns it (lightning.md §9.2). */
export async function makeInvoice(engine: Engine, options: InvoiceOptions): Promise<Invoice> {
  const { signal } = options;
  signal?.throwIfAborted();
  refuseWhileUnsure(engine.loop.pending);
  const terms = termsOf(engine, sessionOf(engine), options);
  const salt = freshSalt(engine);
  const paymentHash = encodeHex(sha256(engine.keyring.receivePreimage(salt)));
  const instance = instanceOf(paymentHash);
  const answered = firstAnswer(engine, instance);
  await begin(engine, { instance, event: { type: "invoice.requested", paymentHash, salt: encodeHex(salt), ...terms } });
  const stop = (): void => void answered.then(() => cancel(engine, instance)).catch(() => {});
  if (signal !== undefined) forMany(signal).addEventListener("abort", stop, { once: true });
  try {
    const answer = await (signal === undefined ? answered : orAborted(answered, signal));
    return toInvoice(engine, instance, answer);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Gives an invoice up that nobody has paid, or whose payment was not granted yet. */
export async function cancelInvoice(engine: Engine, paymentHash: string): Promise<void> {
  const instance = instanceOf(paymentHash);
  const live = engine.loop.pending.instances.get(instance);
  if (live === undefined) throw notFound(engine, instance, paymentHash);
  if (!cancel(engine, instance) && live.state !== "Cancelling") {
    const message = `expected an invoice that waits for its payment, got one in ${live.state}: it can only go on`;
    throw new HeartwoodError("NOT_CANCELLABLE", message);
  }
  await engine.loop.settled();
}

/** Gives a receive up that was never claimed although its HTLCs have expired: its preimage is out, the money is not in. */
export async function giveUpReceive(engine: Engine, paymentHash: string): Promise<void> {
  const instance = instanceOf(paymentHash);
  if (!engine.loop.pending.instances.has(instance)) throw notFound(engine, instance, paymentHash);
  return new Payment(instance, engine).giveUp();
}

/** Chance, and the number of the record that will name it: two receives of one log differ even where chance repeats itself. */
function freshSalt({ loop, ports }: Engine): Uint8Array {
  const salt = Uint8Array.from(ports.randomness.bytes(SALT_BYTES));
  const view = new DataView(salt.buffer);
  view.setBigUint64(0, view.getBigUint64(0) ^ (loop.pending.seq + 1n));
  return salt;
}

function termsOf(engine: Engine, { info }: ServerSession, options: InvoiceOptions) {
  const { amountSats, description = null } = options;
  const { maxVtxoAmountSats: most } = info;
  if (amountSats <= 0n || (most !== undefined && amountSats > most)) {
    const bound = most === undefined ? "" : ` and at most ${most} sat`;
    throw new HeartwoodError("BAD_AMOUNT", `expected an amount above 0 sat${bound}, got ${amountSats}`);
  }
  const feeSats = lightningReceiveFee(info.fees.lightningReceive, amountSats);
  if (feeSats >= amountSats)
    throw new HeartwoodError("BAD_AMOUNT", `expected more than the fee of ${feeSats} sat, got ${amountSats}`);
  const bytes = new TextEncoder().encode(description ?? "").length;
  if (bytes > DESCRIPTION_BYTES) {
    throw new HeartwoodError("BAD_OPTION", `option description: expected at most ${DESCRIPTION_BYTES} bytes, got ${bytes}`);
  }
  const cltvDelta = invoiceCltvDelta(info);
  if (cltvDelta > info.maxUserInvoiceCltvDelta) {
    const message = `expected a server that makes invoices of ${cltvDelta} blocks, got one of ${info.maxUserInvoiceCltvDelta}`;
    throw new HeartwoodError("INVOICE_FAILED", message);
  }
  return { amountSats, description, cltvDelta, feeSats, destination: destinationOf(engine, info.serverPubkey, options) };
}

function destinationOf(engine: Engine, serverPubkey: Uint8Array, options: InvoiceOptions): ClaimDestination | null {
  const { destination } = options;
  if (destination === undefined) return null;
  try {
    const address = parseAddress(destination);
    const network = engine.place.network === "bitcoin" ? "mainnet" : "testnet";
    checkAddressPayable(address, { network, serverPubkey });
    const { userPubkey } = address.policy;
    return { address: destination, keyIndex: engine.keyring.usedIndex(userPubkey, engine.loop.pending.nextKeyIndex) ?? null };
  } catch (cause) {
    if (!(cause instanceof ArkError)) throw cause;
    throw new HeartwoodError("BAD_ADDRESS", `expected an address of this wallet's server: ${cause.message}`, { cause });
  }
}

/** The first record after the one that asks for the invoice. */
async function firstAnswer({ committed$ }: Engine, instance: string): Promise<Transition> {
  try {
    return await firstValueFrom(
      committed$.pipe(filter((record) => record.instance === instance && record.state !== "Requesting")),
    );
  } catch (cause) {
    if (cause instanceof EmptyError) throw new HeartwoodError("WALLET_CLOSED", "the wallet was closed before the invoice came");
    throw new HeartwoodError("WALLET_FAILED", "the wallet stopped at a failure before the invoice came", { cause });
  }
}

function toInvoice(engine: Engine, instance: string, answer: Transition): Invoice {
  const context = engine.committed.contextOf(instance) as unknown as LightningReceiveContext | undefined;
  if (context === undefined || context.bolt11 === null) {
    const { code, message } = (answer.change.outcome ?? {}) as Partial<ActionOutcome>;
    const cause = Object.assign(new Error(message ?? "it was given up"), { code: code ?? "CANCELLED" });
    throw new HeartwoodError("INVOICE_FAILED", `no invoice was made: ${cause.message}`, { cause, retryable: true });
  }
  const { bolt11, paymentHash, amountSats, feeSats, expiresAtMs } = context;
  return { bolt11, paymentHash, amountSats, feeSats, expiresAtMs, payment: new Payment(instance, engine) };
}

/** Whether a receive took its cancellation. */
function cancel(engine: Engine, instance: string): boolean {
  return engine.feed({ instance, event: { type: "cancel.requested" } }).taken;
}

function instanceOf(paymentHash: string): string {
  return `lightning-receive/${paymentHash}`;
}

function notFound({ loop }: Engine, instance: string, paymentHash: string): HeartwoodError {
  if (loop.pending.hasFinished(instance)) {
    return new HeartwoodError("NOT_CANCELLABLE", "expected an open invoice, got one that has ended");
  }
  return new HeartwoodError("NOT_FOUND", `expected an invoice of payment hash ${paymentHash}, got none`);
}

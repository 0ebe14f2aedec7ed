import { type Bolt11Invoice, type InvoiceNetwork, parseBolt11 } from "../ark/bolt11.ts";
import { signBolt11 } from "../ark/bolt11-sign.ts";
import { sha256 } from "../ark/crypto.ts";
import { ArkError } from "../ark/errors.ts";
import { encodeHex } from "../ark/hex.ts";
import { SimulatorError } from "./errors.ts";
import type { LightningBook } from "./lightning-book.ts";
import type { HeldInvoice } from "./lightning-invoices.ts";
import type { LightningAttempt, LightningStore } from "./lightning-store.ts";
import type { SimulatorNetwork } from "./network.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedChain } from "./simulated-chain.ts";

/** What can become of a payment out: see `docs/simulator.md`. */
export const PAYMENT_OUTCOMES = [
  "success",
  "failure",
  "late-success",
  "never",
  "wrong-preimage",
  "success-then-denial",
  "no-node",
] as const;

/** Name of an outcome. */
export type PaymentOutcome = (typeof PAYMENT_OUTCOMES)[number];

/** What an outside payee asks for. */
export interface InvoiceRequest {
  /** Left out: the payer chooses. */
  readonly amountSats?: bigint;
  /** Default `"simulated payee"`. */
  readonly description?: string;
  /** Default 3,600. */
  readonly expirySeconds?: number;
  /** Default: the network of the simulator. */
  readonly network?: SimulatorNetwork;
  /** Hex; default: of a preimage that the payee knows. With another's hash a payment fails. */
  readonly paymentHash?: string;
}

/** An invoice of an outside payee. */
export interface NetworkInvoice {
  readonly bolt11: string;
  /** Hex. */
  readonly paymentHash: string;
  /** 32 bytes; `null` when the hash was given. */
  readonly preimage: Uint8Array | null;
}

/** What the network stands on. */
export interface LightningNetworkParts {
  readonly network: SimulatorNetwork;
  readonly store: LightningStore;
  readonly book: LightningBook;
  readonly chain: SimulatedChain;
  readonly random: SeededRandom;
  readonly nowMs: () => number;
}

const DEFAULT_EXPIRY_S = 3_600;
const FINAL_CLTV_DELTA = 18;

/** The Lightning network beyond the server's node: payees, payers, and what becomes of payments. */
export class LightningNetwork {
  readonly #parts: LightningNetworkParts;
  readonly #payeeSecretKey: Uint8Array;
  readonly #serverNodeSecretKey: Uint8Array;
  readonly #preimages = new Map<string, Uint8Array>();
  readonly #outcomes = new Map<string, PaymentOutcome[]>();
  #default: PaymentOutcome = "success";
  /** Whether the server has a Lightning node to work with. */
  isServerNodeOnline = true;
  /** Attempts that succeed with the next block. */
  #late: LightningAttempt[] = [];

  constructor(parts: LightningNetworkParts) {
    this.#parts = parts;
    this.#payeeSecretKey = parts.random.fork("payee").secretKey();
    this.#serverNodeSecretKey = parts.random.fork("node").secretKey();
    parts.chain.onMined(() => this.#succeedLate());
  }

  /** Sets what becomes of payments from now on: of one hash, in order, the last for good, or of all others. */
  setOutcome(outcomes: PaymentOutcome | readonly PaymentOutcome[], paymentHash?: string): void {
    const list = typeof outcomes === "string" ? [outcomes] : [...outcomes];
    const [first] = list;
    const unknown = list.find((outcome) => !PAYMENT_OUTCOMES.includes(outcome));
    if (first === undefined || unknown !== undefined || (paymentHash === undefined && list.length > 1)) {
      throw new SimulatorError("OPTION_INVALID", `expected one of ${PAYMENT_OUTCOMES.join(", ")}, got ${list.join(", ")}`);
    }
    if (paymentHash === undefined) this.#default = first;
    else this.#outcomes.set(paymentHash, list);
  }

  /** Takes the outcome of the next attempt for a hash. */
  takeOutcome(paymentHash: string): PaymentOutcome {
    if (!this.isServerNodeOnline) return "no-node";
    const list = this.#outcomes.get(paymentHash);
    const next = list !== undefined && list.length > 1 ? list.shift() : list?.[0];
    return next ?? this.#default;
  }

  /** An invoice of a payee elsewhere. */
  issue(request: InvoiceRequest): NetworkInvoice {
    const { random, network, nowMs } = this.#parts;
    const preimage = request.paymentHash === undefined ? random.bytes(32) : null;
    const paymentHash = request.paymentHash ?? encodeHex(sha256(preimage ?? new Uint8Array()));
    if (preimage) this.#preimages.set(paymentHash, preimage);
    const draft = {
      network: invoiceNetwork(request.network ?? network),
      ...(request.amountSats === undefined ? {} : { amountMsats: request.amountSats * 1_000n }),
      createdAtS: BigInt(Math.floor(nowMs() / 1_000)),
      paymentHash: fromHex(paymentHash),
      paymentSecret: random.bytes(32),
      description: request.description ?? "simulated payee",
      expiryS: BigInt(request.expirySeconds ?? DEFAULT_EXPIRY_S),
      minFinalCltvDelta: BigInt(FINAL_CLTV_DELTA),
    };
    return { bolt11: signBolt11(draft, this.#payeeSecretKey), paymentHash, preimage };
  }

  /** An invoice of the server's own node, for a receive. */
  issueHeld(draft: HeldInvoice): string {
    const { random, nowMs } = this.#parts;
    const createdAtS = BigInt(Math.floor(nowMs() / 1_000));
    return signBolt11({ ...draft, createdAtS, paymentSecret: random.bytes(32) }, this.#serverNodeSecretKey);
  }

  /** Begins to pay; what comes of it comes later, as its outcome says. */
  begin(attempt: LightningAttempt, outcome: PaymentOutcome): void {
    attempt.status = "submitted";
    // After the answer to the request, as a node would.
    setImmediate(() => this.#pay(attempt, outcome));
  }

  /**
   * Ends a payment out by hand, whatever was to become of it.
   *
   * @throws SimulatorError `UNKNOWN_PAYMENT`
   */
  finish(paymentHash: string, how: "success" | "failure"): void {
    const attempt = this.#parts.store.attempt(paymentHash);
    if (!attempt || attempt.isIntraArk) {
      throw new SimulatorError("UNKNOWN_PAYMENT", `expected the hash of a payment to the outside, got ${paymentHash}`);
    }
    this.#late = this.#late.filter((late) => late !== attempt);
    if (how === "success") this.#succeed(attempt);
    else if (attempt.status !== "succeeded") this.#parts.book.fail(attempt);
  }

  /**
   * Has an outside payer pay an invoice of a receive: the server's node holds the payment from then on.
   *
   * @param expiryHeight Height at which the payment times out; default: as late as the invoice asks for.
   * @returns Whether the node took it; a payment that came twice, too late or with too little time is not.
   * @throws SimulatorError `INVOICE_INVALID`, `UNKNOWN_PAYMENT`
   */
  payReceive(bolt11: string, tip: number, expiryHeight?: number): boolean {
    const { store, book, nowMs } = this.#parts;
    book.advance(nowMs());
    const paymentHash = encodeHex(readInvoice(bolt11).paymentHash);
    const receive = store.receive(paymentHash);
    if (receive?.bolt11 !== bolt11) {
      throw new SimulatorError("UNKNOWN_PAYMENT", `expected an invoice of this server, got one with hash ${paymentHash}`);
    }
    if (receive.status !== "created") return false;
    const lowestExpiryHeight = expiryHeight ?? tip + receive.finalCltvDelta;
    if (lowestExpiryHeight < tip + receive.finalCltvDelta - 1) {
      book.cancel(receive);
      return false;
    }
    book.accept(receive, { lowestExpiryHeight, isIntraArk: false }, nowMs());
    return true;
  }

  #pay(attempt: LightningAttempt, outcome: PaymentOutcome): void {
    const { book, random } = this.#parts;
    // A revocation may have been quicker.
    if (attempt.status !== "submitted") return;
    switch (outcome) {
      case "success":
        this.#succeed(attempt);
        break;
      case "failure":
        book.fail(attempt);
        break;
      case "late-success":
        this.#late.push(attempt);
        break;
      case "wrong-preimage":
        attempt.falsePreimage = random.bytes(32);
        book.notifySender(attempt, attempt.falsePreimage);
        break;
      case "success-then-denial":
        attempt.admissions = 1;
        this.#succeed(attempt);
        break;
      case "never":
      case "no-node":
        break;
    }
  }

  /** Nobody but the payee can make a payment succeed. */
  #succeed(attempt: LightningAttempt): void {
    const preimage = this.#preimages.get(attempt.paymentHash);
    if (preimage) this.#parts.book.complete(attempt, preimage);
    else this.#parts.book.fail(attempt);
  }

  #succeedLate(): void {
    const late = this.#late;
    this.#late = [];
    for (const attempt of late) this.#succeed(attempt);
  }
}

/** Reads an invoice that was given to the simulator. @throws SimulatorError `INVOICE_INVALID` */
export function readInvoice(bolt11: string): Bolt11Invoice {
  try {
    return parseBolt11(bolt11);
  } catch (cause) {
    if (!(cause instanceof ArkError)) throw cause;
    throw new SimulatorError("INVOICE_INVALID", `expected an invoice: ${cause.message}`, { cause });
  }
}

/** The network as invoices name it. */
export function invoiceNetwork(network: SimulatorNetwork): InvoiceNetwork {
  return network === "testnet4" ? "testnet" : network;
}

function fromHex(paymentHash: string): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(paymentHash, "hex"));
  if (bytes.length !== 32)
    throw new SimulatorError("OPTION_INVALID", `expected a payment hash of 64 hex digits, got ${paymentHash}`);
  return bytes;
}

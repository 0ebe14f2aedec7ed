import type { FeeSchedule } from "../ark/fees.ts";
import { encodeHex } from "../ark/hex.ts";
import { SimulatorError } from "./errors.ts";
import type { LightningBook } from "./lightning-book.ts";
import type { LightningFaults } from "./lightning-faults.ts";
import {
  type InvoiceRequest,
  type LightningNetwork,
  type NetworkInvoice,
  type PaymentOutcome,
  readInvoice,
} from "./lightning-network.ts";
import type { LightningPool, PoolOrder } from "./lightning-pool.ts";
import type { LightningReceives } from "./lightning-receives.ts";
import type { AttemptStatus, LightningStore, ReceiveStatus } from "./lightning-store.ts";
import type { SimulatedChain } from "./simulated-chain.ts";

/** A payment of a wallet to the outside or to another wallet, as the server sees it. */
export interface PaymentView {
  /** Hex. */
  readonly paymentHash: string;
  readonly amountSats: bigint;
  readonly status: AttemptStatus;
  readonly isIntraArk: boolean;
}

/** A payment to a wallet, as the server sees it. */
export interface ReceiveView {
  /** Hex. */
  readonly paymentHash: string;
  readonly bolt11: string;
  readonly amountSats: bigint;
  readonly status: ReceiveStatus;
}

/** What an outside payer sees of its payment. */
export interface IncomingPayment {
  readonly status: "held" | "settled" | "failed";
  /** What the payer got for its money. */
  readonly preimage: Uint8Array | null;
}

/** What the public face stands on. */
export interface SimulatedLightningParts {
  readonly store: LightningStore;
  readonly book: LightningBook;
  readonly network: LightningNetwork;
  readonly receives: LightningReceives;
  readonly pool: LightningPool;
  readonly faults: LightningFaults;
  readonly chain: SimulatedChain;
  readonly fees: FeeSchedule;
  readonly nowMs: () => number;
}

/** The simulated Lightning network: payees and payers outside, and what becomes of payments. */
export class SimulatedLightning {
  readonly #parts: SimulatedLightningParts;
  #tokens = 0;

  constructor(parts: SimulatedLightningParts) {
    this.#parts = parts;
  }

  /**
   * What becomes of payments that wallets start from now on: those of one hash, one attempt after the other and the last
   * outcome for good, or all others. Everything succeeds until told otherwise.
   *
   * @throws SimulatorError `OPTION_INVALID`
   */
  setOutcome(outcomes: PaymentOutcome | readonly PaymentOutcome[], paymentHash?: string): void {
    this.#parts.network.setOutcome(outcomes, paymentHash);
  }

  /** Ends the newest payment of a hash by hand, whatever its outcome was. @throws SimulatorError `UNKNOWN_PAYMENT` */
  finish(paymentHash: string, how: "success" | "failure"): void {
    this.#parts.network.finish(paymentHash, how);
  }

  /** An invoice of a payee elsewhere on the network. @throws SimulatorError `OPTION_INVALID` */
  invoice(request: InvoiceRequest = {}): NetworkInvoice {
    return this.#parts.network.issue(request);
  }

  /**
   * Pays an invoice of a wallet from elsewhere on the network. The payment is held until the wallet claims it.
   *
   * @param expiryHeight Height at which the payment times out; default: as late as the invoice asks for.
   * @throws SimulatorError `INVOICE_INVALID`, `UNKNOWN_PAYMENT`
   */
  pay(bolt11: string, { expiryHeight }: { readonly expiryHeight?: number } = {}): IncomingPayment {
    const { network, chain, faults } = this.#parts;
    const isTaken = network.payReceive(bolt11, chain.tip + faults.tipAhead, expiryHeight);
    return isTaken ? { status: "held", preimage: null } : { status: "failed", preimage: null };
  }

  /** What became of an outside payment to a wallet. @throws SimulatorError `INVOICE_INVALID`, `UNKNOWN_PAYMENT` */
  incoming(bolt11: string): IncomingPayment {
    const { store, book, nowMs } = this.#parts;
    book.advance(nowMs());
    const paymentHash = encodeHex(readInvoice(bolt11).paymentHash);
    const receive = store.receive(paymentHash);
    if (!receive || receive.lowestExpiryHeight === null) {
      throw new SimulatorError("UNKNOWN_PAYMENT", `expected an invoice that was paid, got one with hash ${paymentHash}`);
    }
    if (receive.status === "settled") return { status: "settled", preimage: store.preimage(paymentHash) };
    return { status: receive.status === "canceled" ? "failed" : "held", preimage: null };
  }

  /** Every attempt to pay, oldest first; those of one hash if it is given. */
  payments(paymentHash?: string): PaymentView[] {
    const { store, book, nowMs } = this.#parts;
    book.advance(nowMs());
    return store.attempts(paymentHash).map(({ paymentHash: hash, amountSats, status, isIntraArk }) => {
      return { paymentHash: hash, amountSats, status, isIntraArk };
    });
  }

  /** Every invoice of a wallet, oldest first. */
  receives(): ReceiveView[] {
    const { store, book, nowMs } = this.#parts;
    book.advance(nowMs());
    return store.receives().map(({ paymentHash, bolt11, amountSats, status }) => ({ paymentHash, bolt11, amountSats, status }));
  }

  /** The preimage that the server has recorded for a hash. */
  preimage(paymentHash: string): Uint8Array | null {
    return this.#parts.store.preimage(paymentHash);
  }

  /** Whether the server has a Lightning node to work with; without one it accepts payments and does nothing. */
  get isNodeOnline(): boolean {
    return this.#parts.network.isServerNodeOnline;
  }

  set isNodeOnline(isOnline: boolean) {
    this.#parts.network.isServerNodeOnline = isOnline;
  }

  /** Raises the fees of payments out and in by a flat amount, announced and charged from now on. */
  raiseFees(bySats: bigint): void {
    const { faults, fees } = this.#parts;
    const { lightningSend, lightningReceive } = faults.fees ?? fees;
    faults.fees = {
      ...fees,
      lightningSend: { ...lightningSend, baseFeeSats: lightningSend.baseFeeSats + bySats },
      lightningReceive: { ...lightningReceive, baseFeeSats: lightningReceive.baseFeeSats + bySats },
    };
  }

  /** Replaces the VTXOs out of which receives are granted; `null`, the default, for as many as are needed. */
  setPool(amountsSats: readonly bigint[] | null, order: PoolOrder = {}): void {
    this.#parts.pool.set(amountsSats, order);
  }

  /** A token that is good for one grant in place of a proof. */
  issueToken(): string {
    return this.#parts.receives.issueToken(`token-${this.#tokens++}`);
  }
}

import type { Bolt11Draft } from "../ark/bolt11-sign.ts";
import type { InvoiceFault } from "./lightning-faults.ts";

/** An invoice of the server's node before it has time and secret. */
export type HeldInvoice = Omit<Bolt11Draft, "paymentSecret" | "createdAtS"> & {
  readonly amountMsats: bigint;
  readonly expiryS: bigint;
  readonly minFinalCltvDelta: bigint;
};

/** What a switched fault makes of an invoice that a receiver is answered. */
export function spoilInvoice(invoice: HeldInvoice, fault: InvoiceFault): HeldInvoice {
  switch (fault) {
    case "hash":
      return { ...invoice, paymentHash: invoice.paymentHash.map((byte) => byte ^ 0xff) };
    case "amount":
      return { ...invoice, amountMsats: invoice.amountMsats + 1_000n };
    case "network":
      return { ...invoice, network: invoice.network === "bitcoin" ? "regtest" : "bitcoin" };
    case "expiry":
      return { ...invoice, expiryS: 0n };
    case "cltv-delta":
      return { ...invoice, minFinalCltvDelta: 9n };
  }
}

import type { LightningReceiveContext } from "../machines/lightning-receive.ts";
import type { WalletState } from "./wallet-state.ts";

/** An invoice of this wallet that waits for its payment: what is paid of it stands in the history. */
export interface OpenInvoice {
  readonly bolt11: string;
  /** Hex. */
  readonly paymentHash: string;
  readonly amountSats: bigint;
  /** What the server keeps of it at most. */
  readonly feeSats: bigint;
  readonly description: string | null;
  /** The Ark address that gets the money; null for this wallet. */
  readonly destination: string | null;
  /** From then on nobody can pay it; the wallet lets it go when it is connected a minute later. */
  readonly expiresAtMs: number;
  /** Id of the receive: `Wallet.payment` finds it. */
  readonly payment: string;
}

/** Invoices without a payment, the oldest first. */
export function invoicesOf(state: Readonly<WalletState>): OpenInvoice[] {
  const open = [...state.instances].filter(
    ([, { machine, state: place }]) => machine === "lightning-receive" && place === "AwaitingPayment",
  );
  return open.map(([payment, { context }]) => {
    const { bolt11, destination, ...terms } = context as unknown as LightningReceiveContext;
    const { paymentHash, amountSats, feeSats, description, expiresAtMs } = terms;
    const place = destination?.address ?? null;
    return { bolt11: bolt11 ?? "", paymentHash, amountSats, feeSats, description, destination: place, expiresAtMs, payment };
  });
}

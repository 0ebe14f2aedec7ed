import type { FeeSchedule } from "../ark/fees.ts";
import type { ArkoorPackageCosignResponse } from "../proto/generated/bark_server.ts";

/** What can be wrong with the invoice that starts a receive. */
export const INVOICE_FAULTS = ["hash", "amount", "network", "expiry", "cltv-delta"] as const;

/** Name of such a fault. */
export type InvoiceFault = (typeof INVOICE_FAULTS)[number];

/** What can be wrong with the VTXOs that are granted for a receive. */
export const GRANT_FAULTS = [
  "short-amount",
  "reported-amount",
  "other-hash",
  "other-key",
  "other-policy",
  "early-expiry",
  "exit-delta",
  "htlc-delta",
  "foreign-server",
  "expiring",
  "unconfirmed",
  "unsigned",
  "doubled",
  "respent",
] as const;

/** Name of such a fault. */
export type GrantFault = (typeof GRANT_FAULTS)[number];

/** Switches that make the Lightning side of the server misbehave. Everything is off until asked for. */
export class LightningFaults {
  /** What is wrong with the invoices of new receives. */
  invoice: InvoiceFault | null = null;
  /** What is wrong with grants that are handed out. The server keeps the right one, and hands it out once healed. */
  grant: GrantFault | null = null;
  /** While true, partial signatures of all cosign methods are wrong. */
  wrongSignatures = false;
  /** Blocks by which the server's height is ahead of the chain source's; may be negative. */
  tipAhead = 0;
  /** How many more registrations are answered OK and forgotten. */
  dropRegistrations = 0;
  /** While true, no mailbox hears of a Lightning payment. */
  dropNotices = false;
  /** While true, the server keeps preimages of succeeded payments to itself: it says pending, and refuses without telling. */
  hidePreimages = false;
  /** A fee schedule that replaces the one of the terms, announced and charged. */
  fees: FeeSchedule | null = null;

  /** Turns every fault off. */
  clear(): void {
    Object.assign(this, new LightningFaults());
  }

  /** Whether a registration shall be forgotten; counts it down. */
  takeDroppedRegistration(): boolean {
    if (this.dropRegistrations <= 0) return false;
    this.dropRegistrations -= 1;
    return true;
  }

  /** An answer of a cosign method as it goes out. */
  spoilSignatures(response: ArkoorPackageCosignResponse): ArkoorPackageCosignResponse {
    if (!this.wrongSignatures) return response;
    const spoil = (signature: Uint8Array) => signature.with(31, (signature[31] ?? 0) ^ 1);
    return { parts: response.parts.map((part) => ({ ...part, serverPartialSigs: part.serverPartialSigs.map(spoil) })) };
  }
}

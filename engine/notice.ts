import type { Notice } from "../machines/drive.machine.ts";
import type { MailboxDelivery } from "../streams/delivery.ts";

/** What a delivery asks to be looked at; null for a package, and for a notice whose hash is none (mailbox.md M-55, M-58). */
export function noticeOf({ content }: MailboxDelivery): Notice | null {
  switch (content.kind) {
    case "incoming-lightning-payment":
      return notice("lightning-receive", content.paymentHash);
    case "lightning-send-finished":
      return notice("lightning-send", content.paymentHash);
    case "round-participation-completed":
      return notice("round", content.unlockHash);
    default:
      return null;
  }
}

/** What is wrong with a notice, for the log; undefined if nothing is (mailbox.md M-55, M-58, W-45). */
export function complaintOf({ content }: MailboxDelivery): string | undefined {
  if (content.kind === "lightning-send-finished" && content.preimageMalformed) return "expected a preimage of 32 bytes";
  const isNotice =
    ("paymentHash" in content && content.paymentHash === undefined) ||
    ("unlockHash" in content && content.unlockHash === undefined);
  return isNotice ? "expected a hash of 32 bytes" : undefined;
}

function notice(kind: Notice["kind"], hash: string | undefined): Notice | null {
  return hash === undefined ? null : { kind, hash };
}

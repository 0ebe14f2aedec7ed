import type { MailboxDelivery } from "../streams/delivery.ts";
import { noticeOf } from "./notice.ts";

/** The event that takes a message in, with its bytes; `ahead` of its turn, or in it. */
export function received(delivery: MailboxDelivery, { ahead }: { readonly ahead: boolean }) {
  const { checkpoint, digest, raw, content } = delivery;
  const entries = content.kind === "arkoor" ? content.vtxos.length : 0;
  const notice = noticeOf(delivery);
  return {
    event: { type: "message.received", checkpoint, digest, kind: content.kind, entries, notice, ahead },
    blobs: [{ digest, data: raw }],
  };
}

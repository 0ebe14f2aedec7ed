import { decodeHex, encodeHex } from "../ark/hex.ts";
import type { Notice } from "../machines/drive.machine.ts";
import { isPreimageOf } from "../machines/lightning-send.ts";
import type { EventLog } from "../store/event-log.ts";
import { decodeDelivery } from "../streams/delivery.ts";
import { attemptsAt } from "./attempts.ts";
import { decodeTransition, type Transition } from "./transition.ts";
import type { WalletState } from "./wallet-state.ts";

/**
 * Notes where a notice shows the preimage of a payment out, whatever is known of that payment: one that was given back, or
 * none at all (mailbox.md W-13). Whoever pays that invoice gives the server money for nothing.
 */
export function foldProof({ proofs }: WalletState, { event, seq, blobs }: Transition): void {
  const notice = event.type === "message.received" ? (event.notice as Notice | null) : null;
  if (notice?.kind !== "lightning-send") return;
  const hash = decodeHex(notice.hash);
  if (proofs.get(hash) === undefined && blobs.some(({ data }) => preimageIn(data, notice.hash) !== undefined)) {
    proofs.set(hash, seq);
  }
}

/**
 * The preimage of a payment out, hex: as its movement has it, or a notice showed it; undefined if neither does.
 *
 * @param paymentHash hex
 * @throws StoreError if the record is damaged
 */
export async function proofOf(state: Readonly<WalletState>, log: EventLog, paymentHash: string): Promise<string | undefined> {
  const { preimage } = attemptsAt(state, paymentHash);
  const seq = state.proofs.get(decodeHex(paymentHash));
  if (preimage !== undefined || seq === undefined) return preimage;
  const { blobs } = decodeTransition((await log.get(seq)).record, state.machines);
  return blobs.flatMap(({ data }) => preimageIn(data, paymentHash) ?? [])[0];
}

function preimageIn(message: Uint8Array | undefined, paymentHash: string): string | undefined {
  const content = message === undefined ? undefined : decodeDelivery(message).content;
  const found = content?.kind === "lightning-send-finished" && content.preimage ? encodeHex(content.preimage) : null;
  return isPreimageOf(paymentHash, found) ? found : undefined;
}

import type { VtxoId } from "../ark/vtxo-id.ts";
import { type HeldItem, originOf } from "../machines/package.ts";
import { digestOf } from "./blob-reader.ts";
import type { Engine } from "./engine.ts";
import { KEY_DIGITS } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/** Reason of an item until it was vetted. */
export const AWAITING_VETTING = "AWAITING_VETTING";

/**
 * Holds bytes that came another way than the mailbox, until they are vetted: first they are in the log.
 *
 * @param movementOf the usual name of the movement that makes it money, of its id or else of its key
 * @returns the key of the item
 */
export function holdBytes(
  engine: Engine,
  bytes: Uint8Array,
  id: VtxoId | undefined,
  movementOf: (name: string) => string,
): string {
  const { pending } = engine.loop;
  const digest = digestOf(bytes);
  const plain = digest.slice(0, KEY_DIGITS);
  const origin = originOf(movementOf(id ?? plain));
  const held = pending.quarantine.get(plain);
  const name = held === undefined || serves(held, origin, pending) ? plain : `${plain}.${origin}`;
  // An item that had its end, such as money that was withdrawn since, is another one when it comes again.
  const again = `.${pending.seq + 1n}`;
  const key = pending.hasFinished(`quarantined/${name}`) ? `${name}${again}` : name;
  if (pending.quarantine.has(key)) return key;
  const usual = movementOf(id ?? key);
  const item: HeldItem = {
    id: id ?? null,
    amountSats: null,
    source: { digest, entry: null },
    checkpoint: 0n,
    code: AWAITING_VETTING,
    message: "expected a VTXO that was vetted, got one that came just now",
    permanent: false,
    movement: pending.movements.has(usual) ? `${usual}${again}` : usual,
  };
  engine.feed({ instance: `quarantined/${key}`, event: { type: "item.held", item }, blobs: [{ digest, data: bytes }] });
  return key;
}

/**
 * Whether the item that the mailbox made of the same bytes is as good as one of their own: not where only the server has
 * those, which can withdraw them, nor for what the backup named, of which more is money (mailbox.md W-48).
 */
function serves(held: QuarantineEntry, origin: string, pending: Readonly<WalletState>): boolean {
  const isNamed = origin !== "restore" || originOf(held.movement ?? "") === "restore";
  return isNamed && pending.blobSeq(held.source.digest) !== undefined;
}

import type { VtxoId } from "../ark/vtxo-id.ts";
import type { HeldItem } from "../machines/package.ts";
import { digestOf } from "./blob-reader.ts";
import type { Engine } from "./engine.ts";
import { KEY_DIGITS } from "./vet-vtxo.ts";

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
  const name = digest.slice(0, KEY_DIGITS);
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

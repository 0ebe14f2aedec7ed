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
 * Holds bytes that came another way than the mailbox, until they are vetted: first they are in the log. Where an item
 * holds them already, that one is it.
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
  const held = heldItems(plain, origin, pending).find((entry) => serves(entry, origin, pending));
  if (held !== undefined) return held.key;
  const name = pending.quarantine.has(plain) ? `${plain}.${origin}` : plain;
  // An item that had its end is another one when it comes again.
  const again = `.${pending.seq + 1n}`;
  const key = pending.hasFinished(`quarantined/${name}`) ? `${name}${again}` : name;
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
 * The items of the same bytes: that of the mailbox, others that came like this one, and money that was withdrawn, which
 * has a key of its own (`engine/reconcile.ts`). That never serves what the backup names, of which thousands come at once.
 */
function heldItems(plain: string, origin: string, { quarantine }: Readonly<WalletState>): QuarantineEntry[] {
  const keys = origin === "restore" ? [plain, `${plain}.${origin}`] : [...quarantine.keys()];
  return keys
    .filter((key) => key === plain || key.startsWith(`${plain}.`))
    .map((key) => quarantine.get(key))
    .filter((entry) => entry !== undefined);
}

/**
 * Whether such an item is as good as one of their own: not where only the server has the bytes, which can withdraw them,
 * nor for what the backup named, of which more is money (mailbox.md W-48).
 */
function serves(held: QuarantineEntry, origin: string, pending: Readonly<WalletState>): boolean {
  const isNamed = origin !== "restore" || originOf(held.movement ?? "") === "restore";
  return isNamed && pending.blobSeq(held.source.digest) !== undefined;
}

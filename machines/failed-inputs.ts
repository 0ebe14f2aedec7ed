/** What becomes of the inputs of a payment whose package was refused (arkoor.md §11.3, lightning.md S7). */
import { type ExpiringVtxo, latestSendExitHeight } from "../ark/htlc-terms.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { idsOf, type PaymentInput } from "./books.ts";
import type { Effect, EffectParams } from "./effects.ts";

/** What the server says of inputs; of those that are in neither list it says that they are unspent. */
export type CheckedInputs = {
  /** Spent, by a package of which the wallet has no signatures. */
  readonly spent: readonly VtxoId[];
  /** It does not know them: it carried nothing out, and would not take them as payment. */
  readonly unknown: readonly VtxoId[];
};

type Entry = Extract<Effect, { readonly type: "releaseCoins" | "doubtCoins" | "requireExit" }>;

/**
 * Those that are unspent are free again. Those that the server does not know are let go too, but it has to know them before
 * anything pays with them. Those that it calls spent only an exit brings back.
 */
export function entriesOfFailure(inputs: readonly PaymentInput[], { spent, unknown }: CheckedInputs): Entry[] {
  const lost = inputs.filter(({ id }) => spent.includes(id));
  const doubted = inputs.filter(({ id }) => unknown.includes(id) && !spent.includes(id));
  const untouched = inputs.filter((input) => !lost.includes(input) && !doubted.includes(input));
  const entries: Entry[] = [];
  if (untouched.length > 0) entries.push({ type: "releaseCoins", params: { ids: idsOf(untouched) } });
  if (doubted.length > 0) entries.push({ type: "doubtCoins", params: { ids: idsOf(doubted) } });
  if (lost.length === 0) return entries;
  return [...entries, { type: "requireExit", params: exitOf(lost) }];
}

/** What `requireExit` says of VTXOs: all of them, and the last height at which the exits are sure to end in time. */
export function exitOf(vtxos: readonly (ExpiringVtxo & { readonly id: VtxoId })[]): EffectParams["requireExit"] {
  return { ids: idsOf(vtxos), byHeight: latestSendExitHeight(vtxos) };
}

import type { ExpiryChange, ExpiryStage } from "../machines/expiry.machine.ts";
import type { Coin } from "./wallet-rows.ts";

/** Blocks that an exit may take beyond the exit delta (lightning.md §3): a margin, or one a genesis item and two. */
const EXIT_MARGIN = 12;
const DEPTH_ALLOWANCE = 2;
/** A notice stands unless it would be wrong even so many blocks on: no new record for each reorganisation. */
const REORGANISATION_BLOCKS = 6;
/** VTXOs that one record names. */
const BATCH_VTXOS = 256;

/** Where a chain is, and the margins in force, in blocks. */
export interface ExpiryTerms {
  readonly height: number;
  readonly exitDelta: number;
  readonly refreshBlocks: number;
}

/** VTXOs that are in another stage than was noted of them; at most as many as one record names. */
export function expiryChanges(coins: Iterable<Coin>, terms: ExpiryTerms): ExpiryChange[] {
  const changes: ExpiryChange[] = [];
  for (const coin of coins) {
    const noted = coin.expiryStage ?? null;
    const stage = stageAt(coin, terms);
    const isTakenBack = () => rank(stageAt(coin, { ...terms, height: terms.height + REORGANISATION_BLOCKS })) < rank(noted);
    if (rank(stage) <= rank(noted) && !isTakenBack()) continue;
    const { id, amountSats, expiryHeight } = coin;
    if (changes.push({ id, amountSats, expiryHeight, stage }) === BATCH_VTXOS) break;
  }
  return changes;
}

/** The margins of mailbox.md W-41; from its expiry height on a VTXO can be swept (lightning.md §2). */
export function stageAt(
  { expiryHeight, exitDepth }: Pick<Coin, "expiryHeight" | "exitDepth">,
  terms: ExpiryTerms,
): ExpiryStage | null {
  const blocksLeft = expiryHeight - terms.height;
  const exitBlocks = terms.exitDelta + Math.max(EXIT_MARGIN, exitDepth + DEPTH_ALLOWANCE);
  if (blocksLeft <= 0) return "expired";
  if (blocksLeft <= exitBlocks) return "exit";
  return blocksLeft <= exitBlocks + terms.refreshBlocks ? "refresh" : null;
}

function rank(stage: ExpiryStage | null): number {
  return stage === null ? 0 : { refresh: 1, exit: 2, expired: 3 }[stage];
}

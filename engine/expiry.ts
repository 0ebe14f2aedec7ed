import { decodeVtxo } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { ChainError } from "../chain/errors.ts";
import type { ExpiryStage } from "../machines/expiry.machine.ts";
import { forMany } from "../streams/for-many.ts";
import type { Network } from "../streams/server-info.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { type ExpiryTerms, expiryChanges, stageAt } from "./expiry-stage.ts";
import type { Coin } from "./wallet-rows.ts";
import { EXPIRY } from "./wallet-state.ts";

/** How many blocks before that a VTXO should be renewed: `vtxo_refresh_expiry_threshold` of lightning.md §3. */
const REFRESH_BLOCKS = { bitcoin: 144, other: 12 } as const;
/** The time that a block is meant to take. */
const BLOCK_MS = 600_000;

/** A VTXO that expires soon, or did. */
export interface ExpiringVtxo {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  readonly expiryHeight: number;
  /** Blocks from the tip to that height; 0 if it is reached. */
  readonly blocksLeft: number;
  /** When that is at ten minutes a block, milliseconds since the Unix epoch; null if it is reached. */
  readonly estimatedAtMs: number | null;
  /** Null if it is farther off than the wallet would warn of. */
  readonly stage: ExpiryStage | null;
}

/** Options of `Wallet.expiring`. */
export interface ExpiringOptions {
  /** How far to look ahead. Without it: whatever is in a stage, as the wallet warns of it. */
  readonly withinBlocks?: number;
  readonly signal?: AbortSignal;
}

/** Records which VTXOs came to another stage at that tip; nothing where none did. Needs a session, for the exit delta. */
export function noteTip(engine: Engine, height: number): void {
  const exitDelta = engine.connection.session?.info.exitDelta;
  if (exitDelta === undefined) return;
  const terms: ExpiryTerms = { height, exitDelta, refreshBlocks: refreshBlocksOf(engine.place.network) };
  while (expiryChanges(engine.loop.pending.coins.values(), terms).length > 0) {
    engine.feed({ instance: EXPIRY, event: { type: "tip.seen", ...terms } });
  }
}

/**
 * VTXOs that expire within a margin of the tip, those that expire first at the front.
 *
 * @throws HeartwoodError `BAD_OPTION`; ChainError if there is no tip to be had; the reason of the signal
 */
export async function findExpiring(engine: Engine, options: ExpiringOptions): Promise<ExpiringVtxo[]> {
  const { withinBlocks, signal } = options;
  if (withinBlocks !== undefined && !(Number.isSafeInteger(withinBlocks) && withinBlocks >= 0)) {
    throw new HeartwoodError("BAD_OPTION", `option withinBlocks: expected a number of blocks, got ${withinBlocks}`);
  }
  const coins = [...engine.committed.coins.values()];
  const [first] = coins;
  if (first === undefined) return [];
  const tip = await engine.chain.tip({ fresh: true, ...(signal === undefined ? {} : { signal: forMany(signal) }) });
  if (tip.kind === "unknown") throw tip.error;
  if (tip.kind === "absent") throw new ChainError("CHAIN_BAD_RESPONSE", "expected a tip from the chain source, got none");
  const exitDelta = await exitDeltaOf(engine, first);
  const terms = { height: tip.value.height, exitDelta, refreshBlocks: refreshBlocksOf(engine.place.network) };
  const nowMs = engine.clock.nowMs();
  return coins
    .map(({ id, amountSats, expiryHeight, exitDepth }): ExpiringVtxo => {
      const blocksLeft = Math.max(0, expiryHeight - terms.height);
      const estimatedAtMs = blocksLeft === 0 ? null : nowMs + blocksLeft * BLOCK_MS;
      const stage = stageAt({ expiryHeight, exitDepth }, terms);
      return { id, amountSats, expiryHeight, blocksLeft, estimatedAtMs, stage };
    })
    .filter(({ blocksLeft, stage }) => (withinBlocks === undefined ? stage !== null : blocksLeft <= withinBlocks))
    .sort((a, b) => a.expiryHeight - b.expiryHeight || (a.id < b.id ? -1 : 1));
}

/** All VTXOs of a wallet have the exit delta of its server (vtxo.md §10), so any of them tells it without a connection. */
async function exitDeltaOf(engine: Engine, coin: Coin): Promise<number> {
  return engine.connection.session?.info.exitDelta ?? decodeVtxo(await engine.blobs.vtxo(coin.source)).exitDelta;
}

/** Blocks before its expiry from which on a VTXO, or an HTLC, should be done with (lightning.md §3). */
export function refreshBlocksOf(network: Network): number {
  return network === "bitcoin" ? REFRESH_BLOCKS.bitcoin : REFRESH_BLOCKS.other;
}

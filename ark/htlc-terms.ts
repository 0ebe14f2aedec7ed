/** Numbers of HTLC VTXOs that wallet and server must agree on, and the deadlines that follow (lightning.md §3, §9.8). */

/** Blocks kept in hand for bringing a VTXO on chain. */
export const EXIT_MARGIN_BLOCKS = 12;

/** Most VTXOs of one grant. Each has to be checked, exited in time and claimed; a server's pool gives a handful. */
export const MAX_GRANTED_VTXOS = 100;

/** Blocks in which a granted receive can be claimed. */
export const RECEIVE_CLAIM_BLOCKS = 18;

/** Blocks that may be mined between the request for a grant and its check (lightning.md §9.4). */
const PREPARE_LENIENCY_BLOCKS = 2;

/** The server's deltas, in blocks. */
export interface HtlcDeltas {
  /** D of lightning.md §2. */
  readonly exitDelta: number;
  /** Δ of lightning.md §2. */
  readonly htlcExpiryDelta: number;
}

/** What a deadline looks at. */
export interface ReceiveDeadlineInput extends HtlcDeltas {
  readonly htlcExpiryHeight: number;
  /** Number of genesis items. */
  readonly exitDepth: number;
}

/** The CLTV delta that an invoice is asked for with (lightning.md §9.2 #3). */
export function invoiceCltvDelta({ exitDelta, htlcExpiryDelta }: HtlcDeltas): number {
  return exitDelta + htlcExpiryDelta + EXIT_MARGIN_BLOCKS + RECEIVE_CLAIM_BLOCKS + PREPARE_LENIENCY_BLOCKS;
}

/**
 * `xm` of lightning.md §3: the margin for VTXOs of these depths, since an exit confirms one transaction after the other.
 */
export function exitMarginBlocks(exitDepths: readonly number[]): number {
  return Math.max(EXIT_MARGIN_BLOCKS, ...exitDepths.map((depth) => depth + 2));
}

/**
 * The last height at which an exit of granted VTXOs is sure to end before the server's path opens (lightning.md §9.8, R7).
 *
 * @param htlcs At least one.
 */
export function latestReceiveExitHeight(htlcs: readonly ReceiveDeadlineInput[]): number {
  const margin = exitMarginBlocks(htlcs.map(({ exitDepth }) => exitDepth));
  return Math.min(...htlcs.map((htlc) => htlc.htlcExpiryHeight - (htlc.exitDelta + htlc.htlcExpiryDelta + margin)));
}

/** Most blocks for which a wallet lets a server lock the money of a send (lightning.md S5). */
export const MAX_SEND_LOCK_BLOCKS = 1_008;

/** Blocks added to the server's `htlc_send_expiry_delta`, so that a tip behind the server's is no reason to refuse (S5). */
export const SEND_EXPIRY_LENIENCY_BLOCKS = 2;

/** A VTXO as deadlines see it. */
export interface ExpiringVtxo {
  readonly expiryHeight: number;
  /** Number of genesis items. */
  readonly exitDepth: number;
}

/**
 * Blocks before a VTXO's expiry in which a send that holds it should not start any more, and has to end (lightning.md
 * S10): an exit must be over when the server may sweep the branch.
 */
function sendMarginBlocks(exitDepth: number): number {
  return Math.max(2 * EXIT_MARGIN_BLOCKS, exitMarginBlocks([exitDepth]) + EXIT_MARGIN_BLOCKS);
}

/** The last height at which VTXOs of a send are not near their own expiry (lightning.md S10); infinite without any. */
export function lastSendHeight(vtxos: readonly ExpiringVtxo[]): number {
  return Math.min(...vtxos.map(({ expiryHeight, exitDepth }) => expiryHeight - sendMarginBlocks(exitDepth)));
}

/** The last height at which an exit of these VTXOs is sure to end before they expire. */
export function latestSendExitHeight(vtxos: readonly ExpiringVtxo[]): number {
  return Math.min(...vtxos.map(({ expiryHeight, exitDepth }) => expiryHeight - exitMarginBlocks([exitDepth])));
}

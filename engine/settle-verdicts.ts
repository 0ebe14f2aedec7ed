import { type Kinship, kinshipOf } from "../ark/lineage.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { AcceptedVtxo, ReplacedVtxo, Verdict } from "../machines/package.ts";
import { descentOf, relativesOf } from "./kin-index.ts";
import type { Coin } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

type Accepted = Extract<Verdict, { kind: "accepted" }>;
type Obstacle = { readonly code: "SUPERSEDED" | "CONFLICTING"; readonly message: string; readonly permanent: boolean };

/** What is left to be credited, and what gives way to it. */
export interface Settled {
  readonly verdicts: readonly Verdict[];
  /** Left out where nothing does. */
  readonly replaced?: readonly ReplacedVtxo[];
}

/**
 * Of VTXOs that cannot all be brought on chain, at most one is money, whatever a server calls unspent (mailbox.md W-47).
 * One that another VTXO of the wallet was made of is refused for good: this seed signed it away. One that was made of a
 * free VTXO of the wallet replaces it, for the same reason. Where two need the same output to be spent differently, the
 * one that was there first stays, also when it is spent, and the other one is held.
 *
 * @param checkpoint of the message that brought them
 * @param state the pending one
 */
export function settleVerdicts(verdicts: readonly Verdict[], checkpoint: bigint, state: Readonly<WalletState>): Settled {
  const settled = new Map<Verdict, Verdict>();
  const replaced = new Map<VtxoId, ReplacedVtxo>();
  const taken: AcceptedVtxo[] = [];
  // Descendants first, so that what they were made of is recognised in the same package too.
  const fresh = verdicts.filter((verdict): verdict is Accepted => verdict.kind === "accepted" && !state.isKnown(verdict.vtxo.id));
  for (const verdict of fresh.toSorted((a, b) => b.vtxo.exitDepth - a.vtxo.exitDepth)) {
    const { vtxo, key } = verdict;
    if (taken.some(({ id }) => id === vtxo.id)) continue;
    const kin = relativesOf(state, vtxo).filter((coin) => !replaced.has(coin.id));
    const ancestors = kin.filter((coin) => kinship(coin, vtxo) === "ancestor");
    const obstacle = obstacleOf(vtxo, [...taken, ...kin]) ?? lockedAncestor(ancestors) ?? spentRival(vtxo, state);
    if (obstacle === undefined) {
      taken.push(vtxo);
      for (const { id, amountSats } of ancestors) replaced.set(id, { id, amountSats });
    } else {
      const { id, amountSats, source } = vtxo;
      settled.set(verdict, { kind: "refused", key, item: { id, amountSats, source, checkpoint, ...obstacle } });
    }
  }
  const left = verdicts.map((verdict) => settled.get(verdict) ?? verdict);
  return replaced.size === 0 ? { verdicts: left } : { verdicts: left, replaced: [...replaced.values()] };
}

/**
 * What is in the way of a VTXO that an action is offered, beside those of the wallet; one that the wallet has is no news.
 *
 * @param state the pending one
 */
export function conflictOf(vtxo: AcceptedVtxo, state: Readonly<WalletState>): Obstacle | undefined {
  return state.isKnown(vtxo.id) ? undefined : (obstacleOf(vtxo, relativesOf(state, vtxo)) ?? spentRival(vtxo, state));
}

function obstacleOf(vtxo: AcceptedVtxo, others: readonly AcceptedVtxo[]): Obstacle | undefined {
  for (const other of others) {
    const kind = kinship(vtxo, other);
    if (kind === "ancestor") {
      const message = `expected ${vtxo.id} unspent, got ${other.id} of this wallet, which was made of it`;
      return { code: "SUPERSEDED", message, permanent: true };
    }
    if (kind === "rival") {
      const message = `expected ${vtxo.id} to leave ${other.id} of this wallet as it is, got two chains that spend one output differently`;
      return { code: "CONFLICTING", message, permanent: false };
    }
  }
  return undefined;
}

function lockedAncestor(ancestors: readonly Coin[]): Obstacle | undefined {
  const locked = ancestors.find(({ holder }) => holder !== undefined);
  if (locked === undefined) return undefined;
  const message = `expected what it was made of to be free, got ${locked.id} locked by ${locked.holder}`;
  return { code: "CONFLICTING", message, permanent: false };
}

/** What is paid away was money only because it was there first: its rival stays held. */
function spentRival(vtxo: AcceptedVtxo, state: Readonly<WalletState>): Obstacle | undefined {
  const seq = state.hops.rivalOf(descentOf(vtxo));
  if (seq === undefined) return undefined;
  const message = `expected ${vtxo.id} to leave what this wallet had as it was, got a chain that spends an output differently from a VTXO that record ${seq} spent`;
  return { code: "CONFLICTING", message, permanent: false };
}

function kinship(one: AcceptedVtxo, other: AcceptedVtxo): Kinship {
  return kinshipOf(descentOf(one), descentOf(other));
}

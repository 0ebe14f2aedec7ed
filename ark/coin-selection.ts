import { sumSats } from "./arkoor-allocation.ts";
import { ArkError } from "./errors.ts";
import type { PolicyKind } from "./policy.ts";

const MAX_FEE_ROUNDS = 100;

/** What the selection looks at; a caller's own type may carry more. */
export interface Coin {
  readonly amountSats: bigint;
  readonly expiryHeight: number;
  /** Number of genesis items. */
  readonly exitDepth: number;
  readonly policyKind: PolicyKind;
}

/** What to select for. */
export interface CoinSelectionOptions<C extends Coin> {
  /** Spendable coins in a stable order. */
  readonly coins: readonly C[];
  readonly targetSats: bigint;
  /** The server's `max_vtxo_exit_depth`: coins of this depth or deeper cannot be extended. */
  readonly maxExitDepth: number;
  readonly maxInputs?: number;
  /** Fee of a selection, on top of the target. */
  readonly feeOf?: (selected: readonly C[]) => bigint;
}

/**
 * Chooses the inputs of a payment: soonest expiry first, then deepest (arkoor.md §3.1).
 *
 * Only `pubkey` coins are taken. The result is in the order in which the inputs must be used, on retries too.
 *
 * @throws ArkError `INSUFFICIENT_FUNDS`; `ARKOOR_TOO_MANY_INPUTS` when more inputs than `maxInputs` would cover it
 */
export function selectCoins<C extends Coin>(options: CoinSelectionOptions<C>): C[] {
  const { coins, targetSats, maxExitDepth, maxInputs = Number.POSITIVE_INFINITY, feeOf = () => 0n } = options;
  const candidates = coins
    .filter((coin) => coin.policyKind === "pubkey" && coin.exitDepth < maxExitDepth)
    .sort((a, b) => a.expiryHeight - b.expiryHeight || b.exitDepth - a.exitDepth);
  const scan = candidates.values();
  let selected: C[] = [];
  let wanted = targetSats;
  for (let round = 0; round < MAX_FEE_ROUNDS; round++) {
    while (totalOf(selected) < wanted) {
      const next = scan.next();
      if (next.done) throw notCovered(wanted, candidates, selected);
      selected = withCandidate(selected, next.value, maxInputs);
    }
    wanted = targetSats + feeOf(selected);
    if (wanted <= totalOf(selected)) return selected;
  }
  throw notCovered(wanted, candidates, selected);
}

/** Adds a candidate; at the cap it replaces the smallest coin, the latest-expiring of equals, if strictly larger. */
function withCandidate<C extends Coin>(selected: readonly C[], candidate: C, maxInputs: number): C[] {
  if (selected.length < maxInputs) return [...selected, candidate];
  let smallest = selected[0];
  for (const coin of selected) if (smallest === undefined || coin.amountSats <= smallest.amountSats) smallest = coin;
  if (smallest === undefined || candidate.amountSats <= smallest.amountSats) return [...selected];
  return [...selected.filter((coin) => coin !== smallest), candidate];
}

function totalOf(coins: readonly Coin[]): bigint {
  return sumSats(coins.map((coin) => coin.amountSats));
}

function notCovered(wanted: bigint, candidates: readonly Coin[], selected: readonly Coin[]): ArkError {
  const available = totalOf(candidates);
  if (available < wanted) return new ArkError("INSUFFICIENT_FUNDS", `expected ${wanted} sat to spend, got ${available}`);
  return new ArkError(
    "ARKOOR_TOO_MANY_INPUTS",
    `expected ${selected.length} inputs to cover ${wanted} sat, got ${totalOf(selected)} sat`,
  );
}

import { type CoinSelectionOptions, selectCoins } from "../ark/coin-selection.ts";
import { ArkError } from "../ark/errors.ts";
import type { PolicyKind } from "../ark/policy.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { PaymentInput } from "../machines/books.ts";
import type { Coin } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/** What inputs are chosen for. */
export interface InputChoice {
  readonly targetSats: bigint;
  /** The server's `max_vtxo_exit_depth`. */
  readonly maxExitDepth: number;
  /** Whether a coin lasts long enough; others are not taken. */
  readonly isUsable: (coin: Coin) => boolean;
  /** Coins that expire at that height or before are taken only if the others do not suffice (lightning.md S10). */
  readonly avoidUpTo?: number;
  /** Fee of a selection, on top of the target. */
  readonly feeOf?: (selected: readonly Coin[]) => bigint;
}

/** Whether a VTXO can be paid with: the wallet's, unlocked, registered, unspent for sure, not expired, its anchor in order. */
export function isFree(state: Readonly<WalletState>, id: VtxoId): boolean {
  const coin = state.coins.get(id);
  return coin !== undefined && isFreeCoin(coin);
}

/**
 * Chooses the inputs of a payment among the free coins, soonest expiry first (arkoor.md §3.1). In the tick that records
 * the choice they are checked again.
 *
 * @param state the pending one
 * @throws ArkError `INSUFFICIENT_FUNDS`
 */
export function chooseInputs(state: Readonly<WalletState>, choice: InputChoice): PaymentInput[] {
  const { avoidUpTo = 0, isUsable, ...options } = choice;
  const free = [...state.coins.values()]
    .filter((coin) => isFreeCoin(coin) && isUsable(coin))
    .map((coin) => ({ ...coin, policyKind: policyKindOf(coin) }));
  const lasting = free.filter(({ expiryHeight }) => expiryHeight > avoidUpTo);
  return select(lasting, free, options).map(toInput);
}

/** What an action keeps of a coin that it pays with. */
export function toInput({ id, amountSats, expiryHeight, exitDepth, keyIndex, source }: Coin): PaymentInput {
  return { id, amountSats, expiryHeight, exitDepth, keyIndex, source };
}

type Candidate = Coin & { readonly policyKind: PolicyKind };

function select(
  preferred: readonly Candidate[],
  all: readonly Candidate[],
  options: Omit<CoinSelectionOptions<Candidate>, "coins">,
) {
  try {
    return selectCoins({ ...options, coins: preferred });
  } catch (error) {
    if (!(error instanceof ArkError) || error.code !== "INSUFFICIENT_FUNDS") throw error;
    return selectCoins({ ...options, coins: all });
  }
}

/** The policy of a coin. */
export function policyKindOf({ policyKind = "pubkey" }: Coin): PolicyKind {
  return policyKind;
}

function isFreeCoin(coin: Coin): boolean {
  const { holder, registered, isUnsure, expiryStage, anchorCode } = coin;
  const isSafe = registered && isUnsure !== true && expiryStage !== "expired" && anchorCode === undefined;
  return holder === undefined && isSafe && policyKindOf(coin) === "pubkey";
}

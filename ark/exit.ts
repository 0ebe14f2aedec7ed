import { ArkError } from "./errors.ts";
import type { GenesisItem } from "./genesis.ts";
import type { Outpoint } from "./outpoint.ts";
import { policyOutput } from "./policy-output.ts";
import { isComplete, type SpentOutput, spentOutput, transitionWitness } from "./spent-output.ts";
import { type Transaction, transactionId } from "./transaction.ts";
import type { TxOutput } from "./tx-output.ts";
import { virtualTransaction } from "./virtual-transaction.ts";
import type { Vtxo } from "./vtxo.ts";
import { type VtxoId, vtxoIdOf } from "./vtxo-id.ts";

const MAX_AMOUNT_SATS = 0xffff_ffff_ffff_ffffn;

/** One transaction on the way from the chain anchor to a VTXO. */
export interface ExitStep {
  /** Counted from the chain anchor. */
  readonly genesisIndex: number;
  readonly item: GenesisItem;
  /** The output that the transaction spends, and how. */
  readonly spent: SpentOutput;
  readonly spentAmountSats: bigint;
  readonly transaction: Transaction;
  /** The output of the transaction that continues towards the VTXO. */
  readonly point: Outpoint;
}

/** Where the walk along a chain begins. */
export interface ExitStart {
  readonly anchor: Outpoint;
  /** T of vtxo.md §6.1. */
  readonly amountSats: bigint;
}

/** The output of the VTXO itself: its amount and its policy's script (vtxo.md §6.2). */
export function vtxoOutput(vtxo: Vtxo): TxOutput {
  return { amountSats: vtxo.amountSats, script: policyOutput(vtxo.policy, vtxo).script };
}

/**
 * The amount T that the chain anchor output must have (vtxo.md §6.1).
 *
 * @throws ArkError `TOTAL_OVERFLOW` above 2^64 − 1
 */
export function chainAnchorAmountSats(vtxo: Vtxo): bigint {
  const total = vtxo.genesis.reduce((sum, item) => sum + sumBesidesSats(item), vtxo.amountSats);
  if (total > MAX_AMOUNT_SATS) throw new ArkError("TOTAL_OVERFLOW", `expected a total of at most 2^64 − 1 sats, got ${total}`);
  return total;
}

/** What an item takes from the amount that it spends: the fee and the siblings (vtxo.md §6.1). */
function sumBesidesSats(item: GenesisItem): bigint {
  return item.siblings.reduce((sum, sibling) => sum + sibling.amountSats, item.feeSats);
}

/** Whether every exit transaction has its witness (vtxo.md §5.3). */
export function allWitnessesPresent(vtxo: Vtxo): boolean {
  return vtxo.genesis.every((item) => isComplete(item.transition));
}

/**
 * The transactions that bring a VTXO on chain, in the order in which they are broadcast (vtxo.md §6.2). A transaction
 * without its witness lacks a signature or a preimage.
 *
 * @throws ArkError `TOTAL_OVERFLOW`, `BAD_OUTPUT_KEY`
 */
export function exitTransactions(vtxo: Vtxo): Transaction[] {
  const amountSats = chainAnchorAmountSats(vtxo);
  return Array.from(walkExit(vtxo, { anchor: vtxo.chainAnchor, amountSats }), (step) => step.transaction);
}

/**
 * The outputs that a VTXO's chain goes through before its own: where one of them is a VTXO, it was spent to make this one
 * (mailbox.md M-67). From the chain anchor on, without it.
 *
 * @throws ArkError `TOTAL_OVERFLOW`, `BAD_OUTPUT_KEY`
 */
export function ancestorIds(vtxo: Vtxo): VtxoId[] {
  const amountSats = chainAnchorAmountSats(vtxo);
  const points = Array.from(walkExit(vtxo, { anchor: vtxo.chainAnchor, amountSats }), ({ point }) => vtxoIdOf(point));
  return points.slice(0, -1);
}

/**
 * The output that an item spends, but its amount.
 *
 * @throws ArkError `BAD_OUTPUT_KEY` with the index of the item
 */
export function spentOutputOf(vtxo: Vtxo, item: GenesisItem, genesisIndex: number): SpentOutput {
  try {
    return spentOutput(item.transition, vtxo);
  } catch (cause) {
    if (!(cause instanceof ArkError)) throw cause;
    throw new ArkError(cause.code, `genesis item ${genesisIndex}: ${cause.message}`, { genesisIndex, cause });
  }
}

/**
 * Walks from the chain anchor to a VTXO, building one transaction at a time: what follows an item is only looked at
 * when that item's transaction is asked for, so that the first error in the order of vtxo.md §6.3 is the one thrown.
 *
 * @throws ArkError `BAD_OUTPUT_KEY`, `SUM_OVERFLOW`, `AMOUNT_UNDERFLOW`, `TRANSITION_OUTPUT_INDEX`; the last three
 * cannot occur for a VTXO that was decoded and whose total does not overflow
 */
export function* walkExit(vtxo: Vtxo, start: ExitStart): Generator<ExitStep, void, undefined> {
  let previous = start.anchor;
  let spentAmountSats = start.amountSats;
  let upcoming: SpentOutput | undefined;
  for (const [genesisIndex, item] of vtxo.genesis.entries()) {
    const spent = upcoming ?? spentOutputOf(vtxo, item, genesisIndex);
    const nextAmountSats = continuingAmountSats(item, spentAmountSats, genesisIndex);
    const next = vtxo.genesis[genesisIndex + 1];
    upcoming = next === undefined ? undefined : spentOutputOf(vtxo, next, genesisIndex + 1);
    const continuing = upcoming === undefined ? vtxoOutput(vtxo) : { amountSats: nextAmountSats, script: upcoming.script };
    const transaction = exitTransaction(item, previous, spent, continuing);
    const point = { txid: transactionId(transaction), vout: item.outputIndex };
    yield { genesisIndex, item, spent, spentAmountSats, transaction, point };
    previous = point;
    spentAmountSats = nextAmountSats;
  }
}

function continuingAmountSats(item: GenesisItem, spentAmountSats: bigint, genesisIndex: number): bigint {
  const besides = sumBesidesSats(item);
  if (besides > MAX_AMOUNT_SATS) {
    throw new ArkError("SUM_OVERFLOW", `expected fee and siblings of at most 2^64 − 1 sats, got ${besides}`, { genesisIndex });
  }
  if (besides > spentAmountSats) {
    throw new ArkError("AMOUNT_UNDERFLOW", `expected fee and siblings of at most ${spentAmountSats} sats, got ${besides}`, {
      genesisIndex,
    });
  }
  if (item.outputIndex > item.siblings.length) {
    throw new ArkError(
      "TRANSITION_OUTPUT_INDEX",
      `expected an output index of at most ${item.siblings.length}, got ${item.outputIndex}`,
      { genesisIndex },
    );
  }
  return spentAmountSats - besides;
}

function exitTransaction(item: GenesisItem, previous: Outpoint, spent: SpentOutput, continuing: TxOutput): Transaction {
  const outputs = item.siblings.toSpliced(item.outputIndex, 0, continuing);
  return virtualTransaction(previous, outputs, { feeSats: item.feeSats, witness: transitionWitness(item.transition, spent) });
}

import { equalBytes } from "./bytes.ts";
import { verifySchnorr } from "./crypto.ts";
import { ArkError, type ArkErrorCode } from "./errors.ts";
import { chainAnchorAmountSats, type ExitStep, spentOutputOf, vtxoOutput, walkExit } from "./exit.ts";
import { equalOutpoints, type Outpoint } from "./outpoint.ts";
import { taprootSighash } from "./sighash.ts";
import { type Transaction, transactionId } from "./transaction.ts";
import type { TxOutput } from "./tx-output.ts";
import type { Vtxo } from "./vtxo.ts";
import { vtxoIdOf } from "./vtxo-id.ts";

/** Options of {@link validateVtxo}. */
export interface ValidateOptions {
  /** `false` checks the structure only and accepts incomplete VTXOs; `true` unless given. */
  readonly signatures?: boolean;
}

/**
 * Checks a VTXO against the transaction that contains its chain anchor, and throws the first error (vtxo.md §6.3).
 *
 * The id of `anchorTransaction` is deliberately not compared with `vtxo.chainAnchor`: whoever fetches the transaction
 * must do that. What an accepted VTXO does not say (confirmations, expiry, whose keys signed, …) is in vtxo.md §6.4.
 *
 * @returns the outputs that its chain spends, from the chain anchor on
 * @throws ArkError `ANCHOR_OUTPUT_MISSING`, `ANCHOR_OUTPUT_MISMATCH`, `POINT_IS_NOT_ANCHOR`, `TOTAL_OVERFLOW`,
 * `BAD_OUTPUT_KEY`, `TRANSITION_MISSING_SIGNATURE`, `TRANSITION_MISSING_PREIMAGE`, `TRANSITION_INVALID_SIGNATURE`,
 * `POINT_MISMATCH`, and for values that no decoder returns `SUM_OVERFLOW`, `AMOUNT_UNDERFLOW`,
 * `TRANSITION_OUTPUT_INDEX`; those about one item carry its `genesisIndex`
 */
export function validateVtxo(vtxo: Vtxo, anchorTransaction: Transaction, options: ValidateOptions = {}): Outpoint[] {
  const { signatures = true } = options;
  const anchorOutput = anchorTransaction.outputs[vtxo.chainAnchor.vout];
  if (anchorOutput === undefined) {
    throw new ArkError(
      "ANCHOR_OUTPUT_MISSING",
      `expected an output ${vtxo.chainAnchor.vout} in the anchor transaction, got ${anchorTransaction.outputs.length} outputs`,
    );
  }
  const [first] = vtxo.genesis;
  if (first === undefined) {
    checkAnchorOutput(anchorOutput, vtxoOutput(vtxo));
    checkPoint("POINT_IS_NOT_ANCHOR", vtxo.point, vtxo.chainAnchor);
    return [];
  }

  const amountSats = chainAnchorAmountSats(vtxo);
  checkAnchorOutput(anchorOutput, { amountSats, script: spentOutputOf(vtxo, first, 0).script });
  const spent: Outpoint[] = [];
  let last: Outpoint = { txid: transactionId(anchorTransaction), vout: vtxo.chainAnchor.vout };
  for (const step of walkExit(vtxo, { anchor: last, amountSats })) {
    if (signatures) checkTransition(step);
    spent.push(last);
    last = step.point;
  }
  checkPoint("POINT_MISMATCH", vtxo.point, last);
  return spent;
}

function checkAnchorOutput(got: TxOutput, expected: TxOutput): void {
  if (got.amountSats !== expected.amountSats || !equalBytes(got.script, expected.script)) {
    throw new ArkError(
      "ANCHOR_OUTPUT_MISMATCH",
      `expected an anchor output of ${expected.amountSats} sats and the script of the chain, got ${got.amountSats} sats` +
        (equalBytes(got.script, expected.script) ? "" : " and another script"),
    );
  }
}

function checkPoint(code: ArkErrorCode, got: Outpoint, expected: Outpoint): void {
  if (!equalOutpoints(got, expected)) {
    throw new ArkError(code, `expected the VTXO at ${vtxoIdOf(expected)}, got ${vtxoIdOf(got)}`);
  }
}

/** Step 5.5 of vtxo.md §6.3: the preimage comes first, then the signature, then whether it is valid. */
function checkTransition({ genesisIndex, item, spent, spentAmountSats, transaction }: ExitStep): void {
  const { transition } = item;
  const refuse = (code: ArkErrorCode, expected: string): ArkError =>
    new ArkError(code, `genesis item ${genesisIndex} (${transition.kind}): expected ${expected}`, { genesisIndex });

  if ("unlock" in transition && !("preimage" in transition.unlock)) {
    throw refuse("TRANSITION_MISSING_PREIMAGE", "the unlock preimage, got only its hash");
  }
  if (transition.signature === null) throw refuse("TRANSITION_MISSING_SIGNATURE", "a signature, got none");
  const message = taprootSighash(transaction, {
    spentOutputs: [{ amountSats: spentAmountSats, script: spent.script }],
    leafHash: spent.leaf?.hash,
  });
  if (!verifySchnorr(transition.signature, message, spent.signatureKey)) {
    throw refuse("TRANSITION_INVALID_SIGNATURE", "a valid signature, got another");
  }
}

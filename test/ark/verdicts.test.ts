import { describe, expect, it } from "vitest";
import { ArkError } from "../../ark/errors.ts";
import { exitTransactions } from "../../ark/exit.ts";
import { decodeHex } from "../../ark/hex.ts";
import { isStandard } from "../../ark/standardness.ts";
import { decodeTransaction, transactionId } from "../../ark/transaction.ts";
import { validateVtxo } from "../../ark/validate.ts";
import { decodeVtxo, exitDepth, type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import { readVectors } from "../vectors.ts";

interface Verdict {
  readonly decode: boolean;
  readonly valid: boolean;
  readonly id: string | null;
  readonly kind: string | null;
  readonly depth: number | null;
  readonly standard: boolean;
  readonly txids: readonly string[];
}

interface Line {
  readonly vtxo: string;
  readonly anchorTx: string;
  readonly expect: Verdict;
  readonly reason: string;
}

const UNDECODABLE: Verdict = { decode: false, valid: false, id: null, kind: null, depth: null, standard: false, txids: [] };

/** The reference's words for a refusal, and our codes for it. */
const CLASSES: readonly [RegExp, readonly string[]][] = [
  [/^ok$/, ["ok"]],
  // The reference reads a script before it looks at its length (vtxo.md §1.3).
  [/^I\/O error/, ["SHORT_INPUT", "OVERSIZED_SCRIPT"]],
  [/TapTweakHash must be/, ["SHORT_INPUT"]],
  [/trailing bytes/, ["TRAILING_BYTES"]],
  [/invalid public key/, ["BAD_PUBKEY"]],
  [/encoding version/, ["BAD_VERSION"]],
  [/encoding: expiry_height/, ["BAD_HEIGHT"]],
  [/encoding: exit_delta/, ["BAD_DELTA"]],
  [/output_idx out of range/, ["OUTPUT_INDEX_RANGE"]],
  [/genesis item with 0 outputs/, ["ZERO_OUTPUTS"]],
  [/oversized output scriptPubkey/, ["OVERSIZED_SCRIPT"]],
  [/GenesisTransistion type byte/, ["BAD_TRANSITION_TYPE"]],
  [/MaybePreimage type byte/, ["BAD_PREIMAGE_FLAG"]],
  [/VtxoPolicy type byte/, ["BAD_POLICY_TYPE"]],
  [/chain anchor vout out of range/, ["ANCHOR_OUTPUT_MISSING"]],
  [/chain anchor output doesn't match/, ["ANCHOR_OUTPUT_MISMATCH"]],
  [/onchain amount overflow/, ["TOTAL_OVERFLOW"]],
  [/point doesn't match/, ["POINT_MISMATCH"]],
  [/: missing preimage$/, ["TRANSITION_MISSING_PREIMAGE"]],
  [/: missing (cosigned )?signature$/, ["TRANSITION_MISSING_SIGNATURE"]],
  [/: invalid signature$/, ["TRANSITION_INVALID_SIGNATURE"]],
];

describe("verdicts of the reference on whole and mutated VTXOs", () => {
  const lines: Line[] = readVectors("mutated-verdicts.jsonl.gz")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const judged = lines.map((line) => ({ line, ...judge(line) }));

  it("there are 1,531 of them, 157 valid", () => {
    expect(lines).toHaveLength(1_531);
    expect(lines.filter(({ expect: { valid } }) => valid)).toHaveLength(157);
  });

  it("each is decoded, unrolled, judged and validated as the reference does", () => {
    expect(judged.filter(({ line, verdict }) => !equal(verdict, line.expect))).toEqual([]);
  });

  it("each is refused for the reason of the reference, at the same item", () => {
    const others = judged.filter(({ line, code, genesisIndex }) => {
      const codes = CLASSES.find(([words]) => words.test(line.reason))?.[1] ?? [];
      const index = /\(idx=(\d+)\//.exec(line.reason)?.[1];
      return !codes.includes(code) || genesisIndex !== (index === undefined ? undefined : Number(index));
    });
    expect(others.map(({ line, code, genesisIndex }) => ({ reason: line.reason, code, genesisIndex }))).toEqual([]);
  });
});

function equal(got: Verdict, expected: Verdict): boolean {
  const values = (verdict: Verdict) => JSON.stringify([...Object.entries(verdict)].sort(([a], [b]) => a.localeCompare(b)));
  return values(got) === values(expected);
}

function judge({ vtxo: hex, anchorTx }: Line): { verdict: Verdict; code: string; genesisIndex?: number | undefined } {
  let verdict = UNDECODABLE;
  try {
    const vtxo = decodeVtxo(decodeHex(hex));
    const txids = unroll(vtxo);
    verdict = {
      decode: true,
      valid: false,
      id: vtxoId(vtxo),
      kind: vtxo.policy.kind,
      depth: exitDepth(vtxo),
      standard: isStandard(vtxo),
      txids,
    };
    validateVtxo(vtxo, decodeTransaction(decodeHex(anchorTx)));
    return { verdict: { ...verdict, valid: true }, code: "ok" };
  } catch (error) {
    if (!(error instanceof ArkError)) throw error;
    return { verdict, code: error.code, genesisIndex: error.genesisIndex };
  }
}

/** None where the amounts overflow: the reference would abort (vtxo.md §11.10). */
function unroll(vtxo: Vtxo): string[] {
  try {
    return exitTransactions(vtxo).map(transactionId);
  } catch (error) {
    if (error instanceof ArkError && error.code === "TOTAL_OVERFLOW") return [];
    throw error;
  }
}

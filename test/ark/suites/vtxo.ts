import { describe, expect, it } from "vitest";
import { sha256 } from "../../../ark/crypto.ts";
import { allWitnessesPresent, chainAnchorAmountSats, exitTransactions, vtxoOutput } from "../../../ark/exit.ts";
import type { GenesisItem } from "../../../ark/genesis.ts";
import { encodeGenesis } from "../../../ark/genesis.ts";
import { decodeHex, encodeHex } from "../../../ark/hex.ts";
import { findNonStandardOutput, isStandard } from "../../../ark/standardness.ts";
import { decodeTransaction, encodeTransaction, transactionId } from "../../../ark/transaction.ts";
import { unlockHash } from "../../../ark/transition.ts";
import type { TxOutput } from "../../../ark/tx-output.ts";
import { validateVtxo } from "../../../ark/validate.ts";
import {
  decodeBareVtxo,
  decodeServerVtxo,
  decodeVtxo,
  decodeVtxoParts,
  encodeBareVtxo,
  encodeVtxo,
  exitDepth,
  type Vtxo,
  vtxoId,
} from "../../../ark/vtxo.ts";
import { encodeVtxoId, vtxoIdOf } from "../../../ark/vtxo-id.ts";
import { errorCode, type GenesisItemVector, type KnownAnswers, type Verdict, type VtxoVector } from "../../vectors.ts";
import { policyFields } from "./policy.ts";

/** Claims about `vtxos` of the known answers. */
export function describeVtxos(answers: KnownAnswers): void {
  describe.each(answers.vtxos)("known VTXO $name", (answer) => {
    const vtxo = decodeVtxo(decodeHex(answer.hex));

    it("decodes to the known fields", () => {
      expect(vtxoFields(vtxo)).toEqual(expectedFields(answer));
      expect(decodeServerVtxo(decodeHex(answer.hex))).toEqual(vtxo);
    });

    it("re-encodes to the canonical bytes", () => {
      expect(encodeHex(encodeVtxo(vtxo))).toBe(answer.canonical_v2_hex);
      expect(decodeVtxo(encodeVtxo(vtxo))).toEqual(vtxo);
    });

    it("has the known bare form, which is no full VTXO unless it is the anchor itself", () => {
      const bare = encodeBareVtxo(vtxo);
      expect(encodeHex(bare)).toBe(answer.bare_v2_hex);
      const { genesis: _, ...fields } = vtxo;
      expect(decodeBareVtxo(bare)).toEqual(fields);
      expect(decodeBareVtxo(decodeHex(answer.hex))).toEqual(fields);
      if (exitDepth(vtxo) === 0) expect(decodeVtxo(bare)).toEqual(vtxo);
      else expect(() => decodeVtxo(bare)).toThrow(expect.objectContaining({ code: "MISSING_GENESIS" }));
    });

    it("is put together again from its bare form and its genesis section", () => {
      expect(decodeVtxoParts(encodeBareVtxo(vtxo), encodeGenesis(vtxo.genesis))).toEqual(vtxo);
    });

    it("unrolls to the known exit transactions", () => {
      const transactions = exitTransactions(vtxo).map((transaction, i) => ({
        txid: transactionId(transaction),
        vout: vtxo.genesis[i]?.outputIndex,
        raw_hex: encodeHex(encodeTransaction(transaction)),
      }));
      expect(transactions).toEqual(answer.exit_transactions);
      for (const { raw_hex } of answer.exit_transactions) {
        expect(encodeHex(encodeTransaction(decodeTransaction(decodeHex(raw_hex))))).toBe(raw_hex);
      }
      expect(allWitnessesPresent(vtxo)).toBe(answer.all_witnesses_present);
    });

    it("is validated as known, with and without signatures", () => {
      const anchor = answers.transactions.find(({ name }) => name === answer.anchor_transaction);
      const transaction = decodeTransaction(decodeHex(anchor?.hex ?? ""));
      expectVerdict(() => validateVtxo(vtxo, transaction), answer.validation);
      expectVerdict(() => validateVtxo(vtxo, transaction, { signatures: false }), answer.validation_without_signatures);
    });

    it(`is ${answer.standardness}`, () => {
      expect(isStandard(vtxo)).toBe(answer.standardness === "standard");
      expect(findNonStandardOutput(vtxo)).toBeNull();
    });
  });
}

function expectVerdict(validate: () => void, verdict: Verdict): void {
  if (verdict.result === "accept") expect(validate).not.toThrow();
  else {
    expect(validate).toThrow(
      expect.objectContaining({
        code: errorCode(verdict.error ?? ""),
        ...(verdict.genesis_index !== undefined && { genesisIndex: verdict.genesis_index }),
      }),
    );
  }
}

function expectedFields({ decoded }: VtxoVector): object {
  const { encoding_version: _, genesis, policy, ...fields } = decoded;
  const { type_byte: __, ...policyRest } = policy;
  return { ...fields, policy: policyRest, genesis: genesis.map(({ type_byte: ___, ...item }) => item) };
}

function vtxoFields(vtxo: Vtxo): object {
  return {
    amount_sat: String(vtxo.amountSats),
    expiry_height: vtxo.expiryHeight,
    server_pubkey: encodeHex(vtxo.serverPubkey),
    exit_delta: vtxo.exitDelta,
    chain_anchor: vtxoIdOf(vtxo.chainAnchor),
    exit_depth: exitDepth(vtxo),
    genesis: vtxo.genesis.map(itemFields),
    policy: policyFields(vtxo.policy),
    point: vtxoId(vtxo),
    id_hex: encodeHex(encodeVtxoId(vtxoId(vtxo))),
    output_script_hex: encodeHex(vtxoOutput(vtxo).script),
    chain_anchor_amount_sat: String(chainAnchorAmountSats(vtxo)),
  };
}

function itemFields({ transition, outputIndex, siblings, feeSats }: GenesisItem): Omit<GenesisItemVector, "type_byte"> {
  const common = {
    kind: transition.kind,
    signature: transition.signature === null ? null : encodeHex(transition.signature),
    output_count: siblings.length + 1,
    output_index: outputIndex,
    other_outputs: siblings.map(outputFields),
    fee_sat: String(feeSats),
  };
  if (transition.kind === "cosigned") return { ...common, pubkeys: transition.pubkeys.map(encodeHex) };
  if (transition.kind === "arkoor") {
    return {
      ...common,
      client_cosigners: transition.clientCosigners.map(encodeHex),
      tap_tweak: encodeHex(transition.tapTweak),
    };
  }
  const preimage = "preimage" in transition.unlock ? transition.unlock.preimage : null;
  if (preimage !== null) expect(unlockHash(transition)).toEqual(sha256(preimage));
  return {
    ...common,
    user_pubkey: encodeHex(transition.userPubkey),
    preimage: preimage === null ? null : encodeHex(preimage),
    unlock_hash: encodeHex(unlockHash(transition)),
  };
}

function outputFields({ amountSats, script }: TxOutput): { value_sat: string; script_hex: string } {
  return { value_sat: String(amountSats), script_hex: encodeHex(script) };
}

/** Claims about `transactions` of the known answers. */
export function describeTransactions(answers: KnownAnswers): void {
  it.each(answers.transactions)("known transaction $name decodes, re-encodes and has its id", ({ hex, txid, outputs }) => {
    const transaction = decodeTransaction(decodeHex(hex));
    expect(encodeHex(encodeTransaction(transaction))).toBe(hex);
    expect(transactionId(transaction)).toBe(txid);
    expect(transaction.outputs.map(outputFields)).toEqual(outputs);
  });
}

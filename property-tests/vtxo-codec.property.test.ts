import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader } from "../ark/bytes.ts";
import { ArkError } from "../ark/errors.ts";
import { allWitnessesPresent, chainAnchorAmountSats, exitTransactions, spentOutputOf, vtxoOutput } from "../ark/exit.ts";
import { encodeGenesis } from "../ark/genesis.ts";
import { decodePolicy, decodeUserPolicy, encodePolicy, isUserPolicy } from "../ark/policy.ts";
import { isStandard } from "../ark/standardness.ts";
import { decodeTransaction, encodeTransaction, type Transaction, transactionId } from "../ark/transaction.ts";
import { decodeTransition, encodeTransition } from "../ark/transition.ts";
import { validateVtxo } from "../ark/validate.ts";
import {
  decodeBareVtxo,
  decodeServerVtxo,
  decodeVtxo,
  decodeVtxoParts,
  encodeBareVtxo,
  encodeVtxo,
  type Vtxo,
  vtxoId,
} from "../ark/vtxo.ts";
import { decodeVtxoId, encodeVtxoId, parseVtxoId } from "../ark/vtxo-id.ts";
import { anyVtxo, damaged, plausibleVtxo, policy, transaction, transition, userVtxo } from "./arbitraries/vtxo.ts";
import { propertyOptions } from "./options.ts";

/** The result, or the code of the refusal; any other error than ours fails the property. */
function attempt<T>(action: () => T): { readonly value: T } | { readonly code: string } {
  try {
    return { value: action() };
  } catch (error) {
    if (error instanceof ArkError) return { code: error.code };
    throw error;
  }
}

describe("encoding", () => {
  it("every VTXO survives its full form, its bare form and its two parts", () => {
    fc.assert(
      fc.property(userVtxo, (vtxo) => {
        const { genesis, ...bare } = vtxo;
        expect(decodeVtxo(encodeVtxo(vtxo))).toEqual(vtxo);
        expect(decodeServerVtxo(encodeVtxo(vtxo))).toEqual(vtxo);
        expect(decodeBareVtxo(encodeBareVtxo(vtxo))).toEqual(bare);
        expect(decodeBareVtxo(encodeVtxo(vtxo))).toEqual(bare);
        expect(decodeVtxoParts(encodeBareVtxo(vtxo), encodeGenesis(genesis))).toEqual(vtxo);
      }),
      propertyOptions(),
    );
  });

  it("a server reads every policy, a wallet only a user's", () => {
    fc.assert(
      fc.property(anyVtxo, (vtxo) => {
        const bytes = encodeVtxo(vtxo);
        expect(decodeServerVtxo(bytes)).toEqual(vtxo);
        expect(attempt(() => decodeVtxo(bytes))).toEqual(
          isUserPolicy(vtxo.policy) ? { value: vtxo } : { code: "BAD_POLICY_TYPE" },
        );
      }),
      propertyOptions(),
    );
  });

  it("policies, transitions, ids and transactions survive theirs", () => {
    fc.assert(
      fc.property(policy, transition, userVtxo, transaction, (aPolicy, aTransition, vtxo, aTransaction) => {
        expect(decodePolicy(new ByteReader(encodePolicy(aPolicy)))).toEqual(aPolicy);
        expect("code" in attempt(() => decodeUserPolicy(new ByteReader(encodePolicy(aPolicy))))).toBe(!isUserPolicy(aPolicy));
        expect(decodeTransition(new ByteReader(encodeTransition(aTransition)))).toEqual(aTransition);
        expect(decodeVtxoId(encodeVtxoId(vtxoId(vtxo)))).toBe(vtxoId(vtxo));
        expect(parseVtxoId(vtxoId(vtxo).toUpperCase())).toBe(vtxoId(vtxo));
        expect(decodeTransaction(encodeTransaction(aTransaction))).toEqual(aTransaction);
      }),
      propertyOptions(),
    );
  });
});

describe("bytes that are no encoding", () => {
  it("every proper prefix is short, one byte more is trailing", () => {
    fc.assert(
      fc.property(userVtxo, fc.nat(), fc.nat({ max: 255 }), (vtxo, place, byte) => {
        const bytes = encodeVtxo(vtxo);
        expect(attempt(() => decodeVtxo(bytes.subarray(0, place % bytes.length)))).toEqual({ code: "SHORT_INPUT" });
        expect(attempt(() => decodeVtxo(Uint8Array.of(...bytes, byte)))).toEqual({ code: "TRAILING_BYTES" });
      }),
      propertyOptions(),
    );
  });

  it("damaged bytes are refused, or are the canonical bytes of another VTXO", () => {
    const bytes = fc.oneof(
      { weight: 9, arbitrary: damaged(userVtxo.map(encodeVtxo)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    );
    fc.assert(
      fc.property(bytes, (candidate) => {
        const outcome = attempt(() => decodeVtxo(candidate));
        if ("code" in outcome) return;
        const encoded = encodeVtxo(outcome.value);
        if (candidate[0] === 2) expect(encoded).toEqual(candidate);
        expect(decodeVtxo(encoded)).toEqual(outcome.value);
      }),
      propertyOptions(300),
    );
  });

  it("the bytes of version 2 read as version 1 give a VTXO of version 2 bytes, or nothing", () => {
    fc.assert(
      fc.property(userVtxo, (vtxo) => {
        const bytes = encodeVtxo(vtxo);
        bytes[0] = 1;
        const outcome = attempt(() => decodeVtxo(bytes));
        if ("code" in outcome) return;
        expect(outcome.value.genesis.every(({ feeSats }) => feeSats === 0n)).toBe(true);
        expect(encodeVtxo(outcome.value)[0]).toBe(2);
        expect(decodeVtxo(encodeVtxo(outcome.value))).toEqual(outcome.value);
      }),
      propertyOptions(),
    );
  });

  it("damaged transactions are refused, or are the bytes of another transaction", () => {
    const bytes = damaged(transaction.map((whole) => encodeTransaction(whole)));
    fc.assert(
      fc.property(bytes, (candidate) => {
        const outcome = attempt(() => decodeTransaction(candidate));
        if ("value" in outcome) expect(encodeTransaction(outcome.value)).toEqual(candidate);
        else expect(outcome.code).toBe("BAD_TRANSACTION");
      }),
      propertyOptions(300),
    );
  });
});

describe("whatever decodes", () => {
  it("is unrolled and judged, or refused with a code of ours", () => {
    fc.assert(
      fc.property(plausibleVtxo, transaction, (vtxo, stranger) => {
        expect(typeof isStandard(vtxo)).toBe("boolean");
        const outcome = attempt(() => exitTransactions(vtxo));
        if ("value" in outcome) checkUnrolled(vtxo, outcome.value);
        else expect(outcome.code).toBe("TOTAL_OVERFLOW");
        expect(attempt(() => validateVtxo(vtxo, stranger))).toHaveProperty("code");
      }),
      propertyOptions(60),
    );
  });

  it("is valid without signatures under the anchor that its own first transaction spends, and at its own point", () => {
    fc.assert(
      fc.property(plausibleVtxo, transaction, (vtxo, carrier) => {
        const placed = attempt(() => place(vtxo, carrier));
        if ("code" in placed) return;
        const { chain, anchor } = placed.value;
        validateVtxo(chain, anchor, { signatures: false });
        const moved = { ...chain, point: { ...chain.point, vout: (chain.point.vout + 1) % 2 ** 32 } };
        expect(attempt(() => validateVtxo(moved, anchor, { signatures: false }))).toHaveProperty("code");
        if (chain.genesis.length > 0) expect(attempt(() => validateVtxo(chain, anchor))).toHaveProperty("code");
      }),
      propertyOptions(60),
    );
  });
});

/** Each transaction spends the one before, pays what it was given, and has its witness exactly if its item is complete. */
function checkUnrolled(vtxo: Vtxo, transactions: readonly Transaction[]): void {
  expect(transactions).toHaveLength(vtxo.genesis.length);
  let previous = vtxo.chainAnchor;
  for (const [i, { inputs, outputs, ...rest }] of transactions.entries()) {
    const outputIndex = vtxo.genesis[i]?.outputIndex ?? Number.NaN;
    expect(inputs.map(({ outpoint }) => outpoint)).toEqual([previous]);
    expect(outputs).toHaveLength((vtxo.genesis[i]?.siblings.length ?? 0) + 2);
    previous = { txid: transactionId({ inputs, outputs, ...rest }), vout: outputIndex };
  }
  const last = transactions.at(-1);
  if (last !== undefined) expect(last.outputs[previous.vout]?.amountSats).toBe(vtxo.amountSats);
  const witnessed = transactions.every(({ inputs }) => inputs.every(({ witness }) => witness.length > 0));
  expect(witnessed).toBe(allWitnessesPresent(vtxo));
}

/** Puts a VTXO under the first output of a transaction, as if that paid for it; its point moves along. */
function place(vtxo: Vtxo, carrier: Transaction): { chain: Vtxo; anchor: Transaction } {
  const [first] = vtxo.genesis;
  const { script } = first === undefined ? vtxoOutput(vtxo) : spentOutputOf(vtxo, first, 0);
  const anchor = { ...carrier, outputs: [{ amountSats: chainAnchorAmountSats(vtxo), script }] };
  const chainAnchor = { txid: transactionId(anchor), vout: 0 };
  const last = exitTransactions({ ...vtxo, chainAnchor }).at(-1);
  const point =
    last === undefined ? chainAnchor : { txid: transactionId(last), vout: vtxo.genesis.at(-1)?.outputIndex ?? Number.NaN };
  return { chain: { ...vtxo, chainAnchor, point }, anchor };
}

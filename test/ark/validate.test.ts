import { describe, expect, it } from "vitest";
import {
  addBaseMultiple,
  bytesToScalar,
  GROUP_ORDER,
  hasEvenY,
  publicKeyOf,
  scalarToBytes,
  signSchnorr,
  taggedHash,
} from "../../ark/crypto.ts";
import { chainAnchorAmountSats, exitTransactions, spentOutputOf, walkExit } from "../../ark/exit.ts";
import type { GenesisItem } from "../../ark/genesis.ts";
import { decodeHex } from "../../ark/hex.ts";
import { aggregateKeys } from "../../ark/key-aggregation.ts";
import { taprootSighash } from "../../ark/sighash.ts";
import { decodeTransaction, type Transaction, transactionId } from "../../ark/transaction.ts";
import type { ArkoorTransition } from "../../ark/transition.ts";
import { validateVtxo } from "../../ark/validate.ts";
import { decodeVtxo, encodeVtxo, type Vtxo } from "../../ark/vtxo.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describeRejections, rejectionsWithoutAnchor } from "./suites/rejection.ts";

const answers = loadKnownAnswers();
describeRejections(answers);

it("98 rejections need anchor transactions that are published elsewhere: `npm run test:upstream` runs them", () => {
  expect(rejectionsWithoutAnchor(answers)).toHaveLength(98);
});

const refused = (code: string, genesisIndex?: number) => expect.objectContaining({ code, genesisIndex });
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** The first VTXO under a name, and the transaction of its anchor. */
function known(name: string): { vtxo: Vtxo; anchor: Transaction } {
  const answer = answers.vtxos.find((candidate) => candidate.name === name);
  const anchor = answers.transactions.find((candidate) => candidate.name === answer?.anchor_transaction);
  return { vtxo: decodeVtxo(decodeHex(answer?.hex ?? "")), anchor: decodeTransaction(decodeHex(anchor?.hex ?? "")) };
}

/** A transaction with one output. */
function paying(amountSats: bigint, script: Uint8Array): Transaction {
  const outpoint = { txid: "11".repeat(32), vout: 0 };
  const input = { outpoint, script: new Uint8Array(0), sequence: 0, witness: [] };
  return { version: 2, inputs: [input], outputs: [{ amountSats, script }], lockTime: 0 };
}

/** Moves a VTXO under another anchor transaction; its signatures become invalid with that. */
function reanchored(vtxo: Vtxo, anchor: Transaction): Vtxo {
  return { ...vtxo, chainAnchor: { txid: transactionId(anchor), vout: 0 } };
}

describe("a tweak that cancels the key (vtxo.md §5.2, §12.7)", () => {
  const serverSecret = scalarToBytes(0x5eedn);
  const server = publicKeyOf(serverSecret);
  const { vtxo: leaf } = known("derived/v1_leaf1_final");

  const item: GenesisItem = {
    transition: { ...cancelling(), signature: new Uint8Array(64).fill(1) },
    outputIndex: 0,
    siblings: [],
    feeSats: 0n,
  };
  const vtxo: Vtxo = { ...leaf, serverPubkey: server, genesis: [item] };

  it("decodes, though it has no spent output", () => {
    expect(decodeVtxo(encodeVtxo(vtxo))).toEqual(vtxo);
  });

  it("is BAD_OUTPUT_KEY when unrolled or validated, with and without signatures", () => {
    const anchor = paying(vtxo.amountSats, new Uint8Array(34));
    expect(() => exitTransactions(vtxo)).toThrow(refused("BAD_OUTPUT_KEY", 0));
    for (const signatures of [true, false]) {
      expect(() => validateVtxo(reanchored(vtxo, anchor), anchor, { signatures })).toThrow(refused("BAD_OUTPUT_KEY", 0));
    }
  });

  it("comes after the overflow of the total, which needs no output", () => {
    const rich = { ...vtxo, amountSats: U64_MAX, genesis: [{ ...item, feeSats: 1n }] };
    expect(() => validateVtxo(rich, paying(1n, new Uint8Array(0)))).toThrow(refused("TOTAL_OVERFLOW"));
  });

  it("is met when the transaction in front of it is built: after the anchor, before that transaction's signature", () => {
    const good: GenesisItem = {
      transition: { kind: "cosigned", pubkeys: [server], signature: null },
      outputIndex: 0,
      siblings: [],
      feeSats: 0n,
    };
    const chain = { ...vtxo, genesis: [good, item] };
    const { script } = spentOutputOf(chain, good, 0);
    const wrong = paying(1n, script);
    expect(() => validateVtxo(reanchored(chain, wrong), wrong)).toThrow(refused("ANCHOR_OUTPUT_MISMATCH"));
    const right = paying(chain.amountSats, script);
    expect(() => validateVtxo(reanchored(chain, right), right)).toThrow(refused("BAD_OUTPUT_KEY", 1));
    const later = { ...chain, genesis: [good, good, item] };
    expect(() => validateVtxo(reanchored(later, right), right)).toThrow(refused("TRANSITION_MISSING_SIGNATURE", 0));
  });

  /** n minus the secret key of P', so that P' + tweak·G is at infinity. */
  function cancelling(): Omit<ArkoorTransition, "signature"> {
    const list = taggedHash("KeyAgg list", server);
    const coefficient = bytesToScalar(taggedHash("KeyAgg coefficient", list, server));
    const product = (bytesToScalar(serverSecret) * coefficient) % GROUP_ORDER;
    const secret = hasEvenY(aggregateKeys([server])) ? product : GROUP_ORDER - product;
    return { kind: "arkoor", clientCosigners: [], tapTweak: scalarToBytes(GROUP_ORDER - secret) };
  }
});

describe("an arkoor item without client cosigners", () => {
  it("is valid when the server alone signed", () => {
    // One key: its aggregate is coefficient·key, so the server can sign for the tweaked output key by itself.
    const serverSecret = scalarToBytes(0x1234n);
    const server = publicKeyOf(serverSecret);
    const coefficient = bytesToScalar(taggedHash("KeyAgg coefficient", taggedHash("KeyAgg list", server), server));
    const product = (bytesToScalar(serverSecret) * coefficient) % GROUP_ORDER;
    const secret = hasEvenY(aggregateKeys([server])) ? product : GROUP_ORDER - product;
    const tapTweak = scalarToBytes(7n);
    const { vtxo: leaf } = known("derived/v1_leaf1_final");
    const unsigned: GenesisItem = {
      transition: { kind: "arkoor", clientCosigners: [], tapTweak, signature: null },
      outputIndex: 0,
      siblings: [],
      feeSats: 5n,
    };
    const draft: Vtxo = { ...leaf, serverPubkey: server, genesis: [unsigned] };
    const anchor = paying(chainAnchorAmountSats(draft), spentOutputOf(draft, unsigned, 0).script);
    const placed = reanchored(draft, anchor);
    const [transaction] = exitTransactions(placed);
    if (transaction === undefined) throw new Error("expected one transaction");
    const message = taprootSighash(transaction, { spentOutputs: anchor.outputs });
    const signature = signSchnorr(message, scalarToBytes((secret + 7n) % GROUP_ORDER), new Uint8Array(32));
    const vtxo: Vtxo = {
      ...placed,
      genesis: [{ ...unsigned, transition: { ...unsigned.transition, signature } }],
      point: { txid: transactionId(transaction), vout: 0 },
    };
    expect(addBaseMultiple(publicKeyOf(scalarToBytes(secret)), 7n)).not.toBeNull();
    validateVtxo(vtxo, anchor);
    expect(() => validateVtxo({ ...vtxo, point: { ...vtxo.point, vout: 1 } }, anchor)).toThrow(refused("POINT_MISMATCH"));
  });
});

describe("what no decoder returns is refused all the same", () => {
  const { vtxo, anchor } = known("derived/v1_leaf1_final");
  const [item] = vtxo.genesis;
  if (item === undefined) throw new Error("expected an item");
  const withItem = (change: Partial<GenesisItem>): Vtxo => ({ ...vtxo, genesis: [{ ...item, ...change }] });
  const walk = (broken: Vtxo, amountSats: bigint) => () => [...walkExit(broken, { anchor: vtxo.chainAnchor, amountSats })];

  it("an output index beyond the outputs", () => {
    expect(walk(withItem({ outputIndex: item.siblings.length + 1 }), U64_MAX)).toThrow(refused("TRANSITION_OUTPUT_INDEX", 0));
  });

  it("fee and siblings above what is spent, or above any amount", () => {
    expect(walk(withItem({ feeSats: 1_000n, siblings: [], outputIndex: 0 }), 999n)).toThrow(refused("AMOUNT_UNDERFLOW", 0));
    expect(walk(withItem({ feeSats: U64_MAX + 1n }), U64_MAX)).toThrow(refused("SUM_OVERFLOW", 0));
  });

  it("a point away from an anchor without items", () => {
    const { vtxo: onChain, anchor: funding } = known("derived/onchain_utxo_without_genesis");
    validateVtxo(onChain, funding);
    const moved = { ...onChain, point: { ...onChain.point, vout: onChain.point.vout + 1 } };
    expect(() => validateVtxo(moved, funding)).toThrow(refused("POINT_IS_NOT_ANCHOR"));
  });

  it("the whole VTXO is valid beforehand", () => {
    validateVtxo(vtxo, anchor);
  });
});

it("an output on chain with another amount or script is not the VTXO that claims to be it", () => {
  const { vtxo: onChain, anchor: funding } = known("derived/onchain_utxo_without_genesis");
  const richer = { ...onChain, amountSats: onChain.amountSats + 1n };
  expect(() => validateVtxo(richer, funding)).toThrow(refused("ANCHOR_OUTPUT_MISMATCH"));
  const slower = { ...onChain, exitDelta: onChain.exitDelta + 1 };
  expect(() => validateVtxo(slower, funding)).toThrow(refused("ANCHOR_OUTPUT_MISMATCH"));
});

it("the id of the anchor transaction is not compared with the anchor: the caller does that", () => {
  const { vtxo: onChain, anchor } = known("derived/onchain_utxo_without_genesis");
  const other = { ...anchor, lockTime: anchor.lockTime + 1 };
  expect(transactionId(other)).not.toBe(onChain.chainAnchor.txid);
  validateVtxo(onChain, other);
});

it("a total of exactly 2^64 − 1 sats does not overflow", () => {
  const { vtxo } = known("derived/v1_leaf1_final");
  const besides = chainAnchorAmountSats(vtxo) - vtxo.amountSats;
  expect(chainAnchorAmountSats({ ...vtxo, amountSats: U64_MAX - besides })).toBe(U64_MAX);
  expect(() => exitTransactions({ ...vtxo, amountSats: U64_MAX - besides + 1n })).toThrow(refused("TOTAL_OVERFLOW"));
});

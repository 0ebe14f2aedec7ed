import { arkoorResults } from "../ark/arkoor-result.ts";
import type { ArkoorPart } from "../ark/arkoor-transactions.ts";
import { type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";

/** An output between an input and the new VTXOs, which the server tracks for itself. */
export interface InternalOutput {
  readonly id: VtxoId;
  readonly vtxo: Vtxo;
  /** Id of the transaction that spends it. */
  readonly spentBy: string;
}

/** The checkpoint and isolation outputs of a part, each with the transaction that spends it (arkoor.md §10.2). */
export function internalOutputs(part: ArkoorPart): InternalOutput[] {
  const [first, ...spenders] = part.transactions;
  const [sample] = arkoorResults(part);
  if (!first || !sample) return [];
  const item = sample.genesis[part.input.genesis.length];
  if (!item) return [];
  const outputs = first.transaction.outputs.slice(0, -1);
  // In direct mode only the isolation output is one, behind the normal ones.
  const firstVout = part.mode === "direct" ? part.outputs.normal.length : 0;
  return spenders.map((spender, i) => {
    const vout = firstVout + i;
    const vtxo: Vtxo = {
      ...part.input,
      amountSats: outputs[vout]?.amountSats ?? 0n,
      genesis: [...part.input.genesis, { ...item, outputIndex: vout, siblings: outputs.toSpliced(vout, 1) }],
      policy: { kind: "checkpoint", userPubkey: part.input.policy.userPubkey },
      point: { txid: first.txid, vout },
    };
    return { id: vtxoId(vtxo), vtxo, spentBy: spender.txid };
  });
}

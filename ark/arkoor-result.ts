import type { Destination } from "./arkoor-allocation.ts";
import type { ArkoorPart, ArkoorTransaction } from "./arkoor-transactions.ts";
import { equalBytes } from "./bytes.ts";
import type { GenesisItem } from "./genesis.ts";
import { encodePolicy, type UserPolicy } from "./policy.ts";
import type { Vtxo } from "./vtxo.ts";

/**
 * The VTXOs that a part creates: normal ones, then isolated ones (arkoor.md §6).
 *
 * @param signatures In the order of the part's transactions; a missing one leaves its item incomplete, which is
 *   enough to learn ids.
 */
export function arkoorResults(part: ArkoorPart, signatures: readonly (Uint8Array | null)[] = []): Vtxo<UserPolicy>[] {
  const { normal, isolated } = part.outputs;
  return [
    ...normal.map((destination, i) => normalVtxo(part, destination, i, signatures)),
    ...isolated.map((destination, j) => isolatedVtxo(part, destination, j, signatures)),
  ];
}

/** The VTXOs among some that have exactly a policy: payment and change are told apart so (arkoor.md §9 step 7). */
export function vtxosOfPolicy(vtxos: readonly Vtxo<UserPolicy>[], policy: UserPolicy): Vtxo<UserPolicy>[] {
  const wanted = encodePolicy(policy);
  return vtxos.filter((vtxo) => equalBytes(encodePolicy(vtxo.policy), wanted));
}

function normalVtxo(
  part: ArkoorPart,
  destination: Destination,
  i: number,
  signatures: readonly (Uint8Array | null)[],
): Vtxo<UserPolicy> {
  const first = genesisItem(part, 0, i, signatures);
  if (part.mode === "direct") return vtxo(part, destination, [first], { txid: transactionAt(part, 0).txid, vout: i });
  const second = genesisItem(part, i + 1, 0, signatures);
  return vtxo(part, destination, [first, second], { txid: transactionAt(part, i + 1).txid, vout: 0 });
}

function isolatedVtxo(
  part: ArkoorPart,
  destination: Destination,
  j: number,
  signatures: readonly (Uint8Array | null)[],
): Vtxo<UserPolicy> {
  const fanOut = part.transactions.length - 1;
  const first = genesisItem(part, 0, part.outputs.normal.length, signatures);
  const second = genesisItem(part, fanOut, j, signatures);
  return vtxo(part, destination, [first, second], { txid: transactionAt(part, fanOut).txid, vout: j });
}

/** One step: the transaction at a position of the part, continued by one of its outputs. */
function genesisItem(
  part: ArkoorPart,
  position: number,
  outputIndex: number,
  signatures: readonly (Uint8Array | null)[],
): GenesisItem {
  const { transaction, tapTweak } = transactionAt(part, position);
  const withoutFeeAnchor = transaction.outputs.slice(0, -1);
  return {
    transition: {
      kind: "arkoor",
      clientCosigners: [part.input.policy.userPubkey],
      tapTweak,
      signature: signatures[position] ?? null,
    },
    outputIndex,
    siblings: withoutFeeAnchor.toSpliced(outputIndex, 1),
    feeSats: 0n,
  };
}

function vtxo(part: ArkoorPart, destination: Destination, items: readonly GenesisItem[], point: Vtxo["point"]): Vtxo<UserPolicy> {
  const { expiryHeight, serverPubkey, exitDelta, chainAnchor, genesis } = part.input;
  return {
    amountSats: destination.amountSats,
    expiryHeight,
    serverPubkey,
    exitDelta,
    chainAnchor,
    genesis: [...genesis, ...items],
    policy: destination.policy,
    point,
  };
}

function transactionAt(part: ArkoorPart, position: number): ArkoorTransaction {
  const transaction = part.transactions[position];
  if (transaction === undefined) throw new RangeError(`expected a transaction at position ${position}, got none`);
  return transaction;
}

import {
  ArkError,
  allWitnessesPresent,
  chainAnchorAmountSats,
  findNonStandardOutput,
  type GenesisItem,
  isStandard,
  type NonStandardOutput,
  type UserPolicy,
  type Vtxo,
  vtxoId,
} from "heartwood/ark";
import { exitTxids } from "./verdict.ts";

/** Everything that `vtxo show` tells about a VTXO; the object that `--json` prints. */
export interface VtxoDescription {
  readonly id: string;
  readonly amountSats: bigint;
  readonly expiryHeight: number;
  /** In blocks. */
  readonly exitDelta: number;
  readonly serverPubkey: Uint8Array;
  /** Who may spend it: kind, owner key and the terms of a contract (vtxo.md §4.1). */
  readonly policy: UserPolicy;
  readonly anchor: {
    readonly outpoint: string;
    /** Null where the amounts of the chain overflow. */
    readonly amountSats: bigint | null;
  };
  readonly depth: number;
  readonly genesis: readonly GenesisDescription[];
  /** Ids of the exit transactions in order; none where they cannot be built. */
  readonly txids: readonly string[];
  /** Whether every exit transaction has its witness. Says nothing about whether a signature is valid. */
  readonly complete: boolean;
  readonly standard: boolean;
  readonly nonStandardOutput: NonStandardOutput | null;
}

/** One step on the way from the chain anchor to the VTXO. */
export interface GenesisDescription {
  readonly kind: string;
  /** Keys listed in the item; the server's is not listed where it is implied (vtxo.md §5.2). */
  readonly keys: readonly Uint8Array[];
  readonly outputIndex: number;
  /** The fee anchor not counted. */
  readonly outputs: number;
  /** Sum of the outputs that lead elsewhere. */
  readonly siblingsSats: bigint;
  readonly feeSats: bigint;
  readonly signature: "present" | "absent";
  /** Null where the item has no hash lock. */
  readonly preimage: "known" | "unknown" | null;
}

/** Describes a decoded VTXO. Nothing is validated. */
export function describeVtxo(vtxo: Vtxo<UserPolicy>): VtxoDescription {
  return {
    id: vtxoId(vtxo),
    amountSats: vtxo.amountSats,
    expiryHeight: vtxo.expiryHeight,
    exitDelta: vtxo.exitDelta,
    serverPubkey: vtxo.serverPubkey,
    policy: vtxo.policy,
    anchor: { outpoint: `${vtxo.chainAnchor.txid}:${vtxo.chainAnchor.vout}`, amountSats: anchorAmountSats(vtxo) },
    depth: vtxo.genesis.length,
    genesis: vtxo.genesis.map(describeItem),
    txids: exitTxids(vtxo),
    complete: allWitnessesPresent(vtxo),
    standard: isStandard(vtxo),
    nonStandardOutput: findNonStandardOutput(vtxo),
  };
}

function describeItem({ transition, outputIndex, siblings, feeSats }: GenesisItem): GenesisDescription {
  return {
    kind: transition.kind,
    keys: keysOf(transition),
    outputIndex,
    outputs: siblings.length + 1,
    siblingsSats: siblings.reduce((sum, { amountSats }) => sum + amountSats, 0n),
    feeSats,
    signature: transition.signature === null ? "absent" : "present",
    preimage: "unlock" in transition ? ("preimage" in transition.unlock ? "known" : "unknown") : null,
  };
}

function keysOf(transition: GenesisItem["transition"]): readonly Uint8Array[] {
  switch (transition.kind) {
    case "cosigned":
      return transition.pubkeys;
    case "arkoor":
      return transition.clientCosigners;
    case "hash-locked-cosigned":
    case "hash-locked-cosigned-v1":
      return [transition.userPubkey];
  }
}

function anchorAmountSats(vtxo: Vtxo): bigint | null {
  try {
    return chainAnchorAmountSats(vtxo);
  } catch (error) {
    if (error instanceof ArkError) return null;
    throw error;
  }
}

import type { TxOutput } from "./tx-output.ts";
import type { Vtxo } from "./vtxo.ts";

/** Whether nodes relay an output (vtxo.md §6.5). */
export type OutputStandardness = "standard" | "dust" | "non-standard-script";

/** The first output of a chain that nodes do not relay: the VTXO's own one is looked at first. */
export type NonStandardOutput =
  | { readonly output: "own"; readonly reason: "dust" }
  | {
      readonly output: "sibling";
      readonly reason: "dust" | "non-standard-script";
      /** Counted from the chain anchor. */
      readonly genesisIndex: number;
      /** Position in the item's list of siblings. */
      readonly siblingIndex: number;
    };

/** Least amount of a taproot output that nodes relay. */
export const P2TR_DUST_SATS = 330n;

const MAX_OP_RETURN_BYTES = 83;
const OP_RETURN = 0x6a;

/** In the order of vtxo.md §6.5. Of P2WPKH the reference's 270 is used, though Bitcoin Core relays from 294 on. */
const TEMPLATES: readonly {
  readonly length: number;
  readonly head: number[];
  readonly tail: number[];
  readonly dustSats: bigint;
}[] = [
  { length: 25, head: [0x76, 0xa9, 0x14], tail: [0x88, 0xac], dustSats: 546n },
  { length: 23, head: [0xa9, 0x14], tail: [0x87], dustSats: 540n },
  { length: 22, head: [0x00, 0x14], tail: [], dustSats: 270n },
  { length: 34, head: [0x00, 0x20], tail: [], dustSats: 330n },
  { length: 34, head: [0x51, 0x20], tail: [], dustSats: P2TR_DUST_SATS },
];

/** Judges one output (vtxo.md §6.5). */
export function outputStandardness({ amountSats, script }: TxOutput): OutputStandardness {
  const template = TEMPLATES.find(
    ({ length, head, tail }) =>
      script.length === length &&
      head.every((byte, i) => script[i] === byte) &&
      tail.every((byte, i) => script[length - tail.length + i] === byte),
  );
  if (template !== undefined) return amountSats >= template.dustSats ? "standard" : "dust";
  return script[0] === OP_RETURN && script.length <= MAX_OP_RETURN_BYTES ? "standard" : "non-standard-script";
}

/** Finds the output for which nodes would not relay the exit of a VTXO, or null (vtxo.md §6.5). */
export function findNonStandardOutput(vtxo: Vtxo): NonStandardOutput | null {
  // The own output is always taproot, whatever the policy.
  if (vtxo.amountSats < P2TR_DUST_SATS) return { output: "own", reason: "dust" };
  for (const [genesisIndex, item] of vtxo.genesis.entries()) {
    for (const [siblingIndex, sibling] of item.siblings.entries()) {
      const reason = outputStandardness(sibling);
      if (reason !== "standard") return { output: "sibling", reason, genesisIndex, siblingIndex };
    }
  }
  return null;
}

/**
 * Whether nodes relay every output of a VTXO's exit. No part of validation or of acceptance: a VTXO that is not
 * standard is money that cannot be brought on chain as it is (vtxo.md §6.5).
 */
export function isStandard(vtxo: Vtxo): boolean {
  return findNonStandardOutput(vtxo) === null;
}

import { xOnly } from "./crypto.ts";
import { aggregateKeys } from "./key-aggregation.ts";
import { type PolicyContext, policyOutput } from "./policy-output.ts";
import { heightScript } from "./scripts.ts";
import { type TapLeaf, taprootOutput, taprootScript, tweakKey } from "./taproot.ts";
import { type HashLockedTransition, type Transition, unlockHash } from "./transition.ts";

/** The output that a transition spends, but its amount (vtxo.md §5.2). */
export interface SpentOutput {
  /** 34 bytes. */
  readonly script: Uint8Array;
  /** The x-only key under which the signature is checked. */
  readonly signatureKey: Uint8Array;
  /** The leaf that the spend reveals, or null for a key path. */
  readonly leaf: TapLeaf | null;
}

/**
 * Builds the output that a transition spends (vtxo.md §5.2).
 *
 * @throws ArkError `BAD_OUTPUT_KEY` when a tweak cancels the key: such an item decodes but spends nothing
 */
export function spentOutput(transition: Transition, context: PolicyContext): SpentOutput {
  switch (transition.kind) {
    case "cosigned": {
      const internalKey = xOnly(aggregateKeys(transition.pubkeys));
      const output = taprootOutput(internalKey, [heightScript(context.expiryHeight, context.serverPubkey)]);
      // Signed for with the tweaked key, unlike hash-locked items (vtxo.md §11.4).
      return { script: output.script, signatureKey: xOnly(output.outputKey), leaf: null };
    }
    case "arkoor": {
      const internalKey = xOnly(aggregateKeys([...transition.clientCosigners, context.serverPubkey]));
      const outputKey = tweakKey(internalKey, transition.tapTweak);
      return { script: taprootScript(outputKey), signatureKey: xOnly(outputKey), leaf: null };
    }
    case "hash-locked-cosigned":
    case "hash-locked-cosigned-v1":
      return hashLockedOutput(transition, context);
  }
}

function hashLockedOutput(transition: HashLockedTransition, context: PolicyContext): SpentOutput {
  const output = policyOutput(
    {
      kind: transition.kind === "hash-locked-cosigned" ? "hark-leaf" : "hark-leaf-v1",
      userPubkey: transition.userPubkey,
      unlockHash: unlockHash(transition),
    },
    context,
  );
  const leaf = output.leaves[1];
  if (leaf === undefined) throw new Error("a hArk leaf policy has two leaves");
  return { script: output.script, signatureKey: output.internalKey, leaf };
}

/** The witness of the exit transaction's input, bottom to top: empty as long as something is missing (vtxo.md §5.3). */
export function transitionWitness(transition: Transition, spent: SpentOutput): readonly Uint8Array[] {
  const { signature } = transition;
  if (signature === null) return [];
  if (!("unlock" in transition)) return [signature];
  if (!("preimage" in transition.unlock) || spent.leaf === null) return [];
  return [signature, transition.unlock.preimage, spent.leaf.script, spent.leaf.controlBlock];
}

/** Whether nothing is missing of what the witness needs (vtxo.md §5.3). */
export function isComplete(transition: Transition): boolean {
  return transition.signature !== null && (!("unlock" in transition) || "preimage" in transition.unlock);
}

import { equalBytes } from "./bytes.ts";
import { sha256 } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import type { GenesisItem } from "./genesis.ts";
import { checkLength } from "./limits.ts";
import type { Policy } from "./policy.ts";
import { type HashLockedTransition, unlockHash } from "./transition.ts";
import type { Vtxo } from "./vtxo.ts";

/**
 * Fills the signature slot of the last item, a hash-locked one; the signature (64 bytes) is not verified here: validate
 * the result (vtxo.md §5.3).
 *
 * @throws ArkError `NOT_HASH_LOCKED`, `OUT_OF_RANGE`
 */
export function withFinalSignature<P extends Policy>(vtxo: Vtxo<P>, signature: Uint8Array): Vtxo<P> {
  return replaceFinal(vtxo, (transition) => ({ ...transition, signature: Uint8Array.from(checkLength(signature, 64)) }));
}

/**
 * Puts the unlock preimage (32 bytes) in the place of its hash in the last item (vtxo.md §5.3).
 *
 * @throws ArkError `NOT_HASH_LOCKED`, `WRONG_PREIMAGE` unless SHA-256 of the preimage is the hash, `OUT_OF_RANGE`
 */
export function withFinalPreimage<P extends Policy>(vtxo: Vtxo<P>, preimage: Uint8Array): Vtxo<P> {
  return replaceFinal(vtxo, (transition) => {
    if (!equalBytes(sha256(checkLength(preimage, 32)), unlockHash(transition))) {
      throw new ArkError("WRONG_PREIMAGE", "expected the preimage of the unlock hash, got another");
    }
    return { ...transition, unlock: { preimage: Uint8Array.from(preimage) } };
  });
}

function replaceFinal<P extends Policy>(
  vtxo: Vtxo<P>,
  replace: (transition: HashLockedTransition) => HashLockedTransition,
): Vtxo<P> {
  const last: GenesisItem | undefined = vtxo.genesis.at(-1);
  if (last === undefined || !("unlock" in last.transition)) {
    throw new ArkError("NOT_HASH_LOCKED", `expected a hash-locked last item, got ${last?.transition.kind ?? "no item"}`);
  }
  return { ...vtxo, genesis: [...vtxo.genesis.slice(0, -1), { ...last, transition: replace(last.transition) }] };
}

import { decodeVtxo } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { askSpendState, type VettingContext } from "./vet-vtxo.ts";

/** Of a VTXO that is good but for the server's word. */
export const SERVER_SAYS_SPENT = "SERVER_SAYS_SPENT";

/**
 * Asks the server alone about a held VTXO that it called spent: as long as it says so, no question to the chain can make it
 * money. After a restore a wallet holds all that it ever received and spent, so each question counts.
 *
 * @returns what it says, or undefined where the VTXO has to be vetted as a whole
 * @throws Undecided; the reason of the signal
 */
export async function stillSpent(id: VtxoId, bytes: Uint8Array, context: VettingContext) {
  const owner = ownerOf(bytes);
  if (owner === undefined || context.isKnown(id) || context.isSuperseded(id)) return undefined;
  const keyIndex = await context.keyring.ownerIndex(owner, context.nextKeyIndex, context.signal);
  if (keyIndex === undefined) return undefined;
  const answer = await askSpendState(id, keyIndex, context);
  return typeof answer === "object" && answer.code === SERVER_SAYS_SPENT ? answer : undefined;
}

/** Bytes in place of which the server's copy was vetted may be none. */
function ownerOf(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const { policy } = decodeVtxo(bytes);
    return policy.kind === "pubkey" ? policy.userPubkey : undefined;
  } catch {
    return undefined;
  }
}

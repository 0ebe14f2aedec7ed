import { equalBytes } from "./bytes.ts";
import { type PolicyContext, policyOutput } from "./policy-output.ts";
import type { Transition } from "./transition.ts";

/**
 * Whether somebody else can take the output that an item spends once it is on chain, with no VTXO below it having a say:
 * a former owner, after the exit delta, unless the next transaction of the chain is there before (vtxo.md §4.7, arkoor.md §1).
 * The outputs of a tree and of a checkpoint are the server's alone, and not before the expiry.
 *
 * @param isOwn whether a key (33 bytes) is the wallet's: as a former owner it takes nothing from itself
 * @throws ArkError `BAD_PUBKEY`, `BAD_OUTPUT_KEY` for an item that was not validated
 */
export function isClaimable(transition: Transition, context: PolicyContext, isOwn: (publicKey: Uint8Array) => boolean): boolean {
  if (transition.kind !== "arkoor") return false;
  const [userPubkey, ...others] = transition.clientCosigners;
  if (userPubkey === undefined || others.length > 0) return true;
  const isOutputOf = (kind: "checkpoint" | "pubkey"): boolean =>
    equalBytes(policyOutput({ kind, userPubkey }, context).tapTweak, transition.tapTweak);
  return !isOutputOf("checkpoint") && !(isOwn(userPubkey) && isOutputOf("pubkey"));
}

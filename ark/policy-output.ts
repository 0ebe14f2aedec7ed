import { xOnly } from "./crypto.ts";
import { aggregateKeys } from "./key-aggregation.ts";
import type { Policy, PolicyKind } from "./policy.ts";
import { delayScript, type HashLockVersion, hashDelayScript, hashScript, heightDelayScript, heightScript } from "./scripts.ts";
import { type TaprootOutput, taprootOutput } from "./taproot.ts";

/** What a policy's output depends on besides the policy itself. */
export interface PolicyContext {
  /** Compressed, 33 bytes: S of vtxo.md. */
  readonly serverPubkey: Uint8Array;
  /** In blocks: D of vtxo.md. */
  readonly exitDelta: number;
  /** E of vtxo.md. */
  readonly expiryHeight: number;
}

/**
 * The taproot output of a policy, its leaves in the order A, B of vtxo.md §4.5.
 *
 * @throws ArkError `BAD_PUBKEY`, `BAD_OUTPUT_KEY`
 */
export function policyOutput(policy: Policy, context: PolicyContext): TaprootOutput {
  const { serverPubkey: server, exitDelta, expiryHeight } = context;
  switch (policy.kind) {
    case "server-owned":
      return taprootOutput(xOnly(server), []);
    case "expiry":
      return taprootOutput(policy.internalKey, [heightScript(expiryHeight, server)]);
    case "checkpoint":
      return taprootOutput(sharedKey(policy, server), [heightScript(expiryHeight, server)]);
    case "pubkey":
      return taprootOutput(sharedKey(policy, server), [delayScript(exitDelta, policy.userPubkey)]);
    case "server-htlc-send":
    case "server-htlc-send-v1":
      return taprootOutput(sharedKey(policy, server), [
        hashDelayScript(hashLockVersion(policy.kind), policy.paymentHash, exitDelta, server),
        heightDelayScript(policy.htlcExpiryHeight, 2 * exitDelta, policy.userPubkey),
      ]);
    case "server-htlc-receive":
    case "server-htlc-receive-v1":
      return taprootOutput(sharedKey(policy, server), [
        heightDelayScript(policy.htlcExpiryHeight, exitDelta, server),
        hashDelayScript(hashLockVersion(policy.kind), policy.paymentHash, policy.htlcExpiryDelta + exitDelta, policy.userPubkey),
      ]);
    case "hark-leaf":
    case "hark-leaf-v1": {
      const aggregate = aggregateKeys([policy.userPubkey, server]);
      return taprootOutput(xOnly(aggregate), [
        heightScript(expiryHeight, server),
        hashScript(hashLockVersion(policy.kind), policy.unlockHash, aggregate),
      ]);
    }
    case "hark-forfeit":
    case "hark-forfeit-v1":
      return taprootOutput(sharedKey(policy, server), [
        hashScript(hashLockVersion(policy.kind), policy.unlockHash, server),
        delayScript(exitDelta, policy.userPubkey),
      ]);
  }
}

/** The internal key of user and server together, x-only. */
function sharedKey(policy: { readonly userPubkey: Uint8Array }, serverPubkey: Uint8Array): Uint8Array {
  return xOnly(aggregateKeys([policy.userPubkey, serverPubkey]));
}

function hashLockVersion(kind: PolicyKind): HashLockVersion {
  return kind.endsWith("-v1") ? "v1" : "v0";
}

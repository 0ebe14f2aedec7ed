import { describe, expect, it } from "vitest";
import { ByteReader } from "../../../ark/bytes.ts";
import { decodeHex, encodeHex } from "../../../ark/hex.ts";
import { aggregateKeys } from "../../../ark/key-aggregation.ts";
import { decodePolicy, decodeUserPolicy, encodePolicy, isUserPolicy, type Policy } from "../../../ark/policy.ts";
import { policyOutput } from "../../../ark/policy-output.ts";
import type { KnownAnswers, PolicyFields } from "../../vectors.ts";

/** The fields of a policy as the vectors name them. */
export function policyFields(policy: Policy): Omit<PolicyFields, "type_byte"> {
  return {
    kind: policy.kind,
    ...("userPubkey" in policy && { user_pubkey: encodeHex(policy.userPubkey) }),
    ...("paymentHash" in policy && { payment_hash: encodeHex(policy.paymentHash) }),
    ...("unlockHash" in policy && { unlock_hash: encodeHex(policy.unlockHash) }),
    ...("htlcExpiryHeight" in policy && { htlc_expiry: policy.htlcExpiryHeight }),
    ...("htlcExpiryDelta" in policy && { htlc_expiry_delta: policy.htlcExpiryDelta }),
    ...("internalKey" in policy && { internal_key: encodeHex(policy.internalKey) }),
  };
}

/** Claims about `policies` and `key_aggregation` of the known answers. */
export function describePolicies(answers: KnownAnswers): void {
  describe("known policies", () => {
    const cases = answers.policies.map((answer) => ({ title: `${answer.policy.kind}, D = ${answer.exit_delta}`, answer }));

    it.each(cases)("$title: decodes, re-encodes and gives the same taproot output", ({ answer }) => {
      const reader = new ByteReader(decodeHex(answer.policy_hex));
      const policy = decodePolicy(reader);
      reader.end();
      const { type_byte, ...fields } = answer.policy;
      expect(policyFields(policy)).toEqual(fields);
      expect(encodePolicy(policy)[0]).toBe(type_byte);
      expect(encodeHex(encodePolicy(policy))).toBe(answer.policy_hex);

      const output = policyOutput(policy, {
        serverPubkey: decodeHex(answer.server_pubkey),
        exitDelta: answer.exit_delta,
        expiryHeight: answer.expiry_height,
      });
      expect({
        internal_key: encodeHex(output.internalKey),
        leaves: output.leaves.map((leaf) => ({
          script_hex: encodeHex(leaf.script),
          control_block_hex: encodeHex(leaf.controlBlock),
        })),
        merkle_root: output.merkleRoot === null ? null : encodeHex(output.merkleRoot),
        tap_tweak: encodeHex(output.tapTweak),
        output_script_hex: encodeHex(output.script),
      }).toEqual({
        internal_key: answer.internal_key,
        leaves: answer.leaves,
        merkle_root: answer.merkle_root,
        tap_tweak: answer.tap_tweak,
        output_script_hex: answer.output_script_hex,
      });
    });

    it.each(cases)("$title: a wallet decodes it exactly if it is a user's policy", ({ answer }) => {
      const policy = decodePolicy(new ByteReader(decodeHex(answer.policy_hex)));
      const decode = () => decodeUserPolicy(new ByteReader(decodeHex(answer.policy_hex)));
      if (isUserPolicy(policy)) expect(decode()).toEqual(policy);
      else expect(decode).toThrow(expect.objectContaining({ code: "BAD_POLICY_TYPE" }));
      expect(isUserPolicy(policy)).toBe([0, 1, 2, 8, 9].includes(answer.policy.type_byte));
    });
  });

  describe("known key aggregates", () => {
    it.each(answers.key_aggregation)("$aggregate_pubkey, in any order of the keys", ({ pubkeys, aggregate_pubkey }) => {
      const keys = pubkeys.map(decodeHex);
      expect(encodeHex(aggregateKeys(keys))).toBe(aggregate_pubkey);
      expect(encodeHex(aggregateKeys(keys.toReversed()))).toBe(aggregate_pubkey);
    });
  });
}

import { describe, expect, it } from "vitest";
import { buildAddress, encodeAddress } from "../../../ark/address.ts";
import { decodeHex, encodeHex } from "../../../ark/hex.ts";
import { WalletKeys } from "../../../ark/keys.ts";
import type { KnownAnswers } from "../../vectors.ts";

/** Claims about `key_derivation` of the known answers. */
export function describeKeys(answers: KnownAnswers): void {
  describe("known wallets", () => {
    it.each(answers.key_derivation)("$wallet_fingerprint: seed, keys and first address", (answer) => {
      for (const keys of [WalletKeys.fromMnemonic(answer.mnemonic), WalletKeys.fromSeed(decodeHex(answer.bip39_seed_hex))]) {
        expect(keys.fingerprint).toBe(answer.wallet_fingerprint);
        expect(answer.vtxo_pubkeys.map((_, i) => encodeHex(keys.vtxoPublicKey(i)))).toEqual(answer.vtxo_pubkeys);
        expect(answer.vtxo_secret_keys.map((_, i) => encodeHex(keys.vtxoSecretKey(i)))).toEqual(answer.vtxo_secret_keys);
        expect(encodeHex(keys.mailboxId)).toBe(answer.mailbox_pubkey);
        expect(encodeHex(keys.mailboxSecretKey())).toBe(answer.mailbox_secret_key);
        expect(encodeHex(keys.recoveryMailboxId)).toBe(answer.recovery_mailbox_pubkey);
        expect(encodeHex(keys.recoveryMailboxSecretKey())).toBe(answer.recovery_mailbox_secret_key);

        const { text, server_pubkey, server_mailbox_pubkey, testnet } = answer.address_index_0;
        const address = buildAddress({
          serverPubkey: decodeHex(server_pubkey),
          mailboxPubkey: decodeHex(server_mailbox_pubkey),
          vtxoSecretKey: keys.vtxoSecretKey(0),
          mailboxId: keys.mailboxId,
          mainnet: !testnet,
        });
        expect(encodeAddress(address)).toBe(text);
      }
    });
  });
}

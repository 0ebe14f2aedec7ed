import { buildAddress, encodeAddress } from "../../../ark/address.ts";
import { WalletKeys } from "../../../ark/keys.ts";
import type { Simulator } from "../../../simulator/index.ts";

/** Of the wallet, and of whom it pays. */
export const SEED = new Uint8Array(64).fill(0x6b);
const OTHER_SEED = new Uint8Array(64).fill(0x6c);

const keys = { own: WalletKeys.fromSeed(SEED), other: WalletKeys.fromSeed(OTHER_SEED) };

/** The first address of a seed, made without any wallet. */
export function addressOf({ arkInfo: { serverPubkey, mailboxPubkey } }: Simulator, whose: keyof typeof keys): string {
  const { [whose]: owner } = keys;
  const vtxoSecretKey = owner.vtxoSecretKey(0);
  return encodeAddress(buildAddress({ serverPubkey, mailboxPubkey, vtxoSecretKey, mailboxId: owner.mailboxId, mainnet: false }));
}

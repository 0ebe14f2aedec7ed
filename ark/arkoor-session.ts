import type { ArkoorPart, ArkoorTransaction } from "./arkoor-transactions.ts";
import { MusigSession } from "./musig.ts";

/** Position of the server in the session of every arkoor transaction; the user stands at 0. */
export const SERVER = 1;

/**
 * The MuSig2 session of one transaction of a part, the same for both sides (arkoor.md §5).
 *
 * @throws ArkError `ARKOOR_BAD_NONCE`
 */
export function arkoorSession(
  part: ArkoorPart,
  transaction: ArkoorTransaction,
  publicNonces: { readonly user: Uint8Array; readonly server: Uint8Array },
): MusigSession {
  return new MusigSession({
    cosigners: [
      { publicKey: part.input.policy.userPubkey, publicNonce: publicNonces.user },
      { publicKey: part.input.serverPubkey, publicNonce: publicNonces.server },
    ],
    message: transaction.sighash,
    tapTweak: transaction.tapTweak,
  });
}

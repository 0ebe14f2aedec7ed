import { addPoints, isValidPublicKey, multiplyPoint, negatePoint, publicKeyOf } from "./crypto.ts";
import { ArkError } from "./errors.ts";

/**
 * Kinds of mailbox messages and their numeric codes (vtxo.md §9.1). On the wire they are separate
 * message variants; the numbers are bookkeeping.
 */
export const MAILBOX_MESSAGE_KINDS = {
  "arkoor-receive": 0,
  "round-participation-completed": 1,
  "ln-recv-pending": 2,
  "recovery-vtxo-id": 3,
  "ln-send-finished": 4,
} as const;

/**
 * The id of a mailbox: the public key (33 bytes) of its secret key (vtxo.md §9.1).
 *
 * @throws ArkError `BAD_SECRET_KEY`
 */
export function mailboxIdOf(mailboxSecretKey: Uint8Array): Uint8Array {
  return publicKeyOf(mailboxSecretKey);
}

/**
 * Checks a mailbox id, plain or blinded, that came as a stand-alone field: a curve point of 33 bytes.
 *
 * @throws ArkError `BAD_MAILBOX_ID`
 */
export function decodeMailboxId(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 33) throw new ArkError("BAD_MAILBOX_ID", `expected 33 bytes, got ${bytes.length}`);
  if (!isValidPublicKey(bytes)) throw new ArkError("BAD_MAILBOX_ID", "expected a curve point, got other bytes");
  return Uint8Array.from(bytes);
}

/**
 * Blinds a mailbox id for one VTXO key, B = M + v·W (vtxo.md §9.2, the wallet's side).
 *
 * @param serverMailboxPubkey The server's mailbox public key, not its server key.
 * @throws ArkError `BAD_MAILBOX_ID`, `BAD_PUBKEY`, `BAD_SECRET_KEY`
 */
export function blindMailboxId(mailboxId: Uint8Array, serverMailboxPubkey: Uint8Array, vtxoSecretKey: Uint8Array): Uint8Array {
  return sum(decodeMailboxId(mailboxId), multiplyPoint(serverMailboxPubkey, vtxoSecretKey));
}

/**
 * Recovers a mailbox id, M = B − w·V (vtxo.md §9.2, the server's side).
 *
 * @param vtxoPubkey The full user key (33 bytes, parity included) of the delivered VTXOs.
 * @throws ArkError `BAD_MAILBOX_ID`, `BAD_PUBKEY`, `BAD_SECRET_KEY`
 */
export function unblindMailboxId(blindedId: Uint8Array, serverMailboxSecretKey: Uint8Array, vtxoPubkey: Uint8Array): Uint8Array {
  return sum(decodeMailboxId(blindedId), negatePoint(multiplyPoint(vtxoPubkey, serverMailboxSecretKey)));
}

function sum(a: Uint8Array, b: Uint8Array): Uint8Array {
  const point = addPoints(a, b);
  if (point === null) throw new ArkError("BAD_MAILBOX_ID", "expected a finite point, got infinity");
  return point;
}

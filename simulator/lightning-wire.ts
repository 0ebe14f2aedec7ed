import { type CallContext, ServerError, Status } from "nice-grpc-common";
import { encodeHex } from "../ark/hex.ts";
import { decodeMailboxId } from "../ark/mailbox.ts";
import { badInput, orBadInput } from "./rpc-status.ts";

const HASH_BYTES = 32;
/** First protocol version with the hash locks that check the size of the preimage. */
const HTLC_VERSION = 5;

/** Refuses clients whose HTLCs would have the old scripts: the head of lightning.md. @throws ServerError */
export function checkHtlcVersion(context: Pick<CallContext, "metadata">): void {
  const version = context.metadata.get("pver");
  if (version !== undefined && Number(version) >= HTLC_VERSION) return;
  throw new ServerError(
    Status.INVALID_ARGUMENT,
    version === undefined
      ? "expected a protocol version in pver, got none"
      : `please upgrade: expected pver ${HTLC_VERSION}, got ${version}`,
  );
}

/** A payment hash in hex. @throws ServerError */
export function readHash(hash: Uint8Array): string {
  if (hash.length !== HASH_BYTES) throw badInput(`invalid hash: expected ${HASH_BYTES} bytes, got ${hash.length}`);
  return encodeHex(hash);
}

/** The mailbox to notify, in hex; `null` when none is given. @throws ServerError */
export function readMailbox(mailboxId: Uint8Array | undefined): string | null {
  return mailboxId === undefined ? null : encodeHex(orBadInput("invalid mailbox id", () => decodeMailboxId(mailboxId)));
}

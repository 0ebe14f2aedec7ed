import { ByteReader, ByteWriter, equalBytes } from "./bytes.ts";
import { publicKeyOf, sha256, signSchnorr, verifySchnorr, xOnly } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { decodeMailboxId } from "./mailbox.ts";

const PREFIX = new TextEncoder().encode("Ark VTXO mailbox authorization: ");
/** Years −262143 and 262142: what the reference's calendar can hold (vtxo.md §9.3). */
const EARLIEST_EXPIRY = -8_334_601_228_800n;
const LATEST_EXPIRY = 8_210_266_876_799n;
const GRACE_MS = 5_000n;

/** A signed permission to read a mailbox until a moment (vtxo.md §9.3). */
export interface Authorization {
  /** The mailbox id (33 bytes). */
  readonly mailboxId: Uint8Array;
  /** Unix seconds. */
  readonly expiresAt: bigint;
  /** BIP-340 signature (64 bytes) by the mailbox key. */
  readonly signature: Uint8Array;
}

/** What {@link createAuthorization} needs. */
export interface AuthorizationRequest {
  /** Secret key of the mailbox, or of the recovery mailbox. */
  readonly secretKey: Uint8Array;
  /** Its public key (33 bytes), where it is known: to find it costs as much as a third of the signature. */
  readonly mailboxId?: Uint8Array;
  /** Unix seconds. */
  readonly expiresAt: bigint;
  /** 32 random bytes. */
  readonly auxRand: Uint8Array;
}

/**
 * Signs an authorization.
 *
 * @throws ArkError `BAD_TIMESTAMP`, `BAD_SECRET_KEY`
 */
export function createAuthorization(request: AuthorizationRequest): Authorization {
  checkExpiry(request.expiresAt);
  const digest = authorizationDigest(request.expiresAt);
  return {
    mailboxId: request.mailboxId ?? publicKeyOf(request.secretKey),
    expiresAt: request.expiresAt,
    signature: signSchnorr(digest, request.secretKey, request.auxRand),
  };
}

/** The signed digest: SHA-256 of 32 fixed bytes and the expiry (i64, Unix seconds). */
export function authorizationDigest(expiresAt: bigint): Uint8Array {
  return sha256(PREFIX, new ByteWriter().i64(expiresAt).finish());
}

/** mailbox id (33) ‖ expiry (i64) ‖ signature (64): 105 bytes. */
export function encodeAuthorization(authorization: Authorization): Uint8Array {
  return new ByteWriter().bytes(authorization.mailboxId).i64(authorization.expiresAt).bytes(authorization.signature).finish();
}

/**
 * Reads the 105 bytes of an authorization. Past and negative expiries decode; the signature is not checked.
 *
 * @throws ArkError `BAD_MAILBOX_ID`, `BAD_TIMESTAMP`, `SHORT_INPUT`, `TRAILING_BYTES`
 */
export function decodeAuthorization(bytes: Uint8Array): Authorization {
  const reader = new ByteReader(bytes);
  const mailboxId = decodeMailboxId(reader.bytes(33));
  const expiresAt = reader.i64();
  checkExpiry(expiresAt);
  const signature = reader.bytes(64);
  reader.end();
  return { mailboxId, expiresAt, signature };
}

/**
 * Checks an authorization as a server does, in the order of vtxo.md §9.3: mailbox, expiry, signature.
 *
 * @param expected The mailbox asked for (33 bytes) and the clock (Unix milliseconds).
 * @throws ArkError `AUTHORIZATION_MAILBOX_MISMATCH`, `AUTHORIZATION_EXPIRED`, `AUTHORIZATION_SIGNATURE`
 */
export function verifyAuthorization(
  authorization: Authorization,
  expected: { readonly mailboxId: Uint8Array; readonly nowMs: number },
): void {
  const { mailboxId, expiresAt, signature } = authorization;
  if (!equalBytes(mailboxId, expected.mailboxId)) {
    throw new ArkError("AUTHORIZATION_MAILBOX_MISMATCH", "expected the id of the requested mailbox, got another id");
  }
  if (expiresAt * 1_000n < BigInt(Math.floor(expected.nowMs)) - GRACE_MS) {
    throw new ArkError(
      "AUTHORIZATION_EXPIRED",
      `expected an expiry of at most 5 s before ${expected.nowMs} ms, got ${expiresAt} s`,
    );
  }
  if (!verifySchnorr(signature, authorizationDigest(expiresAt), xOnly(mailboxId))) {
    throw new ArkError("AUTHORIZATION_SIGNATURE", "expected a signature by the mailbox key, got another");
  }
}

function checkExpiry(expiresAt: bigint): void {
  if (expiresAt < EARLIEST_EXPIRY || expiresAt > LATEST_EXPIRY) {
    throw new ArkError("BAD_TIMESTAMP", `expected ${EARLIEST_EXPIRY} … ${LATEST_EXPIRY} s, got ${expiresAt}`);
  }
}

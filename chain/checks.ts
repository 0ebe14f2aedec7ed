import { ChainError } from "./errors.ts";
import { transactionIdOf } from "./transaction-id.ts";

/**
 * The address of a source: `https://` is added where there is no scheme, one trailing slash is removed.
 *
 * @param what names the source in an error
 * @throws ChainError `CHAIN_BAD_URL`
 */
export function normalizeUrl(address: string, what: string): string {
  const trimmed = address.trim();
  const url = (trimmed.includes("://") ? trimmed : `https://${trimmed}`).replace(/\/$/, "");
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const usable =
    parsed !== undefined &&
    /^https?:$/.test(parsed.protocol) &&
    parsed.username + parsed.password + parsed.search + parsed.hash === "";
  // The address is not repeated: what makes it unusable may be a password in it.
  if (!usable)
    throw new ChainError(
      "CHAIN_BAD_URL",
      `expected the http(s) address of ${what} without user, query and fragment, got another text`,
    );
  return url;
}

export function checkTxid(txid: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(txid))
    throw new ChainError("CHAIN_BAD_ARGUMENT", `expected a txid of 64 hex digits, got ${txid.length} characters`);
  return txid.toLowerCase();
}

export function checkIndex(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new ChainError("CHAIN_BAD_ARGUMENT", `expected ${what} of 0 … 2^32 − 1, got ${value}`);
  return value;
}

export function parseHeight(height: unknown): number {
  const value = typeof height === "string" && /^[0-9]{1,9}$/.test(height) ? Number(height) : height;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw malformed("a block height");
  return value;
}

/** Unix seconds of a block, in milliseconds. */
export function parseBlockTime(seconds: unknown): number {
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < 0 || seconds > 0xffff_ffff) {
    throw malformed("a block's time");
  }
  return seconds * 1000;
}

export function parseHash(hash: unknown): string {
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) throw malformed("a hash of 64 hex digits");
  return hash;
}

/**
 * Bytes that are the transaction asked for (mailbox.md §7).
 *
 * @throws ChainError `CHAIN_BAD_RESPONSE`, `CHAIN_TXID_MISMATCH`
 */
export function parseTransaction(txid: string, bytes: Uint8Array): Uint8Array {
  const actual = transactionIdOf(bytes);
  if (actual === undefined) throw malformed("a transaction", `${bytes.length} bytes that are none`);
  if (actual !== txid) throw new ChainError("CHAIN_TXID_MISMATCH", `expected transaction ${txid}, got ${actual}`);
  return bytes;
}

export function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed("a JSON object");
  return value as Record<string, unknown>;
}

/** What was received is not repeated: it is the source's text, and may be of any length. */
export function malformed(expected: string, actual = "something else"): ChainError {
  return new ChainError("CHAIN_BAD_RESPONSE", `expected ${expected} from the chain source, got ${actual}`);
}

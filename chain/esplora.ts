import { ChainError } from "./errors.ts";
import { type HttpOptions, HttpReader } from "./http.ts";
import type { Answer, ChainSource, ChainTip, QuestionOptions, SpendStatus, TipOptions, TransactionStatus } from "./source.ts";
import { transactionIdOf } from "./transaction-id.ts";

/** Options of {@link esplora}. */
export interface EsploraOptions extends HttpOptions {
  /** How long the tip is remembered, at most 1 000 (mailbox.md §7). Default 1 000. */
  tipCacheMs?: number;
}

/** A chain source that speaks Esplora's REST protocol. */
export interface EsploraSource extends ChainSource {
  /** The address in use, without a trailing slash. */
  readonly url: string;
}

const MAX_TEXT_BYTES = 1024;
/** No transaction is larger than a block. */
const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;
/** The JSON of a transaction repeats its bytes in hex, with scripts disassembled and previous outputs. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;
const MAX_TIP_CACHE_MS = 1000;

/**
 * A client for an Esplora server (mailbox.md §7).
 *
 * @param url base address; `https://` is added where there is no scheme, one trailing slash is removed
 * @throws ChainError `CHAIN_BAD_URL`
 */
export function esplora(url: string, options: EsploraOptions = {}): EsploraSource {
  return new Esplora(normalizeUrl(url), options);
}

class Esplora implements EsploraSource {
  readonly url: string;
  readonly #http: HttpReader;
  readonly #tipCacheMs: number;
  #tip: { readonly height: number; readonly at: number } | undefined;

  constructor(url: string, options: EsploraOptions) {
    this.url = url;
    this.#http = new HttpReader(url, options);
    this.#tipCacheMs = Math.min(options.tipCacheMs ?? MAX_TIP_CACHE_MS, MAX_TIP_CACHE_MS);
  }

  async tip(options: TipOptions = {}): Promise<Answer<ChainTip>> {
    options.signal?.throwIfAborted();
    // The age counts from before the question, so that a slow answer is not remembered for longer.
    const now = performance.now();
    if (!options.fresh && this.#tip !== undefined && now - this.#tip.at < this.#tipCacheMs)
      return { kind: "found", value: { height: this.#tip.height } };
    const answer = await this.#ask("/blocks/tip/height", MAX_TEXT_BYTES, options, (body) => parseHeight(text(body)));
    if (answer.kind === "absent") return unknown("expected a height from /blocks/tip/height, got status 404");
    if (answer.kind === "found") this.#tip = { height: answer.value, at: now };
    return answer.kind === "found" ? { kind: "found", value: { height: answer.value } } : answer;
  }

  async transaction(txid: string, options: QuestionOptions = {}): Promise<Answer<Uint8Array>> {
    const id = checkTxid(txid);
    return this.#ask(`/tx/${id}/raw`, MAX_TRANSACTION_BYTES, options, (body) => {
      const actual = transactionIdOf(body);
      if (actual === undefined) throw malformed("a transaction", `${body.length} bytes that are none`);
      if (actual !== id) throw new ChainError("CHAIN_TXID_MISMATCH", `expected transaction ${id}, got ${actual}`);
      return body;
    });
  }

  async status(txid: string, options: QuestionOptions = {}): Promise<Answer<TransactionStatus>> {
    const id = checkTxid(txid);
    return this.#ask(`/tx/${id}`, MAX_JSON_BYTES, options, (body) => parseStatus(id, json(body)));
  }

  async outspend(txid: string, vout: number, options: QuestionOptions = {}): Promise<Answer<SpendStatus>> {
    const id = checkTxid(txid);
    const index = checkIndex("an output index", vout);
    return this.#ask(`/tx/${id}/outspend/${index}`, MAX_TEXT_BYTES * 64, options, (body) => parseSpend(json(body)));
  }

  async blockHash(height: number, options: QuestionOptions = {}): Promise<Answer<string>> {
    return this.#ask(`/block-height/${checkIndex("a height", height)}`, MAX_TEXT_BYTES, options, (body) => parseHash(text(body)));
  }

  async #ask<T>(path: string, maxBytes: number, options: QuestionOptions, parse: (body: Uint8Array) => T): Promise<Answer<T>> {
    try {
      const answer = await this.#http.get(path, maxBytes, options.signal);
      return answer.kind === "absent" ? answer : { kind: "found", value: parse(answer.body) };
    } catch (error) {
      if (error instanceof ChainError) return { kind: "unknown", error };
      throw error;
    }
  }
}

function normalizeUrl(address: string): string {
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
      "expected the http(s) address of an Esplora server without user, query and fragment, got another text",
    );
  return url;
}

function checkTxid(txid: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(txid))
    throw new ChainError("CHAIN_BAD_ARGUMENT", `expected a txid of 64 hex digits, got ${txid.length} characters`);
  return txid.toLowerCase();
}

function checkIndex(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new ChainError("CHAIN_BAD_ARGUMENT", `expected ${what} of 0 … 2^32 − 1, got ${value}`);
  return value;
}

function parseHeight(height: unknown): number {
  const value = typeof height === "string" && /^[0-9]{1,9}$/.test(height) ? Number(height) : height;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw malformed("a block height");
  return value;
}

function parseHash(hash: unknown): string {
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) throw malformed("a hash of 64 hex digits");
  return hash;
}

function parseStatus(txid: string, answer: Record<string, unknown>): TransactionStatus {
  if (answer.txid !== txid)
    throw new ChainError("CHAIN_TXID_MISMATCH", `expected the status of transaction ${txid}, got another one's`);
  const status = asObject(answer.status);
  if (status.confirmed === false) return { confirmed: false };
  if (status.confirmed !== true) throw malformed("a confirmation status");
  return { confirmed: true, height: parseHeight(status.block_height), blockHash: parseHash(status.block_hash) };
}

function parseSpend(answer: Record<string, unknown>): SpendStatus {
  if (answer.spent === false) return { spent: false };
  if (answer.spent !== true) throw malformed("a spend status");
  return answer.txid === undefined || answer.txid === null ? { spent: true } : { spent: true, txid: parseHash(answer.txid) };
}

function text(body: Uint8Array): string {
  return new TextDecoder().decode(body).trim();
}

function json(body: Uint8Array): Record<string, unknown> {
  try {
    return asObject(JSON.parse(new TextDecoder().decode(body)));
  } catch (error) {
    throw error instanceof ChainError ? error : malformed("a JSON object");
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed("a JSON object");
  return value as Record<string, unknown>;
}

/** What was received is not repeated: it is the source's text, and may be of any length. */
function malformed(expected: string, actual = "something else"): ChainError {
  return new ChainError("CHAIN_BAD_RESPONSE", `expected ${expected} from the chain source, got ${actual}`);
}

function unknown<T>(message: string): Answer<T> {
  return { kind: "unknown", error: new ChainError("CHAIN_BAD_RESPONSE", message) };
}

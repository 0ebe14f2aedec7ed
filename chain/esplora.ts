import {
  asObject,
  checkIndex,
  checkTxid,
  malformed,
  normalizeUrl,
  parseBlockTime,
  parseHash,
  parseHeight,
  parseTransaction,
} from "./checks.ts";
import { ChainError } from "./errors.ts";
import { type HttpOptions, HttpReader } from "./http.ts";
import type { Answer, ChainSource, ChainTip, QuestionOptions, SpendStatus, TipOptions, TransactionStatus } from "./source.ts";
import { TipCache, type TipCacheOptions } from "./tip-cache.ts";

/** Options of {@link esplora}. */
export interface EsploraOptions extends HttpOptions, TipCacheOptions {}

/** A chain source that speaks Esplora's REST protocol. */
export interface EsploraSource extends Required<ChainSource> {
  /** The address in use, without a trailing slash. */
  readonly url: string;
}

const MAX_TEXT_BYTES = 1024;
/** What is told of a block without its transactions; some servers add statistics. */
const MAX_BLOCK_BYTES = 64 * 1024;
/** No transaction is larger than a block. */
const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;
/** The JSON of a transaction repeats its bytes in hex, with scripts disassembled and previous outputs. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;

/**
 * A client for an Esplora server (mailbox.md §7).
 *
 * @param url base address; `https://` is added where there is no scheme, one trailing slash is removed
 * @throws ChainError `CHAIN_BAD_URL`
 */
export function esplora(url: string, options: EsploraOptions = {}): EsploraSource {
  return new Esplora(normalizeUrl(url, "an Esplora server"), options);
}

class Esplora implements EsploraSource {
  readonly url: string;
  readonly #http: HttpReader;
  readonly #tip: TipCache;

  constructor(url: string, options: EsploraOptions) {
    this.url = url;
    this.#http = new HttpReader(url, options);
    this.#tip = new TipCache(options);
  }

  async tip(options: TipOptions = {}): Promise<Answer<ChainTip>> {
    return this.#tip.get(options, async () => {
      const answer = await this.#ask("/blocks/tip/height", MAX_TEXT_BYTES, options, (body) => parseHeight(text(body)));
      return answer.kind === "absent" ? unknown("expected a height from /blocks/tip/height, got status 404") : answer;
    });
  }

  async tipTime(options: QuestionOptions = {}): Promise<Answer<number>> {
    const hash = await this.#ask("/blocks/tip/hash", MAX_TEXT_BYTES, options, (body) => parseHash(text(body)));
    if (hash.kind === "unknown") return hash;
    const parse = (body: Uint8Array): number => parseBlockTime(json(body).timestamp);
    const time = hash.kind === "absent" ? hash : await this.#ask(`/block/${hash.value}`, MAX_BLOCK_BYTES, options, parse);
    return time.kind === "absent" ? unknown("expected the best block, got status 404") : time;
  }

  async transaction(txid: string, options: QuestionOptions = {}): Promise<Answer<Uint8Array>> {
    const id = checkTxid(txid);
    return this.#ask(`/tx/${id}/raw`, MAX_TRANSACTION_BYTES, options, (body) => parseTransaction(id, body));
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

function unknown<T>(message: string): Answer<T> {
  return { kind: "unknown", error: new ChainError("CHAIN_BAD_RESPONSE", message) };
}

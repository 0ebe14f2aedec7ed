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
import type { HttpOptions } from "./http.ts";
import { type RpcAnswer, type RpcCredentials, RpcReader } from "./rpc.ts";
import type { Answer, ChainSource, ChainTip, QuestionOptions, SpendStatus, TipOptions, TransactionStatus } from "./source.ts";
import { TipCache, type TipCacheOptions } from "./tip-cache.ts";

/** Options of {@link bitcoinCore}. */
export interface BitcoinCoreOptions extends HttpOptions, TipCacheOptions {
  /** Asked before each question: the content of a node's cookie file changes whenever the node starts. */
  credentials: RpcCredentials | (() => RpcCredentials | Promise<RpcCredentials>);
}

/** A chain source that speaks Bitcoin Core's JSON-RPC. */
export interface BitcoinCoreSource extends Required<ChainSource> {
  /** The address in use, without a trailing slash. */
  readonly url: string;
}

/** Bitcoin Core 29: the first whose answers this client knows (mailbox.md §7). */
const OLDEST_VERSION = 290_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** A block's worth of bytes in hex. */
const MAX_TRANSACTION_BYTES = 9 * 1024 * 1024;
/** A transaction in JSON repeats its bytes in hex, with scripts disassembled. */
const MAX_VERBOSE_BYTES = 64 * 1024 * 1024;

/** Errors of Bitcoin Core: "no such transaction or block", "height or parameter out of range". */
const NOT_FOUND = -5;
const OUT_OF_RANGE = -8;

/**
 * A client for a Bitcoin Core node, version 29 or later with `txindex=1` (mailbox.md §7).
 *
 * A node that is older, has no transaction index or refuses the credentials answers every question with `unknown`
 * and `CHAIN_NODE_UNFIT`; while its index is being built, a transaction that it does not find is `unknown` too.
 *
 * @param url address of the RPC interface; `https://` is added where there is no scheme
 * @throws ChainError `CHAIN_BAD_URL`
 */
export function bitcoinCore(url: string, options: BitcoinCoreOptions): BitcoinCoreSource {
  return new BitcoinCore(normalizeUrl(url, "a Bitcoin Core node"), options);
}

class BitcoinCore implements BitcoinCoreSource {
  readonly url: string;
  readonly #rpc: RpcReader;
  readonly #tip: TipCache;
  #fit = false;

  constructor(url: string, options: BitcoinCoreOptions) {
    const { credentials } = options;
    this.url = url;
    this.#rpc = new RpcReader(url, async () => (typeof credentials === "function" ? credentials() : credentials), options);
    this.#tip = new TipCache(options);
  }

  async tip(options: TipOptions = {}): Promise<Answer<ChainTip>> {
    return this.#tip.get(options, () =>
      this.#answer(options, async () => found(parseHeight(await this.#result("getblockcount", [], options)))),
    );
  }

  async tipTime(options: QuestionOptions = {}): Promise<Answer<number>> {
    return this.#answer(options, async () => {
      const { time } = asObject(await this.#result("getblockchaininfo", [], options));
      return found(parseBlockTime(time));
    });
  }

  async transaction(txid: string, options: QuestionOptions = {}): Promise<Answer<Uint8Array>> {
    const id = checkTxid(txid);
    return this.#answer(options, async () => {
      const answer = await this.#rpc.ask("getrawtransaction", [id, 0], MAX_TRANSACTION_BYTES, options.signal);
      if (answer.kind === "error") return this.#missing(answer.code, options);
      return found(parseTransaction(id, parseHex(answer.result)));
    });
  }

  async status(txid: string, options: QuestionOptions = {}): Promise<Answer<TransactionStatus>> {
    const id = checkTxid(txid);
    return this.#answer<TransactionStatus>(options, async () => {
      const answer = await this.#rpc.ask("getrawtransaction", [id, 1], MAX_VERBOSE_BYTES, options.signal);
      if (answer.kind === "error") return this.#missing(answer.code, options);
      const transaction = asObject(answer.result);
      if (transaction.txid !== id)
        throw new ChainError("CHAIN_TXID_MISMATCH", `expected the status of transaction ${id}, got another one's`);
      if (transaction.blockhash === undefined) return found({ confirmed: false });
      const blockHash = parseHash(transaction.blockhash);
      const header = asObject(await this.#result("getblockheader", [blockHash, true], options));
      // −1 for a block that is not in the best chain any more.
      if (typeof header.confirmations !== "number") throw malformed("a number of confirmations");
      if (header.confirmations <= 0) return found({ confirmed: false });
      return found({ confirmed: true, height: parseHeight(header.height), blockHash });
    });
  }

  async outspend(txid: string, vout: number, options: QuestionOptions = {}): Promise<Answer<SpendStatus>> {
    const id = checkTxid(txid);
    const index = checkIndex("an output index", vout);
    return this.#answer<SpendStatus>(options, async () => {
      // With the mempool, as Esplora answers: an exit is noticed before its block.
      const output = await this.#result("gettxout", [id, index, true], options);
      if (output === null) return found({ spent: true });
      asObject(output);
      return found({ spent: false });
    });
  }

  async blockHash(height: number, options: QuestionOptions = {}): Promise<Answer<string>> {
    const index = checkIndex("a height", height);
    return this.#answer(options, async () => {
      const answer = await this.#rpc.ask("getblockhash", [index], MAX_ANSWER_BYTES, options.signal);
      if (answer.kind === "error" && answer.code === OUT_OF_RANGE) return { kind: "absent" };
      return found(parseHash(resultOf("getblockhash", answer)));
    });
  }

  /** What was not found is absent only if the index would know it. */
  async #missing(code: number, options: QuestionOptions): Promise<Answer<never>> {
    if (code !== NOT_FOUND) throw refused("getrawtransaction", code);
    const { txindex } = asObject(await this.#result("getindexinfo", [], options));
    if (txindex === undefined) throw unfit("a transaction index (txindex=1)", "none");
    if (asObject(txindex).synced !== true) {
      throw new ChainError("CHAIN_BAD_RESPONSE", "expected a transaction index that is complete, got one that is being built");
    }
    return { kind: "absent" };
  }

  async #answer<T>(options: QuestionOptions, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    options.signal?.throwIfAborted();
    try {
      await this.#checkNode(options);
      return await ask();
    } catch (error) {
      if (error instanceof ChainError) return { kind: "unknown", error };
      throw error;
    }
  }

  /** Once: whether the node can serve a wallet at all. */
  async #checkNode(options: QuestionOptions): Promise<void> {
    if (this.#fit) return;
    const { version } = asObject(await this.#result("getnetworkinfo", [], options));
    if (typeof version !== "number" || version < OLDEST_VERSION) {
      throw unfit(`version ${OLDEST_VERSION} or later`, typeof version === "number" ? String(version) : "none");
    }
    const { txindex } = asObject(await this.#result("getindexinfo", [], options));
    if (txindex === undefined) throw unfit("a transaction index (txindex=1)", "none");
    this.#fit = true;
  }

  async #result(method: string, params: readonly unknown[], { signal }: QuestionOptions): Promise<unknown> {
    return resultOf(method, await this.#rpc.ask(method, params, MAX_ANSWER_BYTES, signal));
  }
}

function resultOf(method: string, answer: RpcAnswer): unknown {
  if (answer.kind === "error") throw refused(method, answer.code);
  return answer.result;
}

function refused(method: string, code: number): ChainError {
  return new ChainError("CHAIN_BAD_RESPONSE", `expected an answer to ${method}, got error ${code} of the node`);
}

function unfit(expected: string, got: string): ChainError {
  return new ChainError("CHAIN_NODE_UNFIT", `expected a Bitcoin Core node with ${expected}, got ${got}`);
}

function found<T>(value: T): Answer<T> {
  return { kind: "found", value };
}

function parseHex(text: unknown): Uint8Array {
  if (typeof text !== "string" || !/^(?:[0-9a-fA-F]{2})+$/.test(text)) throw malformed("a transaction in hex");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeHex } from "../ark/hex.ts";
import { damage } from "./esplora.ts";
import type { HttpAnswer } from "./http-server.ts";
import type { SimulatedChain } from "./simulated-chain.ts";

/** User and password of the simulated node. */
export const RPC_CREDENTIALS = { user: "simulator", password: "simulator" } as const;

/** Bitcoin Core 29. */
const VERSION = 290_000;
const MAX_QUESTION_BYTES = 64 * 1024;

/** A question that the node answers with an error of its own. */
class RpcError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Answers one question over the JSON-RPC of a Bitcoin Core node, as far as the protocol needs it (mailbox.md §7), faults
 * included.
 *
 * @returns `null` where the fault `hang` leaves the caller waiting.
 */
export async function answerBitcoinCore(chain: SimulatedChain, request: IncomingMessage): Promise<HttpAnswer | null> {
  if (chain.fault === "down") return { status: 503, type: "text/plain", body: "Work queue depth exceeded" };
  if (chain.fault === "hang") return null;
  if (chain.fault === "slow") await sleep(chain.slowMs, undefined, { ref: false });
  const { user, password } = RPC_CREDENTIALS;
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  if (request.headers.authorization !== expected) return { status: 401, type: "text/plain", body: "" };
  const question = await read(request);
  if (question === undefined) return json({ error: { code: -32_700, message: "Parse error" }, id: null });
  const { id, method, params } = question;
  try {
    return json({ result: answer(chain, method, params), id });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return json({ error: { code: error.code, message: error.message }, id });
  }
}

function answer(chain: SimulatedChain, method: unknown, params: readonly unknown[]): unknown {
  switch (method) {
    case "getnetworkinfo":
      return { version: VERSION };
    case "getindexinfo":
      return { txindex: { synced: chain.isIndexed, best_block_height: chain.tip } };
    case "getblockcount":
      return chain.tip;
    case "getblockchaininfo":
      return { blocks: chain.tip, bestblockhash: chain.blockHash(chain.tip), time: chain.blockTime(chain.tip) };
    case "getblockhash":
      return chain.blockHash(Number(params[0])) ?? refuse(-8, "Block height out of range");
    case "getblockheader":
      return header(chain, String(params[0]));
    case "getrawtransaction":
      return transaction(chain, String(params[0]), params[1] === 1 || params[1] === true);
    case "gettxout":
      return output(chain, String(params[0]), Number(params[1]), params[2] !== false);
    default:
      return refuse(-32_601, "Method not found");
  }
}

function header(chain: SimulatedChain, hash: string): object {
  const height = chain.heightOf(hash) ?? refuse(-5, "Block not found");
  return { hash, height, confirmations: chain.tip - height + 1 };
}

function transaction(chain: SimulatedChain, txid: string, isVerbose: boolean): unknown {
  const found = chain.fault === "absent" || chain.isHidden(txid) ? null : chain.transaction(txid);
  if (!found) return refuse(-5, "No such mempool or blockchain transaction");
  const hex = encodeHex(chain.fault === "corrupt" ? damage(found.bytes) : found.bytes);
  if (!isVerbose) return hex;
  if (found.height === null) return { txid, hex };
  return { txid, hex, blockhash: chain.blockHash(found.height), confirmations: chain.tip - found.height + 1 };
}

function output(chain: SimulatedChain, txid: string, vout: number, withMempool: boolean): unknown {
  const found = chain.transaction(txid);
  const created = found?.transaction.outputs[vout];
  if (!found || !created || (found.height === null && !withMempool)) return null;
  const spend = chain.spend({ txid, vout });
  if (spend && (withMempool || spend.spender.height !== null)) return null;
  return { confirmations: found.height === null ? 0 : chain.tip - found.height + 1, value: Number(created.amountSats) / 1e8 };
}

async function read(request: IncomingMessage) {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_QUESTION_BYTES) return undefined;
    parts.push(part);
  }
  try {
    const { id = null, method, params } = JSON.parse(Buffer.concat(parts).toString("utf8")) as Record<string, unknown>;
    return { id, method, params: Array.isArray(params) ? (params as readonly unknown[]) : [] };
  } catch {
    return undefined;
  }
}

function refuse(code: number, message: string): never {
  throw new RpcError(code, message);
}

function json(value: object): HttpAnswer {
  return { status: 200, type: "application/json", body: JSON.stringify({ jsonrpc: "2.0", ...value }) };
}

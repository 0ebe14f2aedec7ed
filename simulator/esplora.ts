import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeHex } from "../ark/hex.ts";
import type { HttpAnswer } from "./http-server.ts";
import type { ChainTransaction, SimulatedChain } from "./simulated-chain.ts";

const TXID = /^[0-9a-f]{64}$/i;

/**
 * Answers one request over the paths of an Esplora server that the protocol needs (mailbox.md §7), faults included.
 *
 * @returns `null` where the fault `hang` leaves the caller waiting.
 */
export async function answerEsplora(chain: SimulatedChain, request: IncomingMessage): Promise<HttpAnswer | null> {
  if (chain.fault === "down") return text(503, "Service Unavailable");
  if (chain.fault === "hang") return null;
  if (chain.fault === "slow") await sleep(chain.slowMs, undefined, { ref: false });
  if (request.method !== "GET") return text(405, "Method Not Allowed");
  const [root = "", ...rest] = new URL(request.url ?? "/", "http://chain").pathname.split("/").slice(1);
  if (root === "blocks" && rest.join("/") === "tip/height") return text(200, String(chain.tip));
  if (root === "blocks" && rest.join("/") === "tip/hash") return text(200, chain.blockHash(chain.tip) ?? "");
  if (root === "block" && rest.length === 1) return block(chain, rest[0] ?? "");
  if (root === "block-height" && rest.length === 1) return blockHash(chain, rest[0] ?? "");
  if (root === "tx" && rest.length >= 1) return transaction(chain, rest);
  return text(404, "endpoint does not exist.");
}

function blockHash(chain: SimulatedChain, height: string): HttpAnswer {
  if (!/^[0-9]{1,10}$/.test(height)) return text(400, "Invalid number");
  const hash = chain.blockHash(Number(height));
  return hash === null ? text(404, "Block not found") : text(200, hash);
}

function block(chain: SimulatedChain, hash: string): HttpAnswer {
  const height = chain.heightOf(hash);
  return height === null ? text(404, "Block not found") : json({ id: hash, height, timestamp: chain.blockTime(height) });
}

function transaction(chain: SimulatedChain, [txid = "", part, vout, ...more]: readonly string[]): HttpAnswer {
  if (!TXID.test(txid)) return text(400, "Invalid hex string");
  const found = chain.fault === "absent" || chain.isHidden(txid.toLowerCase()) ? null : chain.transaction(txid.toLowerCase());
  if (part === "outspend" && vout !== undefined && more.length === 0) return outspend(chain, found, vout);
  if (vout !== undefined) return text(404, "endpoint does not exist.");
  if (!found) return text(404, "Transaction not found");
  if (part === undefined) return json(describe(chain, found));
  if (part === "status") return json(status(chain, found));
  const bytes = chain.fault === "corrupt" ? damage(found.bytes) : found.bytes;
  if (part === "raw") return { status: 200, type: "application/octet-stream", body: bytes };
  if (part === "hex") return text(200, encodeHex(bytes));
  return text(404, "endpoint does not exist.");
}

function outspend(chain: SimulatedChain, found: ChainTransaction | null, vout: string): HttpAnswer {
  if (!/^[0-9]{1,10}$/.test(vout)) return text(400, "Invalid number");
  if (!found) return json({ spent: false });
  const spend = chain.spend({ txid: found.txid, vout: Number(vout) });
  if (!spend) return json({ spent: false });
  return json({ spent: true, txid: spend.spender.txid, vin: spend.vin, status: status(chain, spend.spender) });
}

function describe(chain: SimulatedChain, entry: ChainTransaction): object {
  const { txid, bytes, transaction } = entry;
  return {
    txid,
    version: transaction.version,
    locktime: transaction.lockTime,
    vin: transaction.inputs.map((input) => ({
      txid: input.outpoint.txid,
      vout: input.outpoint.vout,
      scriptsig: encodeHex(input.script),
      witness: input.witness.map(encodeHex),
      is_coinbase: false,
      sequence: input.sequence,
    })),
    vout: transaction.outputs.map((output) => ({ scriptpubkey: encodeHex(output.script), value: Number(output.amountSats) })),
    size: bytes.length,
    status: status(chain, entry),
  };
}

function status(chain: SimulatedChain, entry: ChainTransaction): object {
  if (entry.height === null) return { confirmed: false };
  return {
    confirmed: true,
    block_height: entry.height,
    block_hash: chain.blockHash(entry.height),
    block_time: chain.blockTime(entry.height),
  };
}

/** Another lock time: the bytes still decode, their id differs from the one asked for. */
export function damage(bytes: Uint8Array): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1;
  return damaged;
}

function text(status: number, body: string): HttpAnswer {
  return { status, type: "text/plain", body };
}

function json(value: object): HttpAnswer {
  return { status: 200, type: "application/json", body: JSON.stringify(value) };
}

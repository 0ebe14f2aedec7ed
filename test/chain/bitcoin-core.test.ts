import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { encodeHex } from "../../ark/hex.ts";
import { encodeTransaction, type Transaction } from "../../ark/transaction.ts";
import { type BitcoinCoreOptions, bitcoinCore } from "../../chain/bitcoin-core.ts";
import { ChainError } from "../../chain/errors.ts";
import { esplora } from "../../chain/esplora.ts";
import { checkNetwork } from "../../chain/network.ts";
import type { Answer } from "../../chain/source.ts";
import { RPC_CREDENTIALS, type Simulator, startSimulator } from "../../simulator/index.ts";

const FAST = { retryDelayMs: 1, retries: 1, random: () => 0, tipCacheMs: 0 };
const ABSENT_TXID = "ab".repeat(32);

async function simulate(): Promise<Simulator> {
  const simulator = await startSimulator({ seed: "core", network: "regtest" });
  onTestFinished(() => simulator.stop());
  return simulator;
}

function node(simulator: Simulator, options: Partial<BitcoinCoreOptions> = {}) {
  return bitcoinCore(simulator.chainUrl, { credentials: RPC_CREDENTIALS, ...FAST, ...options });
}

/** A transaction without meaning that spends an output. */
function spending(txid: string, lockTime: number): Uint8Array {
  const transaction: Transaction = {
    version: 2,
    inputs: [{ outpoint: { txid, vout: 0 }, script: new Uint8Array(), sequence: 0xffff_ffff, witness: [] }],
    outputs: [{ amountSats: 1_000n, script: new Uint8Array([0x51]) }],
    lockTime,
  };
  return encodeTransaction(transaction, { witness: true });
}

function errorOf(answer: Answer<unknown>) {
  if (answer.kind !== "unknown") throw new Error(`expected unknown, got ${answer.kind}`);
  expect(answer.error).toBeInstanceOf(ChainError);
  return { code: answer.error.code, retryable: answer.error.retryable };
}

test("a node answers every question as an Esplora server of the same chain does", async () => {
  const simulator = await simulate();
  const { chain } = simulator;
  const confirmed = chain.add(spending(ABSENT_TXID, 1), chain.tip);
  const spender = chain.add(spending(confirmed, 2), null);
  const sources = [node(simulator), esplora(simulator.chainUrl, FAST)];
  const questions = sources.map((source) =>
    Promise.all([
      source.tip(),
      source.tipTime(),
      source.transaction(confirmed),
      source.transaction(spender),
      source.transaction(ABSENT_TXID),
      source.status(confirmed),
      source.status(spender),
      source.status(ABSENT_TXID),
      source.outspend(spender, 0),
      source.blockHash(0),
      source.blockHash(chain.tip),
      source.blockHash(chain.tip + 1),
    ]),
  );
  const [core = [], reference] = await Promise.all(questions);
  expect(core).toEqual(reference);
  expect(core[0]).toEqual({ kind: "found", value: { height: chain.tip } });
  expect(core[1]).toEqual({ kind: "found", value: chain.blockTime(chain.tip) * 1_000 });
  expect(core[4]).toEqual({ kind: "absent" });
  expect(core[5]).toMatchObject({ kind: "found", value: { confirmed: true, height: chain.tip } });
  // It does not say by what.
  expect(await node(simulator).outspend(confirmed, 0)).toEqual({ kind: "found", value: { spent: true } });
  await checkNetwork(node(simulator), "regtest");
  await expect(checkNetwork(node(simulator), "bitcoin")).rejects.toMatchObject({ code: "CHAIN_WRONG_NETWORK" });
});

test("what a node does not find is absent only once its index is complete", async () => {
  const simulator = await simulate();
  const source = node(simulator);
  simulator.chain.isIndexed = false;
  expect(errorOf(await source.transaction(ABSENT_TXID))).toEqual({ code: "CHAIN_BAD_RESPONSE", retryable: true });
  expect(errorOf(await source.status(ABSENT_TXID))).toEqual({ code: "CHAIN_BAD_RESPONSE", retryable: true });
  simulator.chain.isIndexed = true;
  expect(await source.transaction(ABSENT_TXID)).toEqual({ kind: "absent" });
});

test("a node that cannot tell is never taken for one that says no", async () => {
  const simulator = await simulate();
  const { chain } = simulator;
  const txid = chain.add(spending(ABSENT_TXID, 1), chain.tip);
  const source = node(simulator);
  chain.setFault("corrupt");
  expect(errorOf(await source.transaction(txid))).toEqual({ code: "CHAIN_TXID_MISMATCH", retryable: true });
  chain.setFault("down");
  expect(errorOf(await source.tip())).toEqual({ code: "CHAIN_HTTP_STATUS", retryable: true });
  chain.setFault("hang");
  const impatient = node(simulator, { timeoutMs: 200 });
  expect(errorOf(await impatient.status(txid))).toEqual({ code: "CHAIN_TIMEOUT", retryable: true });
  await simulator.stop();
  expect(errorOf(await source.outspend(txid, 0))).toEqual({ code: "CHAIN_UNREACHABLE", retryable: true });
});

test("a signal ends a question", async () => {
  const simulator = await simulate();
  simulator.chain.setFault("hang");
  const enough = new AbortController();
  const asked = node(simulator).tip({ signal: enough.signal });
  enough.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
});

describe("credentials", () => {
  test("that are refused make a node unfit", async () => {
    const source = node(await simulate(), { credentials: { user: "simulator", password: "hunter2" } });
    const answer = await source.tip();
    expect(errorOf(answer)).toEqual({ code: "CHAIN_NODE_UNFIT", retryable: false });
    expect(String(answer.kind === "unknown" && answer.error)).not.toContain("hunter2");
  });

  test("are read again for each question, since a cookie changes with each start of the node", async () => {
    let password = "yesterday's";
    const source = node(await simulate(), { credentials: async () => ({ user: "simulator", password }) });
    expect(errorOf(await source.tip()).code).toBe("CHAIN_NODE_UNFIT");
    ({ password } = RPC_CREDENTIALS);
    expect((await source.tip()).kind).toBe("found");
  });

  test("that cannot be read are trouble that passes", async () => {
    const source = node(await simulate(), { credentials: () => Promise.reject(new Error("no such file")) });
    expect(errorOf(await source.tip())).toEqual({ code: "CHAIN_UNREACHABLE", retryable: true });
  });
});

/** Results by method: a value, or a function that makes the whole answer to a question's id. */
type Results = Readonly<Record<string, string | number | object | ((id: number) => string)>>;

/** A node that answers each method as told. */
async function nodeThatSays(results: Results): Promise<string> {
  const fit = { getnetworkinfo: { version: 290_100 }, getindexinfo: { txindex: { synced: true } } };
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const { id, method } = JSON.parse(text) as { id: number; method: string };
    const told: Results = { ...fit, ...results };
    const result = told[method];
    response.end(typeof result === "function" ? result(id) : JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const TXID = "20591032a1483578b56345aa9b90da46762cdcfec03554a1863febe3e67fe130";

test.each<[string, Results, string]>([
  ["an old node", { getnetworkinfo: { version: 280_000 } }, "CHAIN_NODE_UNFIT"],
  ["a node without a version", { getnetworkinfo: {} }, "CHAIN_NODE_UNFIT"],
  ["a node without a transaction index", { getindexinfo: {} }, "CHAIN_NODE_UNFIT"],
  ["no hex", { getrawtransaction: "0g" }, "CHAIN_BAD_RESPONSE"],
  ["an odd digit", { getrawtransaction: "0" }, "CHAIN_BAD_RESPONSE"],
  ["an empty transaction", { getrawtransaction: "" }, "CHAIN_BAD_RESPONSE"],
  ["another transaction", { getrawtransaction: encodeHex(spending(ABSENT_TXID, 9)) }, "CHAIN_TXID_MISMATCH"],
  ["a number", { getrawtransaction: 7 }, "CHAIN_BAD_RESPONSE"],
  ["another question's answer", { getrawtransaction: (id: number) => `{"id":${id + 1},"result":""}` }, "CHAIN_BAD_RESPONSE"],
  ["no JSON", { getrawtransaction: () => "<html>" }, "CHAIN_BAD_RESPONSE"],
  ["an error without a code", { getrawtransaction: (id: number) => `{"id":${id},"error":{}}` }, "CHAIN_BAD_RESPONSE"],
  ["an error of another kind", { getrawtransaction: (id: number) => `{"id":${id},"error":{"code":-1}}` }, "CHAIN_BAD_RESPONSE"],
  ["a node that starts", { getrawtransaction: (id: number) => `{"id":${id},"error":{"code":-28}}` }, "CHAIN_UNREACHABLE"],
])("a transaction from %s is no answer", async (_, results, code) => {
  const source = bitcoinCore(await nodeThatSays(results), { credentials: RPC_CREDENTIALS, ...FAST });
  expect(errorOf(await source.transaction(TXID)).code).toBe(code);
});

test("a transaction in a block that is not in the best chain any more is not confirmed", async () => {
  const block = "cd".repeat(32);
  const results = { getrawtransaction: { txid: TXID, blockhash: block }, getblockheader: { height: 7, confirmations: -1 } };
  const source = bitcoinCore(await nodeThatSays(results), { credentials: RPC_CREDENTIALS, ...FAST });
  expect(await source.status(TXID)).toEqual({ kind: "found", value: { confirmed: false } });
});

test("an address with a password in it is refused without being repeated", () => {
  expect(() => bitcoinCore("http://user:hunter2@127.0.0.1:8332", { credentials: RPC_CREDENTIALS })).toThrow(
    expect.objectContaining({ code: "CHAIN_BAD_URL", message: expect.not.stringContaining("hunter2") }),
  );
});

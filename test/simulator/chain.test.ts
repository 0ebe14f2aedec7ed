import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decodeTransaction, encodeTransaction, transactionId } from "../../ark/transaction.ts";
import { type SimulatedVtxo, type Simulator, startSimulator } from "../../simulator/index.ts";
import { startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
let confirmed: SimulatedVtxo;
let pending: SimulatedVtxo;
beforeAll(async () => {
  ({ simulator } = await startTestSimulator({ tipHeight: 150 }));
  const address = new TestWallet("anyone").address(simulator);
  [confirmed] = (await simulator.createPackage(address, { amountsSats: [1_000n] })) as [SimulatedVtxo];
  [pending] = (await simulator.createPackage(address, { amountsSats: [2_000n], unconfirmedAnchor: true })) as [SimulatedVtxo];
});
beforeEach(() => simulator.chain.setFault(null));
afterAll(() => simulator.stop());

async function get(path: string): Promise<{ status: number; type: string | null; body: string }> {
  const response = await fetch(simulator.chainUrl + path);
  return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
}

const absent = "00".repeat(32);

describe("blocks", () => {
  test("the tip is a plain text number and its hash that of its height", async () => {
    expect(await get("/blocks/tip/height")).toEqual({ status: 200, type: "text/plain", body: "150" });
    expect((await get("/blocks/tip/hash")).body).toBe((await get("/block-height/150")).body);
    expect((await get("/block-height/150")).body).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    ["bitcoin", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"],
    ["testnet", "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"],
    ["testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"],
    ["signet", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"],
    ["regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"],
  ] as const)("%s has its own genesis block", async (network, hash) => {
    await using other = await startSimulator({ network });
    expect(await (await fetch(`${other.chainUrl}/block-height/0`)).text()).toBe(hash);
    expect(other.arkInfo.network).toBe(network);
  });

  test("above the tip there is none, and a height that is no number is a bad request", async () => {
    expect(await get("/block-height/151")).toMatchObject({ status: 404, body: "Block not found" });
    expect((await get("/block-height/-1")).status).toBe(400);
  });
});

describe("transactions", () => {
  test("raw and hex are the consensus bytes with that id", async () => {
    const { bytes } = simulator.chain.transaction(confirmed.anchorTxid) ?? { bytes: new Uint8Array() };
    const raw = await fetch(`${simulator.chainUrl}/tx/${confirmed.anchorTxid}/raw`);
    expect(raw.headers.get("content-type")).toBe("application/octet-stream");
    expect(Buffer.from(await raw.arrayBuffer())).toEqual(Buffer.from(bytes));
    expect((await get(`/tx/${confirmed.anchorTxid}/hex`)).body).toBe(Buffer.from(bytes).toString("hex"));
    expect(transactionId(decodeTransaction(bytes))).toBe(confirmed.anchorTxid);
  });

  test("a confirmed one says where, one in the mempool does not", async () => {
    const { height } = simulator.chain.transaction(confirmed.anchorTxid) ?? {};
    const { status, txid, vout, version } = JSON.parse((await get(`/tx/${confirmed.anchorTxid}`)).body);
    expect({ txid, version, value: vout[0].value }).toEqual({ txid: confirmed.anchorTxid, version: 2, value: 1_000 });
    expect(status).toMatchObject({ confirmed: true, block_height: height, block_hash: simulator.chain.blockHash(height ?? -1) });
    expect(JSON.parse((await get(`/tx/${confirmed.anchorTxid}/status`)).body)).toEqual(status);
    expect(JSON.parse((await get(`/tx/${pending.anchorTxid}`)).body).status).toEqual({ confirmed: false });
    expect((await get(`/tx/${pending.anchorTxid}/raw`)).status).toBe(200);
  });

  test.each(["", "/raw", "/hex", "/status"])("an absent one answers 404 to /tx/:txid%s", async (part) => {
    expect(await get(`/tx/${absent}${part}`)).toEqual({ status: 404, type: "text/plain", body: "Transaction not found" });
  });

  test("bad ids and unknown paths are told apart from absent ones", async () => {
    expect((await get("/tx/xyz/raw")).status).toBe(400);
    expect((await get(`/tx/${confirmed.anchorTxid}/nonsense`)).status).toBe(404);
    expect((await get("/nonsense")).status).toBe(404);
  });

  test("a hidden one is absent until shown, the others stay", async () => {
    simulator.chain.hide(confirmed.anchorTxid);
    expect((await get(`/tx/${confirmed.anchorTxid}/raw`)).status).toBe(404);
    expect((await get(`/tx/${pending.anchorTxid}/raw`)).status).toBe(200);
    simulator.chain.show(confirmed.anchorTxid);
    expect((await get(`/tx/${confirmed.anchorTxid}/raw`)).status).toBe(200);
  });
});

test("an output is unspent until a transaction spends it, and again once that is evicted", async () => {
  const path = `/tx/${confirmed.anchorTxid}/outspend/0`;
  expect(JSON.parse((await get(path)).body)).toEqual({ spent: false });
  const sample = decodeTransaction(simulator.chain.transaction(pending.anchorTxid)?.bytes ?? new Uint8Array());
  const [input] = sample.inputs;
  if (!input) return expect.unreachable();
  const spender = { ...sample, inputs: [{ ...input, outpoint: { txid: confirmed.anchorTxid, vout: 0 } }] };
  const txid = simulator.chain.add(encodeTransaction(spender), 150);
  expect(JSON.parse((await get(path)).body)).toMatchObject({
    spent: true,
    txid,
    vin: 0,
    status: { confirmed: true, block_height: 150 },
  });
  expect(JSON.parse((await get(`/tx/${confirmed.anchorTxid}/outspend/1`)).body)).toEqual({ spent: false });
  simulator.chain.evict(txid);
  expect(JSON.parse((await get(path)).body)).toEqual({ spent: false });
  expect(() => simulator.chain.evict(txid)).toThrow(expect.objectContaining({ code: "UNKNOWN_TRANSACTION" }));
});

test("an output of a transaction that nobody knows counts as unspent, as Esplora answers it", async () => {
  expect(await get(`/tx/${absent}/outspend/0`)).toEqual({ status: 200, type: "application/json", body: '{"spent":false}' });
});

describe("faults", () => {
  test("down answers 503 to everything", async () => {
    simulator.chain.setFault("down");
    for (const path of ["/blocks/tip/height", `/tx/${confirmed.anchorTxid}/raw`]) expect((await get(path)).status).toBe(503);
  });

  test("absent answers 404 for transactions and the truth for blocks", async () => {
    simulator.chain.setFault("absent");
    expect((await get(`/tx/${confirmed.anchorTxid}/raw`)).status).toBe(404);
    expect((await get("/blocks/tip/height")).status).toBe(200);
  });

  test("corrupt answers a transaction with another id", async () => {
    simulator.chain.setFault("corrupt");
    const { body } = await get(`/tx/${confirmed.anchorTxid}/hex`);
    expect(transactionId(decodeTransaction(Buffer.from(body, "hex")))).not.toBe(confirmed.anchorTxid);
  });

  test("slow answers late", async () => {
    simulator.chain.setFault("slow");
    simulator.chain.slowMs = 80;
    const started = performance.now();
    expect((await get("/blocks/tip/height")).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(70);
  });

  test("hang never answers", async () => {
    simulator.chain.setFault("hang");
    const call = fetch(`${simulator.chainUrl}/blocks/tip/height`, { signal: AbortSignal.timeout(100) });
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

test("mining confirms the mempool in the first new block", async () => {
  expect(simulator.mine(3)).toBe(153);
  expect(simulator.chain.transaction(pending.anchorTxid)?.height).toBe(151);
  expect((await get("/blocks/tip/height")).body).toBe("153");
  expect(() => simulator.mine(0)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});

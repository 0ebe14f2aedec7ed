import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChainError, type ChainErrorCode } from "../../chain/errors.ts";
import { type EsploraOptions, esplora } from "../../chain/esplora.ts";
import type { Answer } from "../../chain/source.ts";
import { EsploraServer } from "./esplora-server.ts";

const TRANSACTION = Buffer.from(
  "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff00000000000168a100000000000022512050c4d1d21d439c2c62292527da84fcaf0834d1dea2e4280b5755a3c8860f38d800000000",
  "hex",
);
const TXID = "20591032a1483578b56345aa9b90da46762cdcfec03554a1863febe3e67fe130";
const HASH = "ab".repeat(32);

let server: EsploraServer;
beforeEach(async () => {
  server = await EsploraServer.start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

function source(options: EsploraOptions = {}) {
  return esplora(server.url, { retryDelayMs: 1, random: () => 0, ...options });
}

function errorOf(answer: Answer<unknown>): { code: ChainErrorCode; retryable: boolean } {
  if (answer.kind !== "unknown") throw new Error(`expected unknown, got ${answer.kind}`);
  expect(answer.error).toBeInstanceOf(ChainError);
  return { code: answer.error.code, retryable: answer.error.retryable };
}

describe("the address", () => {
  it.each([
    ["esplora.example/api", "https://esplora.example/api"],
    [" https://esplora.example/api/ ", "https://esplora.example/api"],
    ["http://127.0.0.1:3000/", "http://127.0.0.1:3000"],
    ["http://127.0.0.1:3000//", "http://127.0.0.1:3000/"],
  ])("%j becomes %j", (given, used) => {
    expect(esplora(given).url).toBe(used);
  });

  it.each([
    "",
    "https://",
    "ftp://example.org",
    "https://example.org?key=1",
    "https://example.org#x",
    "https://user:hunter2@example.org",
  ])("%j is refused without being repeated", (given) => {
    expect(() => esplora(given)).toThrow(
      expect.objectContaining({ code: "CHAIN_BAD_URL", retryable: false, message: expect.not.stringMatching(/hunter2|ftp/) }),
    );
  });
});

describe("tip", () => {
  it("is asked once a second at most, and again when fresh is wanted", async () => {
    server.reply("/blocks/tip/height", { body: "840000\n" }, { body: "840001" });
    const chain = source();
    expect(await chain.tip()).toEqual({ kind: "found", value: { height: 840_000 } });
    expect(await chain.tip()).toEqual({ kind: "found", value: { height: 840_000 } });
    expect(await chain.tip({ fresh: true })).toEqual({ kind: "found", value: { height: 840_001 } });
    expect(server.requests).toHaveLength(2);
  });

  it("is asked again once the remembered one is too old", async () => {
    server.reply("/blocks/tip/height", { body: "1" }, { body: "2" });
    const chain = source({ tipCacheMs: 0 });
    await chain.tip();
    expect(await chain.tip()).toEqual({ kind: "found", value: { height: 2 } });
  });

  it("is remembered for a second at most, whatever is asked for", async () => {
    server.reply("/blocks/tip/height", { body: "1" }, { body: "2" });
    const chain = source({ tipCacheMs: 60_000 });
    await chain.tip();
    await new Promise((resolve) => setTimeout(resolve, 1_010));
    expect(await chain.tip()).toEqual({ kind: "found", value: { height: 2 } });
  });

  it.each(["", "-1", "1e3", "0x10", "12345678901", "<html>"])("%j is no height", async (body) => {
    server.reply("/blocks/tip/height", { body });
    expect(errorOf(await source().tip())).toEqual({ code: "CHAIN_BAD_RESPONSE", retryable: true });
  });

  it("a missing tip is unknown, never absent, and not remembered", async () => {
    server.reply("/blocks/tip/height", { status: 404 }, { body: "7" });
    const chain = source();
    expect(errorOf(await chain.tip()).code).toBe("CHAIN_BAD_RESPONSE");
    expect(await chain.tip()).toEqual({ kind: "found", value: { height: 7 } });
  });
});

describe("the time of the tip", () => {
  it("is that of the best block, in milliseconds", async () => {
    server.reply("/blocks/tip/hash", { body: HASH });
    server.reply(`/block/${HASH}`, { body: JSON.stringify({ id: HASH, timestamp: 1_700_000_000 }) });
    expect(await source().tipTime()).toEqual({ kind: "found", value: 1_700_000_000_000 });
  });

  it.each([undefined, "1700000000", -1, 1.5, 2 ** 32])("%j is none", async (timestamp) => {
    server.reply("/blocks/tip/hash", { body: HASH });
    server.reply(`/block/${HASH}`, { body: JSON.stringify({ timestamp }) });
    expect(errorOf(await source().tipTime()).code).toBe("CHAIN_BAD_RESPONSE");
  });

  it("is unknown, never absent, where a block is missing", async () => {
    expect(errorOf(await source().tipTime()).code).toBe("CHAIN_BAD_RESPONSE");
    server.reply("/blocks/tip/hash", { body: HASH });
    expect(errorOf(await source().tipTime()).code).toBe("CHAIN_BAD_RESPONSE");
  });
});

describe("transaction", () => {
  const path = `/tx/${TXID}/raw`;

  it("is returned as received", async () => {
    server.reply(path, { body: TRANSACTION });
    const answer = await source().transaction(TXID.toUpperCase());
    expect(answer).toEqual({ kind: "found", value: new Uint8Array(TRANSACTION) });
  });

  it("is absent only when the source says 404", async () => {
    expect(await source().transaction(TXID)).toEqual({ kind: "absent" });
  });

  it("with another id is unknown, not found", async () => {
    const other = Buffer.from(TRANSACTION);
    other[45] = (other[45] ?? 0) ^ 1;
    server.reply(path, { body: other });
    expect(errorOf(await source().transaction(TXID))).toEqual({ code: "CHAIN_TXID_MISMATCH", retryable: true });
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["a cut transaction", TRANSACTION.subarray(0, -1)],
    ["left-over bytes", Buffer.concat([TRANSACTION, Buffer.of(0)])],
    ["its hex", TRANSACTION.toString("hex")],
  ])("%s is unknown", async (_, body) => {
    server.reply(path, { body });
    expect(errorOf(await source().transaction(TXID)).code).toBe("CHAIN_BAD_RESPONSE");
  });

  it("above 4 MiB is unknown, whether the length is announced or not", async () => {
    const body = Buffer.alloc(4 * 1024 * 1024 + 1);
    server.reply(path, { body }, (_, response) => {
      response.write(body);
      response.end();
    });
    expect(errorOf(await source().transaction(TXID)).code).toBe("CHAIN_RESPONSE_TOO_LARGE");
    expect(errorOf(await source().transaction(TXID)).code).toBe("CHAIN_RESPONSE_TOO_LARGE");
  });

  it("refuses a malformed txid before asking", async () => {
    await expect(source().transaction("../secret")).rejects.toMatchObject({ code: "CHAIN_BAD_ARGUMENT" });
    expect(server.requests).toEqual([]);
  });
});

describe("status", () => {
  const path = `/tx/${TXID}`;
  const reply = (status: unknown, txid = TXID) => server.reply(path, { body: JSON.stringify({ txid, status }) });

  it("tells height and block of a confirmed transaction", async () => {
    reply({ confirmed: true, block_height: 101, block_hash: HASH, block_time: 1 });
    expect(await source().status(TXID)).toEqual({ kind: "found", value: { confirmed: true, height: 101, blockHash: HASH } });
  });

  it("tells a transaction of the mempool from an absent one", async () => {
    expect(await source().status(TXID)).toEqual({ kind: "absent" });
    reply({ confirmed: false });
    expect(await source().status(TXID)).toEqual({ kind: "found", value: { confirmed: false } });
  });

  it.each([
    [undefined],
    [null],
    [[]],
    [{}],
    [{ confirmed: "yes" }],
    [{ confirmed: true }],
    [{ confirmed: true, block_height: -1, block_hash: HASH }],
    [{ confirmed: true, block_height: 1, block_hash: "x" }],
  ])("%j is unknown", async (status) => {
    reply(status);
    expect(errorOf(await source().status(TXID)).code).toBe("CHAIN_BAD_RESPONSE");
  });

  it("of another transaction is unknown", async () => {
    reply({ confirmed: false }, HASH);
    expect(errorOf(await source().status(TXID)).code).toBe("CHAIN_TXID_MISMATCH");
  });
});

describe("outspend and block hash", () => {
  it("tells spent from unspent, with the spender where it is named", async () => {
    const spends = [{ spent: false }, { spent: true, txid: HASH, vin: 0 }, { spent: true }];
    server.reply(`/tx/${TXID}/outspend/3`, ...spends.map((spend) => ({ body: JSON.stringify(spend) })), { body: "[]" });
    const chain = source();
    expect(await chain.outspend(TXID, 3)).toEqual({ kind: "found", value: { spent: false } });
    expect(await chain.outspend(TXID, 3)).toEqual({ kind: "found", value: { spent: true, txid: HASH } });
    expect(await chain.outspend(TXID, 3)).toEqual({ kind: "found", value: { spent: true } });
    expect(errorOf(await chain.outspend(TXID, 3)).code).toBe("CHAIN_BAD_RESPONSE");
  });

  it("a block hash is 64 hex digits, absent above the tip", async () => {
    server.reply("/block-height/5", { body: HASH }, { body: HASH.slice(2) });
    const chain = source();
    expect(await chain.blockHash(5)).toEqual({ kind: "found", value: HASH });
    expect(errorOf(await chain.blockHash(5)).code).toBe("CHAIN_BAD_RESPONSE");
    expect(await chain.blockHash(6)).toEqual({ kind: "absent" });
  });

  it("refuses indices and heights that are none", async () => {
    await expect(source().outspend(TXID, -1)).rejects.toMatchObject({ code: "CHAIN_BAD_ARGUMENT" });
    await expect(source().blockHash(1.5)).rejects.toMatchObject({ code: "CHAIN_BAD_ARGUMENT" });
  });
});

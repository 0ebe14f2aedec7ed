import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { HttpReader } from "../../chain/http.ts";
import { EsploraServer } from "./esplora-server.ts";

const QUICK = { retryDelayMs: 1, random: () => 0 };

let server: EsploraServer;
beforeEach(async () => {
  server = await EsploraServer.start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe("repetition", () => {
  it.each([429, 500, 503])("a %i is asked again until the answer comes", async (status) => {
    server.reply("/x", { status }, { status }, { body: "done" });
    const answer = await new HttpReader(server.url, QUICK).get("/x", 100);
    expect(answer).toEqual({ kind: "found", body: new TextEncoder().encode("done") });
    expect(server.requests).toHaveLength(3);
  });

  it("ends after six repetitions", async () => {
    server.reply("/x", { status: 503 });
    await expect(new HttpReader(server.url, QUICK).get("/x", 100)).rejects.toMatchObject({
      code: "CHAIN_HTTP_STATUS",
      retryable: true,
      message: expect.stringContaining("got 503 after 7 attempts"),
    });
    expect(server.requests).toHaveLength(7);
  });

  it("starts no request after the whole time is over", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const startedMs = performance.now();
    const requestedMs: number[] = [];
    const busy = async () => {
      requestedMs.push(performance.now() - startedMs);
      return new Response(null, { status: 503 });
    };
    const reader = new HttpReader(server.url, { retryDelayMs: 40, random: () => 0, totalTimeoutMs: 100, fetch: busy });
    const ended = expect(reader.get("/x", 100)).rejects.toMatchObject({ code: "CHAIN_HTTP_STATUS" });
    await vi.advanceTimersByTimeAsync(1_000);
    await ended;
    expect(requestedMs).toEqual([0, 20, 60]); // the next, after 80 ms more, would come too late
  });

  it("doubles the wait and spreads it over its upper half", async () => {
    for (const [random, leastMs] of [
      [0, 70],
      [0.99, 130],
    ] as const) {
      server.reply("/x", { status: 500 }, { status: 500 }, { status: 500 }, { body: "" });
      const start = performance.now();
      await new HttpReader(server.url, { retryDelayMs: 20, random: () => random }).get("/x", 100);
      expect(performance.now() - start).toBeGreaterThanOrEqual(leastMs - 5);
    }
  });

  it.each([
    [400, false],
    [403, false],
    [502, true],
    [504, true],
  ])("a %i is not repeated and is no answer", async (status, retryable) => {
    server.reply("/x", { status });
    await expect(new HttpReader(server.url, QUICK).get("/x", 100)).rejects.toMatchObject({
      code: "CHAIN_HTTP_STATUS",
      retryable,
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe("time and size", () => {
  it("a silent server times out", async () => {
    server.reply("/x", () => {});
    await expect(new HttpReader(server.url, { ...QUICK, timeoutMs: 50 }).get("/x", 100)).rejects.toMatchObject({
      code: "CHAIN_TIMEOUT",
      retryable: true,
    });
  });

  it("a body that never ends times out", async () => {
    server.reply("/x", (_, response) => void response.write("a"));
    await expect(new HttpReader(server.url, { ...QUICK, timeoutMs: 50 }).get("/x", 100)).rejects.toMatchObject({
      code: "CHAIN_TIMEOUT",
    });
  });

  it("takes a body of exactly the limit and closes the connection on a longer one", async () => {
    const closed = new Promise((resolve) => {
      server.reply("/x", { body: "a".repeat(100) }, (request, response) => {
        request.socket.once("close", resolve);
        response.write("a".repeat(101));
      });
    });
    const reader = new HttpReader(server.url, QUICK);
    expect(await reader.get("/x", 100)).toMatchObject({ kind: "found" });
    await expect(reader.get("/x", 100)).rejects.toMatchObject({ code: "CHAIN_RESPONSE_TOO_LARGE" });
    await closed;
  });

  it("a connection that breaks in the middle of a body is unreachable, not a short answer", async () => {
    server.reply("/x", (request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("12345", () => request.socket.destroy());
    });
    await expect(new HttpReader(server.url, QUICK).get("/x", 100)).rejects.toMatchObject({
      code: "CHAIN_UNREACHABLE",
      retryable: true,
    });
  });

  it("a refused connection is unreachable, named by host and reason without the rest of the address", async () => {
    const unused = createServer();
    await new Promise<void>((resolve) => unused.listen(0, "127.0.0.1", resolve));
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const error = await new HttpReader(`http://127.0.0.1:${port}/secret-token`, QUICK)
      .get("/x", 100)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "CHAIN_UNREACHABLE",
      message: `expected an answer to /x of 127.0.0.1:${port}, got ECONNREFUSED`,
    });
  });
});

describe("giving up", () => {
  it("rejects with the signal's reason before, during and between requests", async () => {
    const reason = new Error("enough");
    const reader = new HttpReader(server.url, { retryDelayMs: 60_000, totalTimeoutMs: 600_000 });
    await expect(reader.get("/x", 100, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests).toEqual([]);

    const during = new AbortController();
    server.reply("/x", () => during.abort(reason));
    await expect(reader.get("/x", 100, during.signal)).rejects.toBe(reason);

    const between = new AbortController();
    server.reply("/x", { status: 503 });
    setTimeout(() => between.abort(reason), 50);
    await expect(reader.get("/x", 100, between.signal)).rejects.toBe(reason);
  });
});

import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { expect, test } from "vitest";
import { openSession } from "../../streams/session.ts";
import { startHttp2 } from "./http2-server.ts";
import { aborted, acceptCall, arkInfo, connect, failure, startServer, until } from "./server.ts";

/** Nobody listens there, and no system gives this port to whoever asks for any. */
const NOBODY = "http://127.0.0.1:2";

test("the handshake carries the user agent but no version, every later call both", async () => {
  await using server = await startServer({
    ark: { getVtxo: async () => ({ vtxo: Uint8Array.of(1) }) },
    posts: { postArkoorMessage: async () => ({}) },
    subscribeMailbox: async function* (_, context) {
      acceptCall(context);
      await aborted(context);
      yield* [];
    },
  });
  await using session = await connect(server, { userAgent: "my-app_1/2.3" });
  await session.getVtxo(`${"00".repeat(32)}:1`);
  await session.postArkoorMessage(new Uint8Array(33), [new Uint8Array(4)]);
  await session.readMailbox({ mailboxId: new Uint8Array(33), authorization: new Uint8Array(105), after: 0n });
  const mailbox = { mailboxId: new Uint8Array(33), authorization: () => new Uint8Array(105), after: 0n };
  await new Promise<void>((onOpen) => session.mailbox$({ ...mailbox, onOpen }).subscribe({ error: () => undefined }));
  const calls = server.seen.map(({ path, headers }) => [path.split("/")[2], headers.pver, headers.userAgent]);
  expect(calls).toEqual([
    ["Handshake", undefined, "my-app_1/2.3"],
    ["GetArkInfo", "5", "my-app_1/2.3"],
    ["GetVtxo", "5", "my-app_1/2.3"],
    ["PostArkoorMessage", "5", "my-app_1/2.3"],
    ["ReadMailbox", "5", "my-app_1/2.3"],
    ["SubscribeMailbox", "5", "my-app_1/2.3"],
  ]);
});

test("every call carries its deadline, the subscription none", async () => {
  await using server = await startHttp2(() => undefined);
  await using session = await connect(server, { connectTimeoutMs: 9_999, callTimeoutMs: 12_345 });
  session.getVtxo(`${"00".repeat(32)}:1`, { timeoutMs: 1e9 }).catch(() => undefined);
  const mailbox = { mailboxId: new Uint8Array(33), authorization: () => new Uint8Array(105), after: 0n };
  session.mailbox$(mailbox).subscribe({ error: () => undefined });
  await until(() => server.timeouts.length === 4, "four calls");
  expect(server.timeouts).toEqual([
    ["Handshake", "9999m"],
    ["GetArkInfo", "12345m"],
    ["GetVtxo", "99999999m"],
    ["SubscribeMailbox", undefined],
  ]);
});

test("a session says version, information and announcement of the server", async () => {
  let barkVersion: string | undefined;
  await using server = await startServer({
    ark: {
      handshake: async (request) => {
        barkVersion = request.barkVersion;
        return { minProtocolVersion: 1n, maxProtocolVersion: 4n, psa: "sale\u001b]0;x\u0007" };
      },
    },
  });
  await using session = await connect(server);
  expect(session.protocolVersion).toBe(4);
  expect(session.announcement).toBe("sale\\u{1b}]0;x\\u{7}");
  expect(session.info.exitDelta).toBe(12);
  expect(barkVersion).toMatch(/(^| )0\.6\.0\b/);
  expect(Buffer.byteLength(barkVersion ?? "")).toBeLessThanOrEqual(64);
  expect(server.seen[1]?.headers.pver).toBe("4");
});

test.each([
  [6n, 9n, "CLIENT_TOO_OLD"],
  [1n, 3n, "SERVER_TOO_OLD"],
])("a server that speaks %s to %s is refused as %s before anything else is asked", async (min, max, code) => {
  await using server = await startServer({
    ark: { handshake: async () => ({ minProtocolVersion: min, maxProtocolVersion: max }) },
  });
  expect(await failure(connect(server))).toMatchObject({ code, retryable: false });
  expect(server.seen.map((call) => call.path)).toEqual(["/bark_server.ArkService/Handshake"]);
});

test("a server of another network is refused, and both are named", async () => {
  await using server = await startServer({ ark: { getArkInfo: async () => arkInfo({ network: "signet" }) } });
  const error = await failure(connect(server));
  expect(error).toMatchObject({ code: "SERVER_WRONG_NETWORK", retryable: false });
  expect(error.message).toMatch(/regtest.*signet/);
});

test("information without fees is refused", async () => {
  await using server = await startServer({ ark: { getArkInfo: async () => ({ ...arkInfo(), fees: undefined }) } });
  expect(await failure(connect(server))).toMatchObject({ code: "SERVER_BAD_INFO" });
});

test("bad options are refused before anything is dialled", async () => {
  await using server = await startServer();
  expect(await failure(openSession({ serverUrl: "ftp://x", network: "regtest" }))).toMatchObject({ code: "BAD_URL" });
  const plain = openSession({ serverUrl: "http://ark.example", network: "regtest" });
  expect(await failure(plain)).toMatchObject({ code: "PLAINTEXT_REFUSED" });
  expect(await failure(connect(server, { userAgent: "Not Right" }))).toMatchObject({ code: "BAD_OPTION" });
  expect(server.seen).toEqual([]);
});

test("a server that is not there is unreachable, at once", async () => {
  const refused = await failure(connect({ url: NOBODY }, { connectTimeoutMs: 600_000 }));
  expect(refused).toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
});

test("a host name that does not resolve is unreachable", async () => {
  const attempt = openSession({ serverUrl: "https://nothing.invalid", network: "regtest", connectTimeoutMs: 5_000 });
  expect(await failure(attempt)).toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
});

test("a host that accepts and stays silent is unreachable after the connect timeout", async () => {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const error = await failure(connect({ url: `http://127.0.0.1:${port}` }, { connectTimeoutMs: 200 }));
  expect(error).toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
  expect(error.message).toContain("within 200 ms");
  server.close();
});

test("a server that accepts the handshake and never answers is unreachable after the connect timeout", async () => {
  await using server = await startServer({ ark: { handshake: () => new Promise(() => undefined) } });
  const error = await failure(connect(server, { connectTimeoutMs: 200 }));
  expect(error).toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
});

test("opening is cancelled by its signal", async () => {
  await using server = await startServer({ ark: { handshake: () => new Promise(() => undefined) } });
  const stop = new AbortController();
  const attempt = failure(connect(server, { signal: stop.signal }));
  await until(() => server.seen.length === 1, "the handshake");
  stop.abort();
  expect(await attempt).toMatchObject({ code: "CANCELLED", retryable: false });
  expect(await failure(connect(server, { signal: AbortSignal.abort() }))).toMatchObject({ code: "CANCELLED" });
  expect(server.seen).toHaveLength(1);
});

const pem = (name: string) => readFileSync(new URL(`tls/${name}.pem`, import.meta.url), "utf8");

test("https checks the certificate: one that is trusted works, another does not", async () => {
  await using server = await startHttp2(() => undefined, { key: pem("key"), cert: pem("cert") });
  const secure = { url: `https://localhost:${server.port}` };
  await using session = await connect(secure, { rootCertificates: Buffer.from(pem("cert")) });
  expect(session.protocolVersion).toBe(5);
  expect(await failure(connect(secure))).toMatchObject({ code: "SERVER_UNREACHABLE" });
  const plain = { url: `http://127.0.0.1:${server.port}` };
  expect(await failure(connect(plain, { connectTimeoutMs: 2_000 }))).toMatchObject({ code: "SERVER_UNREACHABLE" });
});

test("a closed session refuses calls, fails those under way, and closes its connection", async () => {
  let wasAborted = false;
  await using server = await startServer({
    ark: {
      getVtxo: async (_, context) => {
        await aborted(context);
        wasAborted = true;
        return {};
      },
    },
  });
  const session = await connect(server);
  const id = `${"00".repeat(32)}:0`;
  const pending = failure(session.getVtxo(id));
  await until(() => server.seen.length === 3, "the call");
  await session.close();
  await session.close();
  expect(await pending).toMatchObject({ code: "SESSION_CLOSED", retryable: false });
  expect(await failure(session.getVtxo(id))).toMatchObject({ code: "SESSION_CLOSED" });
  await until(() => wasAborted, "the abort at the server");
});

test("every session has a connection of its own, and closes it", async () => {
  await using server = await startHttp2(() => undefined);
  const first = await connect(server);
  const second = await connect(server);
  expect(server.connections()).toBe(2);
  await first.close();
  await until(() => server.connections() === 1, "one connection");
  await second.close();
  await until(() => server.connections() === 0, "no connection");
  await failure(connect(server, { network: "signet" }));
  await until(() => server.connections() === 0, "no connection after a refusal");
});

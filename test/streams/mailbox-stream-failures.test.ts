import { constants } from "node:http2";
import { ServerError, Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { accept, send, startHttp2 } from "./http2-server.ts";
import { aborted, acceptCall, arkoorMessage, connect, startServer, until } from "./server.ts";
import { collect, messages, serve, settle } from "./subscriber.ts";
import { startProxy } from "./tcp-proxy.ts";

test("a clean end is an error of its own, after all messages, to be retried", async () => {
  await using server = await serve((_, context) => messages(context, arkoorMessage(1n), arkoorMessage(2n)));
  await using session = await connect(server);
  const { held, ended } = collect(session);
  expect(await ended).toMatchObject({ code: "STREAM_ENDED", retryable: true, grpcStatus: 0 });
  expect(held.map(({ value }) => value.checkpoint)).toEqual([1n, 2n]);
});

test.each([
  [Status.INVALID_ARGUMENT, "SERVER_REJECTED", false],
  [Status.NOT_FOUND, "SERVER_NOT_FOUND", false],
  [Status.UNAUTHENTICATED, "SERVER_REFUSED", false],
  [Status.PERMISSION_DENIED, "SERVER_REFUSED", false],
  [Status.UNIMPLEMENTED, "SERVER_REFUSED", false],
  [Status.INTERNAL, "SERVER_FAILED", false],
  [Status.ABORTED, "SERVER_FAILED", false],
  [Status.UNAVAILABLE, "SERVER_UNREACHABLE", true],
  [Status.RESOURCE_EXHAUSTED, "SERVER_BUSY", true],
  [Status.CANCELLED, "STREAM_RESET", true],
  [Status.DEADLINE_EXCEEDED, "DEADLINE", true],
  [Status.UNKNOWN, "SERVER_FAILED", true],
])("a stream that fails with status %i is %s, retryable: %s, on opening and later", async (status, code, retryable) => {
  await using server = await serve(async function* (request, context) {
    if (request.checkpoint > 0n) yield* messages(context, arkoorMessage(3n));
    throw new ServerError(status, "why");
  });
  await using session = await connect(server);
  for (const after of [0n, 1n]) {
    const { held, ended } = collect(session, { after });
    expect(await ended).toMatchObject({ code, retryable, grpcStatus: status });
    expect(held).toHaveLength(Number(after));
  }
});

test.each([
  ["NGHTTP2_INTERNAL_ERROR", constants.NGHTTP2_INTERNAL_ERROR, "STREAM_RESET"],
  ["NGHTTP2_PROTOCOL_ERROR", constants.NGHTTP2_PROTOCOL_ERROR, "STREAM_RESET"],
  ["NGHTTP2_NO_ERROR", constants.NGHTTP2_NO_ERROR, "STREAM_RESET"],
  ["NGHTTP2_CANCEL", constants.NGHTTP2_CANCEL, "STREAM_RESET"],
  ["NGHTTP2_REFUSED_STREAM", constants.NGHTTP2_REFUSED_STREAM, "SERVER_UNREACHABLE"],
  ["NGHTTP2_ENHANCE_YOUR_CALM", constants.NGHTTP2_ENHANCE_YOUR_CALM, "SERVER_BUSY"],
])("a stream that is reset with %s (%i) is %s, to be retried, after its messages", async (_, reset, code) => {
  let close = (): void => {};
  await using server = await startHttp2((stream) => {
    accept(stream);
    send(stream, arkoorMessage(1n));
    close = () => stream.close(reset);
  });
  await using session = await connect(server);
  const { held, ended } = collect(session);
  await until(() => held.length === 1, "a message");
  close();
  expect(await ended).toMatchObject({ code, retryable: true });
  expect(held).toHaveLength(1);
});

test("a connection that drops is unreachable, and the same session can subscribe again", async () => {
  await using server = await startHttp2((stream) => {
    accept(stream);
    send(stream, arkoorMessage(1n));
  });
  await using session = await connect(server);
  for (let i = 0; i < 2; i++) {
    const { held, ended } = collect(session);
    await until(() => held.length === 1, "a message");
    server.drop();
    expect(await ended).toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
  }
});

test("a black hole on the way is noticed by keep-alive, with and without a call", async () => {
  await using server = await startServer({
    ark: { getVtxo: async () => ({ vtxo: Uint8Array.of(1) }) },
    subscribeMailbox: async function* (_, context) {
      yield* messages(context, arkoorMessage(1n));
      await aborted(context);
    },
  });
  const proxy = await startProxy(server.port);
  const keepAlive = { keepAliveMs: 100, keepAliveTimeoutMs: 100 };
  await using session = await connect({ url: `http://127.0.0.1:${proxy.port}` }, keepAlive);
  const { held, ended } = collect(session);
  await until(() => held.length === 1, "a message");
  proxy.swallow();
  expect(await ended).toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
  proxy.pass();
  expect(await session.getVtxo(`${"00".repeat(32)}:0`)).toEqual(Uint8Array.of(1));
  const before = proxy.accepted();
  proxy.swallow();
  await until(() => proxy.open() === 0, "the end of the connection");
  proxy.pass();
  expect(await session.getVtxo(`${"00".repeat(32)}:0`)).toEqual(Uint8Array.of(1));
  expect(proxy.accepted()).toBeGreaterThan(before);
  proxy.stop();
});

test("a subscription that cannot reconnect fails after the connect timeout, though it has no deadline", async () => {
  await using server = await startServer();
  const proxy = await startProxy(server.port);
  await using session = await connect({ url: `http://127.0.0.1:${proxy.port}` }, { connectTimeoutMs: 1_500 });
  proxy.swallow();
  proxy.drop();
  await settle();
  expect(await collect(session).ended).toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
  proxy.stop();
});

test("closing the session ends its subscriptions with SESSION_CLOSED", async () => {
  await using server = await serve(async function* (_, context) {
    acceptCall(context);
    await aborted(context);
    yield* [];
  });
  const session = await connect(server);
  const { ended } = collect(session);
  await until(() => server.seen.length === 3, "the call");
  await session.close();
  expect(await ended).toMatchObject({ code: "SESSION_CLOSED", retryable: false });
  expect(await collect(session).ended).toMatchObject({ code: "SESSION_CLOSED" });
});

test("bytes that are no message are delivered as such, and do not end the stream", async () => {
  await using server = await serve(async function* (_, context) {
    yield* messages(context, arkoorMessage(1n), Uint8Array.of(0x0a), arkoorMessage(2n));
    await aborted(context);
  });
  await using session = await connect(server);
  const { held } = collect(session);
  await until(() => held.length === 3, "three messages");
  expect(held.map(({ value }) => value.content.kind)).toEqual(["arkoor", "malformed", "arkoor"]);
});

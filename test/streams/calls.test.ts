import { getEventListeners } from "node:events";
import { type CallContext, ServerError, Status } from "nice-grpc-common";
import { expect, test, vi } from "vitest";
import { decodeHex } from "../../ark/hex.ts";
import { VtxoSpendState } from "../../proto/generated/bark_server.ts";
import { Caller } from "../../streams/calls.ts";
import type { StreamError } from "../../streams/errors.ts";
import type { ServerSession } from "../../streams/session.ts";
import { parseIdentifiers } from "../../streams/status.ts";
import { startHttp2 } from "./http2-server.ts";
import { aborted, connect, failure, type Handlers, startServer, until } from "./server.ts";

const ID = `${"ab".repeat(31)}01:7`;
const getVtxo = (session: ServerSession) => session.getVtxo(ID);

/** The error that a call gets when the server does this. */
async function failureOf(handlers: Handlers["ark"], call = getVtxo): Promise<StreamError> {
  await using server = await startServer({ ark: handlers ?? {} });
  await using session = await connect(server);
  return await failure(call(session));
}

const failing = (status: Status, text: string, prepare?: (context: CallContext) => void): Handlers["ark"] => ({
  getVtxo: async (_, context) => {
    prepare?.(context);
    throw new ServerError(status, text);
  },
});

test.each([
  [Status.INVALID_ARGUMENT, "SERVER_REJECTED", false],
  [Status.NOT_FOUND, "SERVER_NOT_FOUND", false],
  [Status.INTERNAL, "SERVER_FAILED", true],
  [Status.UNAVAILABLE, "SERVER_UNREACHABLE", true],
  [Status.RESOURCE_EXHAUSTED, "SERVER_BUSY", true],
  [Status.DEADLINE_EXCEEDED, "DEADLINE", true],
  [Status.CANCELLED, "STREAM_RESET", true],
  [Status.UNAUTHENTICATED, "SERVER_REFUSED", true],
  [Status.PERMISSION_DENIED, "SERVER_REFUSED", true],
  [Status.UNIMPLEMENTED, "SERVER_REFUSED", true],
  [Status.UNKNOWN, "SERVER_FAILED", true],
  [Status.ABORTED, "SERVER_FAILED", true],
  [Status.DATA_LOSS, "SERVER_FAILED", true],
])("a call that is answered with status %i fails as %s, retryable: %s", async (status, code, retryable) => {
  const error = await failureOf(failing(status, "why"));
  expect(error).toMatchObject({ code, retryable, grpcStatus: status, identifiers: undefined });
  expect(error.isRejection).toBe(status === Status.INVALID_ARGUMENT || status === Status.NOT_FOUND);
  expect(error.message).toContain("GetVtxo");
  expect(error.message).toContain("why");
});

test("the text of the server is kept escaped and cut, and nowhere unescaped", async () => {
  const error = await failureOf(failing(Status.INTERNAL, `\u001b[31m${"x".repeat(3_000)}`));
  expect(error.message).toContain("\\u{1b}[31mxxx");
  expect(error.message.length).toBeLessThan(1_200);
  expect(error.cause).toBeUndefined();
});

test("the ids that a rejection names are kept, and what is no id is not", async () => {
  const token = "5".repeat(64);
  const error = await failureOf(
    failing(Status.NOT_FOUND, "not found: some", (context) => {
      context.trailer.set("identifiers", `${ID}, ${token},${ID.toUpperCase()},,x:1`);
    }),
  );
  expect(error.identifiers).toEqual([ID, ID]);
  const empty = await failureOf(failing(Status.NOT_FOUND, "", (context) => context.trailer.set("identifiers", "")));
  expect(empty.identifiers).toEqual([]);
});

test("a list of a million ids is not worked through", () => {
  expect(parseIdentifiers(`${ID},`.repeat(1_000_000))).toHaveLength(1_000);
});

test("a server that never answers fails the call at its deadline, and the server is told", async () => {
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
  await using session = await connect(server, { callTimeoutMs: 150 });
  const within = (text: string) => expect.stringContaining(`within ${text} ms`);
  expect(await failure(session.getVtxo(ID))).toMatchObject({ code: "DEADLINE", retryable: true, message: within("150") });
  expect(await failure(session.getVtxo(ID, { timeoutMs: 50 }))).toMatchObject({ code: "DEADLINE", message: within("50") });
  await until(() => wasAborted, "the abort at the server");
});

test("the deadline is kept against a server that ignores the timeout header", async () => {
  await using server = await startHttp2(() => undefined);
  await using session = await connect(server);
  const error = await failure(session.getVtxo(ID, { timeoutMs: 100 }));
  expect(error).toMatchObject({ code: "DEADLINE", retryable: true, grpcStatus: undefined });
});

test("a call waits 99,999,999 ms at most, which is what its header can say", async () => {
  const set = vi.spyOn(globalThis, "setTimeout");
  const caller = new Caller({ headers: {}, closed: new AbortController().signal, timeoutMs: 1_000 });
  for (const timeoutMs of [99_999_999, 100_000_000, 1e12]) await caller.unary("Good", async () => 1, { timeoutMs });
  const waits = set.mock.calls.map(([, waitMs]) => waitMs);
  set.mockRestore();
  expect(waits).toEqual([99_999_999, 99_999_999, 99_999_999]);
});

test("a call is cancelled by its signal, before and after it started", async () => {
  await using server = await startServer({ ark: { getVtxo: () => new Promise(() => undefined) } });
  await using session = await connect(server);
  const stop = new AbortController();
  const pending = failure(session.getVtxo(ID, { signal: stop.signal }));
  await until(() => server.seen.length === 3, "the call");
  stop.abort();
  expect(await pending).toMatchObject({ code: "CANCELLED", retryable: false });
  expect(await failure(session.getVtxo(ID, { signal: stop.signal }))).toMatchObject({ code: "CANCELLED" });
  expect(server.seen).toHaveLength(3);
});

test("a call leaves no listener behind, however it ends", async () => {
  const [closing, stop] = [new AbortController(), new AbortController()];
  const caller = new Caller({ headers: {}, closed: closing.signal, timeoutMs: 1_000 });
  const { signal } = stop;
  await caller.unary("Good", async () => 1, { signal });
  await failure(caller.unary("Bad", async () => Promise.reject(new Error("no")), { signal }));
  await failure(caller.unary("Late", () => new Promise((_, reject) => setTimeout(reject, 20)), { signal, timeoutMs: 5 }));
  const stream = caller.subscription("Stream", async function* () {}, { signal });
  await failure(stream.next());
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  expect(getEventListeners(closing.signal, "abort")).toHaveLength(0);
});

test("an answer that is no protobuf is BAD_RESPONSE", async () => {
  await using server = await startServer({ readMailbox: async () => Uint8Array.of(0x0a, 0x7f, 1) });
  await using session = await connect(server);
  const page = session.readMailbox({ mailboxId: new Uint8Array(33), authorization: new Uint8Array(105), after: 0n });
  expect(await failure(page)).toMatchObject({ code: "BAD_RESPONSE", retryable: false });
});

test.each([
  [VtxoSpendState.VTXO_SPEND_STATE_UNSPECIFIED, "unspecified"],
  [VtxoSpendState.VTXO_SPEND_STATE_SPENDABLE, "spendable"],
  [VtxoSpendState.VTXO_SPEND_STATE_SPENT, "spent"],
  [VtxoSpendState.VTXO_SPEND_STATE_UNCLAIMED, "unclaimed"],
  [VtxoSpendState.VTXO_SPEND_STATE_UNREGISTERED, "unregistered"],
  [VtxoSpendState.VTXO_SPEND_STATE_HTLC_RECV_UNCLAIMED, "htlc-recv-unclaimed"],
  [99 as VtxoSpendState, "unspecified"],
])("spend state %i is %s", async (spendState, expected) => {
  await using server = await startServer({ ark: { getVtxoStatus: async () => ({ spendState }) } });
  await using session = await connect(server);
  expect(await session.getVtxoStatus(ID, new Uint8Array(64))).toBe(expected);
});

test("every request carries what it was given, ids in wire order", async () => {
  const seen: unknown[] = [];
  const wireId = decodeHex(`01${"ab".repeat(31)}07000000`);
  const take = (request: unknown) => {
    seen.push(request);
    return {};
  };
  await using server = await startServer({
    ark: {
      getVtxo: async (request) => ({ ...take(request), vtxo: Uint8Array.of(9, 9) }),
      getVtxoStatus: async (request) => take(request),
      registerVtxoTransactions: async (request) => take(request),
    },
    posts: { postArkoorMessage: async (request) => take(request), postRecoveryVtxoIds: async (request) => take(request) },
    readMailbox: async (request) => {
      take(request);
      return new Uint8Array();
    },
  });
  await using session = await connect(server);
  const [mailboxId, authorization, vtxo] = [new Uint8Array(33).fill(2), new Uint8Array(105).fill(3), Uint8Array.of(4)];
  const copy = await session.getVtxo(ID);
  expect(copy).toEqual(Uint8Array.of(9, 9));
  expect(copy).not.toBeInstanceOf(Buffer);
  await session.getVtxoStatus(ID, new Uint8Array(64).fill(5));
  await session.registerVtxoTransactions([vtxo, vtxo]);
  await session.postArkoorMessage(mailboxId, [vtxo]);
  await session.postRecoveryVtxoIds({ mailboxId, ids: [ID, ID], authorization });
  await session.readMailbox({ mailboxId, authorization, after: 2n ** 63n - 1n });
  expect(seen).toMatchObject([
    { vtxoId: Buffer.from(wireId) },
    { vtxoId: Buffer.from(wireId), attestation: Buffer.alloc(64, 5) },
    { vtxos: [Buffer.from(vtxo), Buffer.from(vtxo)] },
    { blindedId: Buffer.from(mailboxId), vtxos: [Buffer.from(vtxo)] },
    {
      mailboxId: Buffer.from(mailboxId),
      vtxoIds: [wireId, wireId].map((id) => Buffer.from(id)),
      authorization: Buffer.from(authorization),
    },
    { mailboxId: Buffer.from(mailboxId), authorization: Buffer.from(authorization), checkpoint: 2n ** 63n - 1n },
  ]);
});

test.each([-1n, 2n ** 63n])("a position of %s is refused before it is sent", async (after) => {
  await using server = await startServer();
  await using session = await connect(server);
  const page = session.readMailbox({ mailboxId: new Uint8Array(33), authorization: new Uint8Array(105), after });
  expect(await failure(page)).toMatchObject({ code: "BAD_OPTION" });
  expect(server.seen).toHaveLength(2);
});

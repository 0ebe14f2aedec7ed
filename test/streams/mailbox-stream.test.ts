import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ServerError, Status } from "nice-grpc-common";
import { lastValueFrom, take, toArray } from "rxjs";
import { expect, test } from "vitest";
import { equalBytes } from "../../ark/bytes.ts";
import type { MailboxRequest } from "../../proto/generated/mailbox_server.ts";
import { MAX_RECEIVE_BYTES } from "../../streams/channel.ts";
import { concatMapHeld } from "../../streams/credit.ts";
import { accept, startHttp2 } from "./http2-server.ts";
import { aborted, acceptCall, arkoorMessage, connect, startServer, until } from "./server.ts";
import { collect, MAILBOX, messages, serve, settle } from "./subscriber.ts";

test("nothing is called before somebody subscribes, and each subscription makes its own call with its own authorization", async () => {
  const requests: MailboxRequest[] = [];
  await using server = await serve(async function* (request, context) {
    requests.push(request);
    yield* messages(context, arkoorMessage(6n));
  });
  await using session = await connect(server);
  let made = 0;
  const authorization = () => new Uint8Array(105).fill(++made);
  const mailbox$ = session.mailbox$({ ...MAILBOX, authorization, after: 5n });
  await settle();
  expect([requests.length, made]).toEqual([0, 0]);
  for (const checkpoint of [6n, 6n]) {
    const first = await lastValueFrom(mailbox$.pipe(take(1)));
    expect(first.value.checkpoint).toBe(checkpoint);
  }
  expect(requests).toMatchObject([
    { checkpoint: 5n, mailboxId: Buffer.alloc(33, 2), authorization: Buffer.alloc(105, 1) },
    { checkpoint: 5n, authorization: Buffer.alloc(105, 2) },
  ]);
});

test("checkpoints above 2^53 are exact, both ways", async () => {
  const asked = 1_850_000_000_000_000_001n;
  const sent = [asked + 2n, 2n ** 63n - 1n, 2n ** 64n - 1n];
  let request: MailboxRequest | undefined;
  await using server = await serve(async function* (seen, context) {
    request = seen;
    yield* messages(context, ...sent.map((checkpoint) => arkoorMessage(checkpoint)));
  });
  await using session = await connect(server);
  const { held, ended } = collect(session, { after: asked });
  await ended;
  expect(request?.checkpoint).toBe(asked);
  expect(held.map(({ value }) => value.checkpoint)).toEqual(sent);
});

test("the bytes of every message are kept, of an unknown kind too", async () => {
  const unknown = new BinaryWriter()
    .tag(50, WireType.LengthDelimited)
    .bytes(Uint8Array.of(1, 2))
    .tag(2, WireType.Varint)
    .uint64(9n);
  const sent = [arkoorMessage(8n, Uint8Array.of(3)), unknown.finish()];
  await using server = await serve((_, context) => messages(context, ...sent));
  await using session = await connect(server);
  const { held, ended } = collect(session);
  await ended;
  expect(held.map(({ value }) => value.raw)).toEqual(sent);
  expect(held[1]?.value).toMatchObject({ checkpoint: 9n, content: { kind: "unknown", fieldNumbers: [50] } });
});

test("a message of 5 MiB passes, and so does a page of 10 MiB", async () => {
  const vtxo = new Uint8Array(5 * 1024 * 1024).fill(7);
  const big = arkoorMessage(1n, vtxo);
  const page = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .bytes(big)
    .tag(1, WireType.LengthDelimited)
    .bytes(big)
    .finish();
  await using server = await startServer({
    readMailbox: async () => page,
    subscribeMailbox: (_, context) => messages(context, big),
  });
  await using session = await connect(server);
  const { held, ended } = collect(session);
  await ended;
  const content = held[0]?.value.content;
  expect(content?.kind === "arkoor" && content.vtxos[0] && equalBytes(content.vtxos[0], vtxo)).toBe(true);
  const read = await session.readMailbox({ ...MAILBOX, authorization: new Uint8Array(105) });
  expect(read.messages.map(({ raw }) => raw.length)).toEqual([big.length, big.length]);
});

test("a message above the receive limit is MESSAGE_TOO_LARGE and is not received", async () => {
  await using server = await startHttp2((stream) => {
    accept(stream);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(MAX_RECEIVE_BYTES + 1, 1);
    stream.write(head);
  });
  await using session = await connect(server);
  expect(await collect(session).ended).toMatchObject({ code: "MESSAGE_TOO_LARGE", retryable: false });
});

test("a paused consumer holds the server back, and other calls still work", async () => {
  const message = arkoorMessage(1n, new Uint8Array(10_000));
  let sent = 0;
  await using server = await startServer({
    ark: { getVtxo: async () => ({ vtxo: Uint8Array.of(1) }) },
    subscribeMailbox: async function* (_, context) {
      acceptCall(context);
      for (; sent < 5_000; sent++) yield message;
    },
  });
  await using session = await connect(server);
  const { held, subscription } = collect(session, { places: 4 });
  await until(() => held.length === 4, "four messages");
  let stalledAt = -1;
  while (sent !== stalledAt) {
    stalledAt = sent;
    await settle(200);
  }
  expect(held).toHaveLength(4);
  expect(stalledAt).toBeLessThan(500);
  expect(await session.getVtxo(`${"00".repeat(32)}:0`)).toEqual(Uint8Array.of(1));
  subscription.unsubscribe();
});

test("64 messages are held at once unless another number is given", async () => {
  const all = Array.from({ length: 70 }, (_, i) => arkoorMessage(BigInt(i + 1)));
  await using server = await serve((_, context) => messages(context, ...all));
  await using session = await connect(server);
  const { held, subscription } = collect(session);
  await until(() => held.length >= 64, "64 messages");
  await settle();
  expect(held).toHaveLength(64);
  held[0]?.release();
  await until(() => held.length === 65, "the next one");
  subscription.unsubscribe();
});

test("a slow consumer gets every message, in order, one at a time", async () => {
  const count = 500;
  const all = Array.from({ length: count }, (_, i) => arkoorMessage(BigInt(i + 1), new Uint8Array(2_000)));
  await using server = await serve((_, context) => messages(context, ...all));
  await using session = await connect(server);
  let running = 0;
  const seen$ = session.mailbox$({ ...MAILBOX, places: 8 }).pipe(
    concatMapHeld(async (delivery) => {
      expect(++running).toBe(1);
      await Promise.resolve();
      running -= 1;
      return delivery.checkpoint;
    }),
    take(count),
    toArray(),
  );
  expect(await lastValueFrom(seen$)).toEqual(Array.from({ length: count }, (_, i) => BigInt(i + 1)));
});

test.each(["while it waits for a message", "while it holds the server back"])(
  "unsubscribing aborts the call at the server %s",
  async (when) => {
    let open = 0;
    await using server = await serve(async function* (_, context) {
      open += 1;
      acceptCall(context);
      try {
        if (when.includes("holds")) for (;;) yield arkoorMessage(1n, new Uint8Array(10_000));
        await aborted(context);
      } finally {
        open -= 1;
      }
    });
    await using session = await connect(server);
    const { held, subscription } = collect(session, { places: 2 });
    await until(() => open === 1 && (held.length === 2 || when.includes("waits")), "the open call");
    await settle();
    subscription.unsubscribe();
    await until(() => open === 0, "the end of the call at the server");
  },
);

test("onOpen says that the server accepted, before any message, and not when it refused", async () => {
  const order: string[] = [];
  await using server = await serve(async function* (request, context) {
    if (request.checkpoint === 1n) throw new ServerError(Status.INVALID_ARGUMENT, "no");
    acceptCall(context);
    await settle(30);
    yield arkoorMessage(1n);
  });
  await using session = await connect(server);
  const onOpen = () => order.push("open");
  const first = session.mailbox$({ ...MAILBOX, onOpen }).pipe(
    take(1),
    concatMapHeld(async () => order.push("message")),
  );
  await lastValueFrom(first);
  expect(order).toEqual(["open", "message"]);
  await collect(session, { after: 1n, onOpen }).ended;
  expect(order).toEqual(["open", "message"]);
});

test("a position below zero or above 2^63 − 1 is refused before it is sent", async () => {
  await using server = await startServer();
  await using session = await connect(server);
  for (const after of [-1n, 2n ** 63n]) {
    expect(await collect(session, { after }).ended).toMatchObject({ code: "BAD_OPTION", retryable: false });
  }
  expect(server.seen).toHaveLength(2);
});

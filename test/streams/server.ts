import { type CallContext, createServer, type ServiceImplementation } from "nice-grpc";
import { ServerError, type ServerMiddlewareCall, Status } from "nice-grpc-common";
import { expect } from "vitest";
import { publicKeyOf } from "../../ark/crypto.ts";
import { ArkInfo, ArkServiceDefinition } from "../../proto/generated/bark_server.ts";
import { MailboxMessage, MailboxRequest, MailboxServiceDefinition } from "../../proto/generated/mailbox_server.ts";
import { StreamError } from "../../streams/errors.ts";
import { openSession, type ServerSession, type SessionOptions } from "../../streams/session.ts";

// The mailbox as raw bytes, so that a test can send what our own schema cannot express.
const { postArkoorMessage, postRecoveryVtxoIds } = MailboxServiceDefinition.methods;
const rawReply = <Stream extends boolean>(name: string, responseStream: Stream) => ({
  path: `/mailbox_server.MailboxService/${name}`,
  requestStream: false as const,
  responseStream,
  requestSerialize: (request: MailboxRequest) => MailboxRequest.encode(request).finish(),
  requestDeserialize: (bytes: Uint8Array) => MailboxRequest.decode(bytes),
  responseSerialize: (bytes: Uint8Array) => bytes,
  responseDeserialize: (bytes: Uint8Array) => bytes,
  options: {},
});
const rawMailbox = {
  subscribeMailbox: rawReply("SubscribeMailbox", true),
  readMailbox: rawReply("ReadMailbox", false),
};
const posts = {
  name: "MailboxService",
  fullName: "mailbox_server.MailboxService",
  methods: { postArkoorMessage, postRecoveryVtxoIds },
};

/** Methods of a test server; what is not given answers UNIMPLEMENTED. */
export interface Handlers {
  ark?: Partial<ServiceImplementation<typeof ArkServiceDefinition>>;
  posts?: Partial<ServiceImplementation<typeof posts>>;
  readMailbox?: (request: MailboxRequest, context: CallContext) => Promise<Uint8Array>;
  subscribeMailbox?: (request: MailboxRequest, context: CallContext) => AsyncIterable<Uint8Array>;
}

/** A call as the server saw it. */
interface SeenCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly seen: SeenCall[];
  stop(): void;
}

export const SERVER_KEY = publicKeyOf(new Uint8Array(32).fill(1));
export const MAILBOX_KEY = publicKeyOf(new Uint8Array(32).fill(2));

type InfoChanges = Parameters<typeof ArkInfo.fromPartial>[0];

/** An honest ArkInfo, with changes. */
export function arkInfo(changes: InfoChanges = {}): ArkInfo {
  return ArkInfo.fromPartial({
    network: "regtest",
    serverPubkey: new Uint8Array(SERVER_KEY),
    mailboxPubkey: new Uint8Array(MAILBOX_KEY),
    roundIntervalSecs: 60,
    nbRoundNonces: 10,
    vtxoExitDelta: 12,
    vtxoExpiryDelta: 144,
    htlcSendExpiryDelta: 258,
    htlcExpiryDelta: 6,
    maxVtxoAmount: 21_000_000n,
    requiredBoardConfirmations: 3,
    maxUserInvoiceCltvDelta: 250,
    minBoardAmount: 20_000n,
    maxVtxoExitDepth: 5,
    maxOffboardInputs: 20,
    vtxoLifetime: 144,
    fees: { board: {}, offboard: {}, refresh: {}, lightningReceive: {}, lightningSend: {} },
    ...changes,
  });
}

/** Starts a server on a free port of this machine. */
export async function startServer(handlers: Handlers = {}): Promise<TestServer> {
  const seen: SeenCall[] = [];
  const server = createServer().use(async function* <Request, Response>(
    call: ServerMiddlewareCall<Request, Response>,
    context: CallContext,
  ) {
    const header = (name: string) => context.metadata.get(name)?.toString();
    seen.push({
      path: call.method.path,
      headers: { pver: header("pver"), userAgent: header("x-user-agent") },
    });
    return yield* call.next(call.request, context);
  });
  server.add(ArkServiceDefinition, {
    ...unimplemented<ServiceImplementation<typeof ArkServiceDefinition>>(Object.keys(ArkServiceDefinition.methods)),
    handshake: async () => ({ minProtocolVersion: 4n, maxProtocolVersion: 5n }),
    getArkInfo: async () => arkInfo(),
    ...handlers.ark,
  });
  server.add(posts, {
    ...unimplemented<ServiceImplementation<typeof posts>>(Object.keys(posts.methods)),
    ...handlers.posts,
  });
  server.add(rawMailbox, {
    readMailbox: handlers.readMailbox ?? (async () => new Uint8Array()),
    subscribeMailbox: handlers.subscribeMailbox ?? async function* () {},
  });
  const port = await server.listen("127.0.0.1:0");
  const stop = () => server.forceShutdown();
  return { port, url: `http://127.0.0.1:${port}`, seen, stop, [Symbol.asyncDispose]: async () => stop() };
}

function unimplemented<Service>(methods: readonly string[]): Service {
  const refuse = async (): Promise<never> => {
    throw new ServerError(Status.UNIMPLEMENTED, "not part of this test");
  };
  return Object.fromEntries(methods.map((method) => [method, refuse])) as Service;
}

/** Opens a session with a test server's defaults. */
export function connect(server: { readonly url: string }, options: Partial<SessionOptions> = {}): Promise<ServerSession> {
  return openSession({ serverUrl: server.url, network: "regtest", ...options });
}

/** Sends response headers at once, as the reference does. nice-grpc sends none while there is no header of ours. */
export function acceptCall(context: CallContext): void {
  context.header.set("x-accepted", "yes");
  context.sendHeader();
}

/** Resolves when the client is gone; an answer nobody waits for ends in order. */
export function aborted(context: CallContext): Promise<void> {
  return new Promise((resolve) => context.signal.addEventListener("abort", () => resolve()));
}

/** The {@link StreamError} that something fails with. */
export async function failure(attempt: Promise<unknown>): Promise<StreamError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StreamError);
  return error as StreamError;
}

/** The bytes of an arkoor message. */
export function arkoorMessage(checkpoint: bigint, ...vtxos: Uint8Array[]): Uint8Array {
  return MailboxMessage.encode({ checkpoint, message: { $case: "arkoor", value: { vtxos } } }).finish();
}

/** Resolves once the condition holds; fails after fifteen seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`expected ${what} within 15 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import { type Channel, type Client, createClient } from "nice-grpc";
import type { Observable } from "rxjs";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../ark/arkoor-request.ts";
import { equalBytes } from "../ark/bytes.ts";
import { encodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import { ArkInfo, ArkServiceDefinition, VtxoSpendState } from "../proto/generated/bark_server.ts";
import { MailboxServiceDefinition } from "../proto/generated/mailbox_server.ts";
import { decodeCosignResponses, encodeCosignRequests } from "./arkoor-wire.ts";
import { Caller, type CallOptions } from "./calls.ts";
import { CONNECT_TIMEOUT_MS, type ConnectionOptions, MAX_PAGE_BYTES, openChannel } from "./channel.ts";
import type { Held } from "./credit.ts";
import type { MailboxDelivery, MailboxPage } from "./delivery.ts";
import { StreamError } from "./errors.ts";
import { controllerForMany } from "./for-many.ts";
import { type LightningReceiveCalls, LightningReceiveClient } from "./lightning-receive.ts";
import { LightningSendCalls } from "./lightning-send.ts";
import { MailboxReader, type MailboxStreamOptions, type ReadMailboxOptions } from "./mailbox.stream.ts";
import { negotiateVersion } from "./protocol-version.ts";
import { convertServerInfo, type Network, type ServerInfo } from "./server-info.ts";
import { escapeServerText } from "./server-text.ts";
import { checkServerUrl } from "./server-url.ts";
import { checkUserAgent, DEFAULT_USER_AGENT, HANDSHAKE_VERSION } from "./user-agent.ts";

/** How to connect to a server. */
export interface SessionOptions extends ConnectionOptions {
  /** `https://…`, or a host with an optional port, which means the same; `http://…` on this machine. */
  readonly serverUrl: string;
  /** The wallet's network: a server of another one is refused. */
  readonly network: Network;
  /** `<name>/<version>` of the application; Heartwood's own unless given. */
  readonly userAgent?: string;
  /** Cancels the opening; later calls take their own signals. */
  readonly signal?: AbortSignal;
  /** Allows `http` to another machine. */
  readonly allowPlaintext?: boolean;
  /** Default deadline of single calls; 30 s unless given. */
  readonly callTimeoutMs?: number;
}

/** The server's word about a VTXO (mailbox.md §1.3, VtxoSpendState); `unspecified` is no usable answer. */
export type VtxoStatus = "spendable" | "spent" | "unclaimed" | "unregistered" | "htlc-recv-unclaimed" | "unspecified";

/** A connection to a server whose version, network and information were checked. */
export interface ServerSession extends AsyncDisposable {
  readonly info: ServerInfo;
  /** Negotiated version, 4 or 5 (mailbox.md §2.2). */
  readonly protocolVersion: number;
  /** The operator's announcement, escaped, to be shown to the user. */
  readonly announcement: string | undefined;
  /** The server's clock as its first answers told it, Unix milliseconds; undefined if they did not (mailbox.md W-31). */
  readonly serverDateMs: number | undefined;
  /** The calls of payments that come in over Lightning. */
  readonly lightningReceive: LightningReceiveCalls;

  /**
   * Whether a new session would begin as this one did: with the same version, keys and terms of the server (mailbox.md W-38).
   *
   * @throws StreamError as {@link openSession}, but for the network
   */
  isCurrent(options?: CallOptions): Promise<boolean>;
  /** The server's copy of a VTXO: unverified bytes, not even of that id (mailbox.md M-69). */
  getVtxo(id: VtxoId, options?: CallOptions): Promise<Uint8Array>;
  /** `attestation`: the 64-byte signature of mailbox.md §3.8. */
  getVtxoStatus(id: VtxoId, attestation: Uint8Array, options?: CallOptions): Promise<VtxoStatus>;
  /** All or nothing, idempotent; the request must stay below 4 MiB (mailbox.md §3.8, W-39). */
  registerVtxoTransactions(vtxos: readonly Uint8Array[], options?: CallOptions): Promise<void>;
  /** Has a package of arkoor transactions cosigned: idempotent, with fresh nonces each time (arkoor.md §9, §10.2). */
  requestArkoorCosign(parts: readonly ArkoorCosignRequest[], options?: CallOptions): Promise<readonly ArkoorCosignResponse[]>;
  /** The calls of Lightning payments (lightning.md §8). */
  readonly lightningSend: Pick<LightningSendCalls, keyof LightningSendCalls>;
  /** Delivers 1 to 100 VTXOs to the mailbox of their owner (mailbox.md §3.7). */
  postArkoorMessage(blindedId: Uint8Array, vtxos: readonly Uint8Array[], options?: CallOptions): Promise<void>;
  /** Backs up 1 to 20 ids (mailbox.md §3.7). */
  postRecoveryVtxoIds(post: RecoveryPost, options?: CallOptions): Promise<void>;
  /** One page of a mailbox (mailbox.md §3.5). */
  readMailbox(read: ReadMailboxOptions, options?: CallOptions): Promise<MailboxPage>;
  /** The subscription to a mailbox; see {@link MailboxReader.messages$}. */
  mailbox$(options: MailboxStreamOptions): Observable<Held<MailboxDelivery>>;
  /** Fails what is under way with `SESSION_CLOSED` and closes the connection; a second call does nothing. */
  close(): Promise<void>;
}

/** A chunk of a wallet's backup list. */
interface RecoveryPost {
  /** 33 bytes, the recovery mailbox. */
  readonly mailboxId: Uint8Array;
  readonly ids: readonly VtxoId[];
  /** 105 bytes, for the recovery mailbox. */
  readonly authorization: Uint8Array;
}

const CALL_TIMEOUT_MS = 30_000;

/**
 * Connects to a server: handshake, version, information, network (mailbox.md C-1 to C-9). Keys are not pinned here.
 *
 * @throws StreamError `BAD_URL`, `PLAINTEXT_REFUSED`, `BAD_OPTION`; `SERVER_UNREACHABLE`, also when the handshake
 * takes longer than `connectTimeoutMs`; `SERVER_TOO_OLD`, `CLIENT_TOO_OLD`, `SERVER_WRONG_NETWORK`,
 * `SERVER_BAD_INFO`; `CANCELLED`; any code of a call
 */
export async function openSession(options: SessionOptions): Promise<ServerSession> {
  const address = checkServerUrl(options.serverUrl, { allowPlaintext: options.allowPlaintext ?? false });
  const userAgent = checkUserAgent(options.userAgent ?? DEFAULT_USER_AGENT);
  const closing = controllerForMany();
  let serverDateMs: number | undefined;
  const first = new Caller({
    headers: { "x-user-agent": userAgent },
    closed: closing.signal,
    timeoutMs: options.callTimeoutMs ?? CALL_TIMEOUT_MS,
    onDate: (serverMs) => {
      serverDateMs = serverMs;
    },
  });
  const channel = openChannel(address, options);
  try {
    const ark = createClient(ArkServiceDefinition, channel);
    const greet = (signal: AbortSignal | undefined) => introduce(ark, first, address.url, { ...options, signal });
    const introduction = await greet(options.signal);
    const info = checkNetwork(convertServerInfo(introduction.info), options.network);
    // The limit is one of the channel, so pages have their own; it dials with the first page.
    const pageChannel = openChannel(address, options, MAX_PAGE_BYTES);
    return new GrpcSession({ channel, pageChannel, closing, ark, greet, introduction, info, serverDateMs });
  } catch (error) {
    channel.close();
    throw error;
  }
}

type ArkClient = Client<typeof ArkServiceDefinition>;
type Greeting = Pick<ServerSession, "protocolVersion" | "announcement">;
type GreetingOptions = Omit<SessionOptions, "signal"> & { readonly signal: AbortSignal | undefined };

/** What a server says of itself at the beginning, and who speaks with it from then on. */
interface Introduction extends Greeting {
  readonly caller: Caller;
  readonly info: ArkInfo;
}

async function introduce(ark: ArkClient, first: Caller, url: string, options: GreetingOptions): Promise<Introduction> {
  const greeting = await handshake(ark, first, url, options);
  const caller = first.withHeaders({ pver: String(greeting.protocolVersion) });
  const info = await caller.unary("GetArkInfo", (call) => ark.getArkInfo({}, call), { signal: options.signal });
  return { ...greeting, caller, info };
}

async function handshake(ark: ArkClient, caller: Caller, url: string, options: GreetingOptions): Promise<Greeting> {
  const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  try {
    const greet = caller.unary("Handshake", (call) => ark.handshake({ barkVersion: HANDSHAKE_VERSION }, call), {
      signal: options.signal,
      timeoutMs,
    });
    const answer = await greet;
    return {
      protocolVersion: negotiateVersion({ min: answer.minProtocolVersion, max: answer.maxProtocolVersion }),
      announcement: answer.psa === undefined || answer.psa === "" ? undefined : escapeServerText(answer.psa),
    };
  } catch (cause) {
    if (!(cause instanceof StreamError) || cause.code !== "DEADLINE") throw cause;
    const message = `expected a handshake with ${url} within ${timeoutMs} ms, got none`;
    throw new StreamError("SERVER_UNREACHABLE", message, { retryable: true, cause });
  }
}

function checkNetwork(info: ServerInfo, expected: Network): ServerInfo {
  if (info.network !== expected) {
    throw new StreamError("SERVER_WRONG_NETWORK", `expected a server on ${expected}, got one on ${info.network}`);
  }
  return info;
}

interface GrpcSessionParts {
  readonly channel: Channel;
  readonly pageChannel: Channel;
  readonly closing: AbortController;
  readonly ark: ArkClient;
  readonly greet: (signal: AbortSignal | undefined) => Promise<Introduction>;
  readonly introduction: Introduction;
  readonly info: ServerInfo;
  readonly serverDateMs: number | undefined;
}

class GrpcSession implements ServerSession {
  readonly info: ServerInfo;
  readonly protocolVersion: number;
  readonly announcement: string | undefined;
  readonly serverDateMs: number | undefined;
  readonly lightningReceive: LightningReceiveCalls;
  readonly lightningSend: LightningSendCalls;
  readonly #channel: Channel;
  readonly #pageChannel: Channel;
  readonly #closing: AbortController;
  readonly #caller: Caller;
  readonly #ark: ArkClient;
  readonly #mailbox: Client<typeof MailboxServiceDefinition>;
  readonly #reader: MailboxReader;
  readonly #greet: GrpcSessionParts["greet"];
  readonly #introduction: Introduction;

  constructor(parts: GrpcSessionParts) {
    this.info = parts.info;
    this.serverDateMs = parts.serverDateMs;
    this.#greet = parts.greet;
    this.#introduction = parts.introduction;
    const { caller, protocolVersion, announcement } = parts.introduction;
    this.protocolVersion = protocolVersion;
    this.announcement = announcement;
    this.#channel = parts.channel;
    this.#pageChannel = parts.pageChannel;
    this.#closing = parts.closing;
    this.#caller = caller;
    this.#ark = parts.ark;
    this.lightningReceive = new LightningReceiveClient(parts.ark, caller);
    this.#mailbox = createClient(MailboxServiceDefinition, parts.channel);
    this.lightningSend = new LightningSendCalls(parts.ark, caller);
    this.#reader = new MailboxReader(parts.channel, parts.pageChannel, caller);
  }

  async isCurrent({ signal }: CallOptions = {}): Promise<boolean> {
    const { protocolVersion, info } = await this.#greet(signal);
    const encoded = ArkInfo.encode(info).finish();
    return protocolVersion === this.protocolVersion && equalBytes(encoded, ArkInfo.encode(this.#introduction.info).finish());
  }

  async getVtxo(id: VtxoId, options?: CallOptions): Promise<Uint8Array> {
    const request = { vtxoId: encodeVtxoId(id) };
    const { vtxo } = await this.#caller.unary("GetVtxo", (call) => this.#ark.getVtxo(request, call), options);
    return new Uint8Array(vtxo);
  }

  async getVtxoStatus(id: VtxoId, attestation: Uint8Array, options?: CallOptions): Promise<VtxoStatus> {
    const request = { vtxoId: encodeVtxoId(id), attestation };
    const answer = await this.#caller.unary("GetVtxoStatus", (call) => this.#ark.getVtxoStatus(request, call), options);
    return vtxoStatus(answer.spendState);
  }

  async registerVtxoTransactions(vtxos: readonly Uint8Array[], options?: CallOptions): Promise<void> {
    const request = { vtxos: [...vtxos] };
    const run = this.#ark.registerVtxoTransactions;
    await this.#caller.unary("RegisterVtxoTransactions", (call) => run(request, call), options);
  }

  async requestArkoorCosign(
    parts: readonly ArkoorCosignRequest[],
    options?: CallOptions,
  ): Promise<readonly ArkoorCosignResponse[]> {
    const request = { parts: encodeCosignRequests(parts) };
    const run = this.#ark.requestArkoorCosign;
    return decodeCosignResponses(await this.#caller.unary("RequestArkoorCosign", (call) => run(request, call), options));
  }

  async postArkoorMessage(blindedId: Uint8Array, vtxos: readonly Uint8Array[], options?: CallOptions): Promise<void> {
    const request = { blindedId, vtxos: [...vtxos] };
    const run = this.#mailbox.postArkoorMessage;
    await this.#caller.unary("PostArkoorMessage", (call) => run(request, call), options);
  }

  async postRecoveryVtxoIds(post: RecoveryPost, options?: CallOptions): Promise<void> {
    const { mailboxId, authorization } = post;
    const request = { mailboxId, authorization, vtxoIds: post.ids.map(encodeVtxoId) };
    const run = this.#mailbox.postRecoveryVtxoIds;
    await this.#caller.unary("PostRecoveryVtxoIds", (call) => run(request, call), options);
  }

  readMailbox(read: ReadMailboxOptions, options?: CallOptions): Promise<MailboxPage> {
    return this.#reader.page(read, options);
  }

  mailbox$(options: MailboxStreamOptions): Observable<Held<MailboxDelivery>> {
    return this.#reader.messages$(options);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new StreamError("SESSION_CLOSED", "expected an open session, got a closed one"));
    this.#channel.close();
    this.#pageChannel.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function vtxoStatus(state: VtxoSpendState): VtxoStatus {
  switch (state) {
    case VtxoSpendState.VTXO_SPEND_STATE_SPENDABLE:
      return "spendable";
    case VtxoSpendState.VTXO_SPEND_STATE_SPENT:
      return "spent";
    case VtxoSpendState.VTXO_SPEND_STATE_UNCLAIMED:
      return "unclaimed";
    case VtxoSpendState.VTXO_SPEND_STATE_UNREGISTERED:
      return "unregistered";
    case VtxoSpendState.VTXO_SPEND_STATE_HTLC_RECV_UNCLAIMED:
      return "htlc-recv-unclaimed";
    default:
      return "unspecified";
  }
}

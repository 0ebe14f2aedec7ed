import { type Channel, type Client, createClient, type MethodDefinition } from "nice-grpc";
import type { Observable } from "rxjs";
import { MailboxRequest, MailboxServiceDefinition } from "../proto/generated/mailbox_server.ts";
import type { Caller, CallOptions } from "./calls.ts";
import { type Held, heldFrom } from "./credit.ts";
import { decodeDelivery, decodePage, type MailboxDelivery, type MailboxPage } from "./delivery.ts";
import { StreamError } from "./errors.ts";

/** Where to read a mailbox from. */
export interface ReadMailboxOptions {
  /** 33 bytes. */
  readonly mailboxId: Uint8Array;
  /** 105 bytes (mailbox.md M-3). */
  readonly authorization: Uint8Array;
  /** Only messages strictly after this position, 0 … 2^63 − 1: a server reads more as a negative number. */
  readonly after: bigint;
}

/** How to subscribe to a mailbox. */
export interface MailboxStreamOptions extends Omit<ReadMailboxOptions, "authorization"> {
  /** Makes a fresh authorization, once for each subscription (mailbox.md M-4). */
  readonly authorization: () => Uint8Array;
  /** Most messages held at once; 64 unless given. */
  readonly places?: number;
  /** Most bytes held at once; 64 MiB unless given. A larger message is let through alone. */
  readonly maxBytes?: number;
  /**
   * Called when the server accepted the subscription: its response headers came. The reference sends them
   * at once, other servers only with the first message: it says that the stream is open, its absence nothing.
   */
  readonly onOpen?: () => void;
}

const PLACES = 64;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_CHECKPOINT = 2n ** 63n - 1n;

const { subscribeMailbox, readMailbox } = MailboxServiceDefinition.methods;

// The generated decoders drop unknown members of a oneof, bytes and all, so these calls answer with raw bytes.
const rawMailbox = {
  subscribeMailbox: rawResponse(subscribeMailbox.name, true),
  readMailbox: rawResponse(readMailbox.name, false),
} as const;

/** Reads a mailbox with raw bytes kept beside every message. */
export class MailboxReader {
  readonly #client: Client<typeof rawMailbox>;
  readonly #pages: Client<typeof rawMailbox>;
  readonly #caller: Caller;

  constructor(channel: Channel, pageChannel: Channel, caller: Caller) {
    this.#client = createClient(rawMailbox, channel);
    this.#pages = createClient(rawMailbox, pageChannel);
    this.#caller = caller;
  }

  /**
   * One page (mailbox.md §3.5).
   *
   * @throws StreamError any code of a call; `BAD_RESPONSE`, `BAD_OPTION`
   */
  async page(read: ReadMailboxOptions, options?: CallOptions): Promise<MailboxPage> {
    const request = { mailboxId: read.mailboxId, authorization: read.authorization, checkpoint: checkPosition(read.after) };
    return decodePage(await this.#caller.unary("ReadMailbox", (call) => this.#pages.readMailbox(request, call), options));
  }

  /**
   * The subscription (mailbox.md §3.6) as a cold observable: nothing is opened until subscribed, the call is
   * aborted on unsubscribe, and the next message is pulled only when a place is free.
   *
   * It never completes. Errors with StreamError: any code of a call; `STREAM_ENDED` when the server ended it in
   * order; `BAD_RESPONSE`, `BAD_OPTION`.
   */
  messages$(options: MailboxStreamOptions): Observable<Held<MailboxDelivery>> {
    return heldFrom((signal) => this.#messages(options, signal), {
      places: options.places ?? PLACES,
      maxBytes: options.maxBytes ?? MAX_BYTES,
      sizeOf: (delivery) => delivery.raw.length,
    });
  }

  async *#messages(options: MailboxStreamOptions, signal: AbortSignal): AsyncGenerator<MailboxDelivery> {
    const { mailboxId, authorization, after, onOpen } = options;
    const request = { mailboxId, authorization: authorization(), checkpoint: checkPosition(after) };
    const stream = this.#caller.subscription("SubscribeMailbox", (call) => this.#client.subscribeMailbox(request, call), {
      signal,
      onOpen,
    });
    for await (const raw of stream) yield decodeDelivery(raw);
  }
}

function checkPosition(after: bigint): bigint {
  if (after < 0n || after > MAX_CHECKPOINT) {
    throw new StreamError("BAD_OPTION", `expected a position of 0 … 2^63 − 1, got ${after}`);
  }
  return after;
}

function rawResponse<Stream extends boolean>(
  name: string,
  responseStream: Stream,
): MethodDefinition<MailboxRequest, MailboxRequest, Uint8Array, Uint8Array, false, Stream> {
  return {
    path: `/${MailboxServiceDefinition.fullName}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: (request) => MailboxRequest.encode(request).finish(),
    requestDeserialize: (bytes) => MailboxRequest.decode(bytes),
    responseSerialize: (bytes) => bytes,
    responseDeserialize: (bytes) => bytes,
    options: {},
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import type { CallContext, ServiceImplementation } from "nice-grpc";
import { ServerError, Status } from "nice-grpc-common";
import { encodeHex } from "../ark/hex.ts";
import { decodeVtxoId } from "../ark/vtxo-id.ts";
import type { Empty } from "../proto/generated/core.ts";
import type { MailboxRequest, PostArkoorMessageRequest, PostRecoveryVtxoIdsRequest } from "../proto/generated/mailbox_server.ts";
import type { ServerTerms } from "./ark-info.ts";
import { readArkoorPost } from "./arkoor-post.ts";
import type { Faults } from "./faults.ts";
import { authorizeMailbox, checkAuthorization, checkMailboxId } from "./mailbox-authorization.ts";
import type { MailboxPage, MailboxStore } from "./mailbox-store.ts";
import type { RawMailboxPage, RawMailboxServiceDefinition } from "./mailbox-wire.ts";
import { badInput, internal, orBadInput } from "./rpc-status.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { Subscription, Subscriptions } from "./subscriptions.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

const MOST_RECOVERY_IDS = 20;

/** What the mailbox service stands on. */
export interface MailboxServiceParts {
  readonly keys: ServerKeys;
  readonly ledger: VtxoLedger;
  readonly terms: ServerTerms;
  readonly store: MailboxStore;
  readonly subscriptions: Subscriptions;
  readonly faults: Faults;
  /** Rows in a page unless a fault says otherwise. */
  readonly pageLimit: number;
  readonly nowMs: () => number;
}

/** `mailbox_server.MailboxService` with the semantics of mailbox.md §3.2 to §3.7. */
export class MailboxService implements ServiceImplementation<typeof RawMailboxServiceDefinition> {
  readonly #parts: MailboxServiceParts;

  constructor(parts: MailboxServiceParts) {
    this.#parts = parts;
  }

  async readMailbox(request: MailboxRequest): Promise<RawMailboxPage> {
    const mailboxId = encodeHex(authorizeMailbox(request, this.#parts.nowMs()));
    const page = this.#page(mailboxId, this.#parts.faults.repeatPages ? 0n : signed(request.checkpoint));
    return { messages: page.messages.map((message) => message.bytes), haveMore: this.#haveMore(page) };
  }

  async *subscribeMailbox(request: MailboxRequest, context: CallContext): AsyncIterable<Uint8Array> {
    const mailboxId = encodeHex(authorizeMailbox(request, this.#parts.nowMs()));
    const subscription = this.#parts.subscriptions.open(mailboxId);
    try {
      let sent = 0;
      for await (const message of this.#follow(subscription, request.checkpoint, context.signal)) {
        const { streamPaceMs, messagesPerStream } = this.#parts.faults;
        if (streamPaceMs > 0) await sleep(streamPaceMs, undefined, { signal: context.signal });
        yield message;
        sent++;
        if (messagesPerStream !== null && sent >= messagesPerStream) throw new ServerError(Status.UNAVAILABLE, "simulated reset");
      }
    } finally {
      this.#parts.subscriptions.close(subscription);
    }
  }

  async postArkoorMessage(request: PostArkoorMessageRequest): Promise<Empty> {
    await this.post(request);
    return {};
  }

  /**
   * {@link postArkoorMessage} with the position of the new message, which the wire does not tell.
   *
   * @returns `null` if every VTXO was in a mailbox already.
   * @throws ServerError
   */
  async post(request: PostArkoorMessageRequest): Promise<bigint | null> {
    const { keys, ledger, store, terms } = this.#parts;
    const { release } = terms;
    const { mailboxId, vtxos } = readArkoorPost(request, { mailboxSecretKey: keys.mailboxSecretKey, ledger, release });
    return store.post(
      encodeHex(mailboxId),
      vtxos.map(({ id, bytes }) => ({ kind: "arkoor-receive", key: id, bytes })),
    );
  }

  async postRecoveryVtxoIds(request: PostRecoveryVtxoIdsRequest): Promise<Empty> {
    const { ledger, store, nowMs } = this.#parts;
    if (request.vtxoIds.length > MOST_RECOVERY_IDS) {
      throw badInput(`expected at most ${MOST_RECOVERY_IDS} ids, got ${request.vtxoIds.length}`);
    }
    const ids = request.vtxoIds.map((bytes) => orBadInput("invalid vtxo id", () => ({ id: decodeVtxoId(bytes), bytes })));
    if (ids.length === 0) throw badInput("expected at least one id, got none");
    const mailboxId = checkMailboxId(request.mailboxId);
    if (request.authorization !== undefined) checkAuthorization(request.authorization, mailboxId, nowMs());
    const unknown = ids.find(({ id }) => !ledger.has(id));
    if (unknown) throw internal(`no VTXO ${unknown.id}`);
    store.post(
      encodeHex(mailboxId),
      ids.map(({ id, bytes }) => ({ kind: "recovery-vtxo-id", key: id, bytes: Uint8Array.from(bytes) })),
    );
    return {};
  }

  /** The loop of mailbox.md §3.6: catch up, then read again at each notice. */
  async *#follow(subscription: Subscription, checkpoint: bigint, signal: AbortSignal): AsyncIterable<Uint8Array> {
    let readAfter = signed(checkpoint);
    let lastEmitted = checkpoint;
    for (;;) {
      let page: MailboxPage;
      do {
        page = this.#page(subscription.mailboxId, readAfter);
        for (const message of page.messages) {
          if (subscription.closing) break;
          yield message.bytes;
          readAfter = message.checkpoint;
          lastEmitted = message.checkpoint;
        }
      } while (page.messages.length >= this.#pageLimit() && !subscription.closing);

      let wake = await subscription.next(lastEmitted, signal);
      for (; wake.kind === "inject"; wake = await subscription.next(lastEmitted, signal)) yield wake.bytes;
      if (wake.kind === "end") return;
      if (wake.kind === "cut") throw new ServerError(wake.status, "simulated break of the stream");
    }
  }

  #pageLimit(): number {
    return this.#parts.faults.pageLimit ?? this.#parts.pageLimit;
  }

  #page(mailboxId: string, after: bigint): MailboxPage {
    return this.#parts.store.page(mailboxId, after, this.#pageLimit());
  }

  /** The reference compares messages with a limit that counts rows, so it can answer false too early. */
  #haveMore(page: MailboxPage): boolean {
    const rule = this.#parts.faults.haveMore;
    return rule === "reference" ? page.messages.length >= this.#pageLimit() : rule === "always";
  }
}

/** The server casts a position to a signed number: one with the top bit set asks for everything (mailbox.md §3.3). */
function signed(checkpoint: bigint): bigint {
  return BigInt.asIntN(64, checkpoint);
}

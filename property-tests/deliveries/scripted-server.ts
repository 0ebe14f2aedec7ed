import { readableVtxoId } from "../../ark/accept.ts";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../../ark/arkoor-request.ts";
import { equalBytes } from "../../ark/bytes.ts";
import { encodeVtxoId, type VtxoId } from "../../ark/vtxo-id.ts";
import { encodeMessage } from "../../simulator/index.ts";
import { heldFrom } from "../../streams/credit.ts";
import { decodeDelivery, type MailboxDelivery } from "../../streams/delivery.ts";
import { StreamError, type StreamErrorCode } from "../../streams/errors.ts";
import type { LightningReceiveCalls } from "../../streams/lightning-receive.ts";
import type { ServerSession, VtxoStatus } from "../../streams/session.ts";
import type { Fate } from "./fate.ts";
import { copyOf, type Pool, type PoolVtxo } from "./pool.ts";

/** A message of the wallet's mailbox. */
export interface Entry {
  readonly checkpoint: bigint;
  readonly raw: Uint8Array;
  /** VTXO encodings of a package, undefined for another kind. */
  readonly vtxos: readonly Uint8Array[] | undefined;
}

/** A call that will fail. */
export interface CallFault {
  readonly code: StreamErrorCode;
  /** The call is carried out, and only its answer is lost. */
  readonly replyLost: boolean;
  /** Whether it waits for a call that changes something at the server. */
  readonly isForCommand: boolean;
}

/** The part of a server that sees to payments in, without its network. */
export type ReceiveDesk = {
  [Call in keyof LightningReceiveCalls]: (
    request: Parameters<LightningReceiveCalls[Call]>[0],
  ) => Awaited<ReturnType<LightningReceiveCalls[Call]>>;
};

/** Who watches what the wallet makes the server do. */
export interface ServerWatch {
  onRegister(ids: readonly (VtxoId | undefined)[]): void;
  onRecoveryPost(ids: readonly VtxoId[]): void;
}

const deliveries = new WeakMap<Uint8Array, MailboxDelivery>();

/** What a wallet reads of a message, read once however often it is sent. */
function deliveryOf(raw: Uint8Array): MailboxDelivery {
  const known = deliveries.get(raw) ?? decodeDelivery(raw);
  deliveries.set(raw, known);
  return known;
}

/** A server in the process of the test: one wallet's mailbox, and every fault that a run asks for. */
export class ScriptedServer {
  isUp = true;
  /** Whether it answers no question about a VTXO. */
  isMute = false;
  /** Whether it knows the VTXOs of role `late` by now. */
  learned = false;
  readonly faults: CallFault[] = [];
  /** VTXOs about which it fails whenever it is asked. */
  readonly poisoned = new Set<VtxoId>();
  /** In the order of the checkpoints. */
  readonly mailbox: Entry[] = [];
  /** Who sees to payments in, if somebody does. */
  desk: ReceiveDesk | undefined;
  readonly registered = new Set<VtxoId>();
  readonly backedUp = new Set<VtxoId>();
  readonly #pool: Pool;
  readonly #pageRows: number;
  readonly #watch: ServerWatch;
  readonly #byId: ReadonlyMap<VtxoId, PoolVtxo>;
  #sessions = new Set<Session>();

  constructor(pool: Pool, pageRows: number, watch: ServerWatch) {
    this.#pool = pool;
    this.#pageRows = pageRows;
    this.#watch = watch;
    this.#byId = new Map(pool.vtxos.map((vtxo) => [vtxo.id, vtxo]));
  }

  /** Opens a session for one process. */
  async connect(fate: Fate): Promise<ServerSession> {
    await fate.boundary();
    if (!this.isUp) throw failure("SERVER_UNREACHABLE");
    const fault = this.nextFault(false);
    if (fault !== undefined) throw failure(fault.code);
    const session = new Session(this, fate, this.#pool);
    this.#sessions.add(session);
    return session;
  }

  /** Keeps a message, in its place. */
  keep(entry: Entry): void {
    const after = this.mailbox.findIndex(({ checkpoint }) => checkpoint > entry.checkpoint);
    this.mailbox.splice(after < 0 ? this.mailbox.length : after, 0, entry);
  }

  /** Emits a message on every open stream; false if there is none. */
  emit(entry: Entry): boolean {
    const streams = [...this.#sessions].flatMap(({ streams }) => [...streams]);
    for (const stream of streams) stream.push(entry);
    return streams.length > 0;
  }

  /** Ends every stream; false if there is none. */
  endStreams(code: StreamErrorCode): boolean {
    const streams = [...this.#sessions].flatMap(({ streams }) => [...streams]);
    for (const stream of streams) stream.end(failure(code));
    return streams.length > 0;
  }

  /** Loses every connection. */
  disconnect(): void {
    this.endStreams("STREAM_RESET");
    this.#sessions = new Set();
  }

  /** Takes the first fault that fits a call. */
  nextFault(isCommand: boolean): CallFault | undefined {
    const index = this.faults.findIndex(({ isForCommand }) => isCommand || !isForCommand);
    return index < 0 ? undefined : this.faults.splice(index, 1)[0];
  }

  isOpen(session: Session): boolean {
    return this.#sessions.has(session);
  }

  forget(session: Session): void {
    this.#sessions.delete(session);
  }

  /** Whole messages after a position, as many rows as a page holds; the last one may be cut (mailbox.md §3.5). */
  page(after: bigint): { readonly entries: readonly Entry[]; readonly haveMore: boolean } {
    const entries: Entry[] = [];
    let rows = 0;
    for (const entry of this.mailbox.filter(({ checkpoint }) => checkpoint > after)) {
      if (rows === this.#pageRows) break;
      const room = this.#pageRows - rows;
      entries.push(entry.vtxos === undefined || entry.vtxos.length <= room ? entry : cut(entry, room));
      rows += Math.min(room, Math.max(1, entry.vtxos?.length ?? 1));
    }
    // A hint that is wrong both ways.
    return { entries, haveMore: this.mailbox.length % 2 === 0 };
  }

  copy(id: VtxoId): Uint8Array {
    if (this.isMute || this.poisoned.has(id)) throw failure("DEADLINE");
    const vtxo = this.#known(id);
    return vtxo.role === "unregistered" && !this.registered.has(id) ? copyOf(vtxo, "missing-signature") : vtxo.bytes;
  }

  status(id: VtxoId): VtxoStatus {
    if (this.isMute || this.poisoned.has(id)) throw failure("DEADLINE");
    const { role } = this.#known(id);
    if (role === "spent") return "spent";
    return role === "unregistered" && !this.registered.has(id) ? "unregistered" : "spendable";
  }

  register(vtxos: readonly Uint8Array[]): void {
    const ids = vtxos.map(readableVtxoId);
    this.#watch.onRegister(ids);
    for (const id of ids) this.registered.add(this.#known(id ?? "").id);
  }

  backUp(ids: readonly VtxoId[]): void {
    this.#watch.onRecoveryPost(ids);
    for (const id of ids) this.backedUp.add(this.#known(id).id);
  }

  /** Cosigns a package; one that receives only does not. */
  cosign(_parts: readonly ArkoorCosignRequest[]): readonly ArkoorCosignResponse[] {
    throw failure("SERVER_REFUSED");
  }

  /** Takes a payment for a mailbox. */
  deliver(_blindedId: Uint8Array, _vtxos: readonly Uint8Array[]): void {
    throw failure("SERVER_REFUSED");
  }

  #known(id: VtxoId): PoolVtxo {
    const vtxo = this.#byId.get(id);
    if (vtxo === undefined || vtxo.role === "other-server" || (vtxo.role === "late" && !this.learned)) {
      throw new StreamError("SERVER_NOT_FOUND", `expected a VTXO of this server, got ${id}`, { identifiers: [id] });
    }
    return vtxo;
  }
}

/** The messages of one subscription. */
class Stream {
  readonly #queue: Entry[] = [];
  #error: StreamError | undefined;
  #wake: () => void = () => {};

  push(entry: Entry): void {
    this.#queue.push(entry);
    this.#wake();
  }

  end(error: StreamError): void {
    this.#error ??= error;
    this.#wake();
  }

  async *entries(fate: Fate, signal: AbortSignal) {
    signal.addEventListener("abort", () => this.end(failure("CANCELLED")), { once: true });
    for (;;) {
      await fate.boundary();
      const entry = this.#queue.shift();
      if (entry !== undefined) yield deliveryOf(entry.raw);
      else if (this.#error !== undefined) throw this.#error;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Nobody pays in these tests. */
async function refuse(): Promise<never> {
  throw failure("SERVER_REFUSED");
}

class Session implements ServerSession {
  readonly protocolVersion = 5;
  readonly announcement = undefined;
  readonly serverDateMs = undefined;
  readonly streams = new Set<Stream>();
  readonly info;
  readonly #recoveryMailboxId: Uint8Array;
  readonly #server: ScriptedServer;
  readonly #fate: Fate;

  constructor(server: ScriptedServer, fate: Fate, { info, keys }: Pool) {
    this.#recoveryMailboxId = keys.recoveryMailboxId;
    this.#server = server;
    this.#fate = fate;
    this.info = info;
  }

  async isCurrent(): Promise<boolean> {
    return true;
  }

  getVtxo(id: VtxoId): Promise<Uint8Array> {
    return this.#call(() => this.#server.copy(id));
  }

  getVtxoStatus(id: VtxoId): Promise<VtxoStatus> {
    return this.#call(() => this.#server.status(id));
  }

  registerVtxoTransactions(vtxos: readonly Uint8Array[]): Promise<void> {
    return this.#call(() => this.#server.register(vtxos), true);
  }

  postRecoveryVtxoIds({ ids }: { readonly ids: readonly VtxoId[] }): Promise<void> {
    return this.#call(() => this.#server.backUp(ids), true);
  }

  /** Payments that come in over Lightning, at a server that has some. */
  readonly lightningReceive: LightningReceiveCalls = {
    start: (start) => this.#call(() => this.#desk.start(start), true),
    check: (paymentHash) => this.#call(() => this.#desk.check(paymentHash)),
    prepare: (request) => this.#call(() => this.#desk.prepare(request), true),
    claim: (request) => this.#call(() => this.#desk.claim(request), true),
    cancel: (paymentHash) => this.#call(() => this.#desk.cancel(paymentHash), true),
  };
  readonly lightningSend = { cosign: refuse, initiate: refuse, check: refuse, revoke: refuse };

  requestArkoorCosign(parts: readonly ArkoorCosignRequest[]): Promise<readonly ArkoorCosignResponse[]> {
    return this.#call(() => this.#server.cosign(parts), true);
  }

  postArkoorMessage(blindedId: Uint8Array, vtxos: readonly Uint8Array[]): Promise<void> {
    return this.#call(() => this.#server.deliver(blindedId, vtxos), true);
  }

  readMailbox({ after, mailboxId }: { readonly after: bigint; readonly mailboxId: Uint8Array }) {
    return this.#call(() => {
      if (equalBytes(mailboxId, this.#recoveryMailboxId)) return this.#backup(after);
      const { entries, haveMore } = this.#server.page(after);
      return { messages: entries.map(({ raw }) => deliveryOf(raw)), haveMore };
    });
  }

  /** All that was backed up, as one message. */
  #backup(after: bigint) {
    const checkpoint = BigInt(this.#server.backedUp.size);
    const vtxoIds = [...this.#server.backedUp].map(encodeVtxoId);
    const message = { $case: "recoveryVtxoIds", value: { vtxoIds } } as const;
    const messages = checkpoint > after ? [decodeDelivery(encodeMessage({ checkpoint, message }))] : [];
    return { messages, haveMore: false };
  }

  mailbox$({ after }: { readonly after: bigint }) {
    return heldFrom((signal) => this.#subscribe(after, signal), {
      places: 64,
      maxBytes: 2 ** 26,
      sizeOf: ({ raw }) => raw.length,
    });
  }

  get #desk(): ReceiveDesk {
    if (this.#server.desk === undefined) throw failure("SERVER_REFUSED");
    return this.#server.desk;
  }

  async close(): Promise<void> {
    for (const stream of this.streams) stream.end(failure("SESSION_CLOSED"));
    this.#server.forget(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#subscribe(after: bigint, signal: AbortSignal) {
    const stream = new Stream();
    if (!this.#server.isOpen(this)) throw failure("SERVER_UNREACHABLE");
    // Page by page, so that here too a package may be cut where a page ends (mailbox.md §3.6).
    let { entries } = this.#server.page(after);
    for (let last = entries.at(-1); last !== undefined; last = entries.at(-1)) {
      for (const entry of entries) stream.push(entry);
      ({ entries } = this.#server.page(last.checkpoint));
    }
    this.streams.add(stream);
    try {
      yield* stream.entries(this.#fate, signal);
    } finally {
      this.streams.delete(stream);
    }
  }

  async #call<T>(carryOut: () => T, isCommand = false): Promise<T> {
    await this.#fate.boundary();
    if (!this.#server.isOpen(this)) throw failure("SERVER_UNREACHABLE");
    const fault = this.#server.nextFault(isCommand);
    if (fault !== undefined && !fault.replyLost) throw failure(fault.code);
    const answer = carryOut();
    await this.#fate.boundary();
    if (fault !== undefined) throw failure(fault.code);
    return answer;
  }
}

function cut(entry: Entry, rows: number): Entry {
  const vtxos = (entry.vtxos ?? []).slice(0, rows);
  const raw = encodeMessage({ checkpoint: entry.checkpoint, message: { $case: "arkoor", value: { vtxos } } });
  return { ...entry, raw, vtxos };
}

function failure(code: StreamErrorCode): StreamError {
  return new StreamError(code, `scripted: ${code}`, { retryable: true });
}

import { readableVtxoId } from "../ark/accept.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { EffectParams } from "../machines/effects.ts";
import { originOf, type Verdict } from "../machines/package.ts";
import { decodeDelivery } from "../streams/delivery.ts";
import { digestOf } from "./blob-reader.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { LookOrder } from "./look-order.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { messageInstance } from "./message-instance.ts";
import { OwnFailures } from "./own-failure.ts";
import { Pace } from "./pace.ts";
import { EntryRereader, type MessagePlace, rereadMessage, withdrawn } from "./reread.ts";
import { RereadPause } from "./reread-pause.ts";
import { SERVER_SAYS_SPENT, stillSpent } from "./still-spent.ts";
import { Undecided } from "./undecided.ts";
import { hasRoom } from "./unsolicited.ts";
import { type Entry, KEY_DIGITS, refused, type Vetted, type VettingContext, vetVtxo } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/** Entries of a package that are asked about at the same time. */
const CONCURRENT_ENTRIES = 8;
/** A server takes no more VTXOs in one post (mailbox.md §3.7, W-39). */
const MOST_ENTRIES = 100;
/** A message of more is held as a whole: each item that is held costs memory and a record. */
const MOST_HELD_ENTRIES = 1_000;

/** An entry that is in its own way: why, and the verdict that keeps it. */
interface Poison {
  readonly poison: Error;
  readonly held: Vetted;
}

/** A message that no honest server delivers, held as it is. */
function tooManyEntries(digest: string, checkpoint: bigint, entries: number): Verdict {
  const message = `expected at most ${MOST_ENTRIES} VTXOs in a message, got ${entries}`;
  const reason = { code: "TOO_MANY_ENTRIES", message, permanent: true };
  const item = { id: null, amountSats: null, source: { digest, entry: null }, checkpoint, ...reason };
  return { kind: "refused", key: digest.slice(0, KEY_DIGITS), item };
}

/** Vets packages and held items: queries only, nothing outside changes. */
export class Vetting {
  readonly #engine: Engine;
  readonly #rereader: EntryRereader;
  /** Before held items are read from the server again. */
  readonly rereadPause: RereadPause;
  /** Which held items are looked at next. */
  readonly lookOrder = new LookOrder();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#rereader = new EntryRereader(engine);
    this.rereadPause = new RereadPause(engine.clock);
  }

  /**
   * Vets a package and feeds the verdict, or that there is none.
   *
   * @throws the reason of the connection's signal, when the connection was let go: the package is delivered again
   */
  async vetPackage(effectId: string, { checkpoint, digest, holdPoison }: EffectParams["vetPackage"]): Promise<void> {
    const instance = messageInstance(checkpoint, digest);
    const { signal } = this.#engine.connection;
    try {
      const context = await this.context(signal);
      const failures = new OwnFailures(this.#engine, context);
      const entries = await this.#entriesOf({ checkpoint, digest }, signal);
      if (entries === undefined) return this.#tellWithdrawn(effectId, instance, withdrawn({ checkpoint, digest }), holdPoison);
      if (entries.length > MOST_HELD_ENTRIES) {
        const verdicts = [tooManyEntries(digest, checkpoint, entries.length)];
        this.#engine.feed({ instance, event: { type: "package.vetted", verdicts }, effectId });
        return;
      }
      const work = { genesisItems: 0 };
      const outcomes = await mapConcurrently(entries, CONCURRENT_ENTRIES, (bytes, entry) =>
        this.#vetEntry({ bytes, source: { digest, entry }, checkpoint, work }, context, failures),
      );
      signal.throwIfAborted();
      const poison = outcomes.find((outcome) => "poison" in outcome);
      if (poison !== undefined && !holdPoison) return this.#tellUndecided(effectId, instance, poison.poison, "package.poisoned");
      const vetted = outcomes.map((outcome) => ("poison" in outcome ? outcome.held : outcome));
      const verdicts = vetted.map(({ verdict }) => verdict);
      // One that stands twice in a package is kept once.
      const blobs = [...new Map(vetted.flatMap((one) => one.blobs).map((blob) => [blob.digest, blob])).values()];
      this.#engine.feed({ instance, event: { type: "package.vetted", verdicts }, blobs, effectId });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Undecided)) throw error;
      this.#tellUndecided(effectId, instance, error, "package.undecided");
    }
  }

  /** The VTXOs of a package; undefined if only the server had its bytes, and has them no more. */
  async #entriesOf(place: MessagePlace, signal: AbortSignal): Promise<readonly Uint8Array[] | undefined> {
    const { blobs } = this.#engine;
    const isHere = blobs.has(place.digest);
    const delivery = isHere ? decodeDelivery(await blobs.read(place.digest)) : await rereadMessage(this.#engine, place, signal);
    return delivery?.content.kind === "arkoor" ? delivery.content.vtxos : undefined;
  }

  /** A server that takes a message back before it is decided may bring it again; after a while it counts as never posted. */
  #tellWithdrawn(effectId: string, instance: string, error: Undecided, isOver: boolean): void {
    if (!isOver) {
      this.#tellUndecided(effectId, instance, error, "package.poisoned");
      return;
    }
    this.#engine.ports.logger("error", "a message was taken back by the server before it was decided", { instance });
    this.#engine.feed({ instance, event: { type: "package.vetted", verdicts: [] }, effectId });
  }

  #tellUndecided(effectId: string, instance: string, error: Error, type: "package.undecided" | "package.poisoned"): void {
    const [code, message] = [codeOf(error), messageOf(error)];
    this.#engine.ports.logger("warn", "a package could not be decided", { instance, type, code, message });
    this.#engine.feed({ instance, event: { type, code, message }, effectId });
  }

  /**
   * An entry that an honest server does not post is kept without a question: they would cost the others' time. One that
   * alone got no answer comes back as poison, with the verdict that keeps it should that go on too long (W-22).
   */
  async #vetEntry(entry: Entry, context: VettingContext, failures: OwnFailures): Promise<Vetted | Poison> {
    if (entry.source.entry !== null && entry.source.entry >= MOST_ENTRIES) {
      const message = `expected at most ${MOST_ENTRIES} VTXOs in a message, got this beyond them`;
      const reason = { code: "TOO_MANY_ENTRIES", message, permanent: false };
      return { verdict: refused(entry, readableVtxoId(entry.bytes) ?? null, null, reason), blobs: [] };
    }
    try {
      return this.#keep(entry, await vetVtxo(entry, context));
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof Error) || !(await failures.isOwn(error))) throw error;
      const reason = { code: codeOf(error), message: messageOf(error), permanent: false };
      const verdict = refused(entry, readableVtxoId(entry.bytes) ?? null, null, reason);
      const held = { verdict, blobs: [] };
      // The same bytes had their time in an earlier package.
      const isHeld = verdict.kind === "refused" && this.#engine.loop.pending.quarantine.has(verdict.key);
      return isHeld ? held : { poison: error, held };
    }
  }

  /**
   * Vets a held item again, without telling a machine.
   *
   * @throws Undecided; any fault of this build at these bytes; the reason of the context's signal
   */
  async vetHeld(
    { id, amountSats, code, source, checkpoint, movement }: QuarantineEntry,
    context: VettingContext,
  ): Promise<Vetted> {
    if (id !== null && context.isKnown(id)) return { verdict: { kind: "known", id }, blobs: [] };
    const isBackup = movement !== undefined && originOf(movement) === "restore";
    const bytes = await this.bytesOf({ source, checkpoint }, context.signal);
    const entry: Entry = { bytes, source, checkpoint, isBackup };
    const spent = id !== null && code === SERVER_SAYS_SPENT ? await stillSpent(id, bytes, context) : undefined;
    if (spent !== undefined) return { verdict: refused(entry, id, amountSats, { ...spent, permanent: false }), blobs: [] };
    return this.#keep(entry, await vetVtxo(entry, context));
  }

  /**
   * The bytes of a held item: out of the log, or from the server if they were above the day's budget.
   *
   * @throws HeartwoodError `NOT_FOUND`; StoreError; Undecided; the signal's reason
   */
  async bytesOf(
    { source, checkpoint }: Pick<QuarantineEntry, "source" | "checkpoint">,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { digest, entry } = source;
    if (this.#engine.blobs.has(digest)) return this.#engine.blobs.vtxo(source);
    if (entry !== null) return this.#rereader.entry({ digest, checkpoint }, entry, signal);
    const message = await rereadMessage(this.#engine, { digest, checkpoint }, signal);
    if (message === undefined) throw withdrawn({ digest, checkpoint });
    return message.raw;
  }

  /**
   * Money whose message is not in the log is kept by itself. A copy that the server gave and that is no money either is
   * asked for again above the day's budget.
   */
  #keep(entry: Entry, vetted: Vetted): Vetted {
    const { verdict, blobs } = vetted;
    const { loop, clock, limits } = this.#engine;
    const isInLog = loop.pending.blobSeq(entry.source.digest) !== undefined;
    if (verdict.kind === "accepted" && blobs.length === 0 && !isInLog) {
      const source = { digest: digestOf(entry.bytes), entry: null };
      return {
        verdict: { ...verdict, vtxo: { ...verdict.vtxo, source } },
        blobs: [{ digest: source.digest, data: entry.bytes }],
      };
    }
    const copied = blobs.reduce((sum, { data }) => sum + data.length, 0);
    if (verdict.kind !== "refused" || copied === 0 || hasRoom(loop.pending, copied, clock.nowMs(), limits)) return vetted;
    const { id, amountSats } = verdict.item;
    return { verdict: refused(entry, id, amountSats, verdict.item), blobs: [] };
  }

  /**
   * Server information and tip, without which nothing is looked at (mailbox.md M-37).
   *
   * @throws Undecided
   */
  async context(signal: AbortSignal): Promise<VettingContext> {
    const { chain, confirmations, connection, keyring, loop, recovery } = this.#engine;
    const { session } = connection;
    if (session === undefined) throw new Undecided("SERVER_UNREACHABLE", "expected a session with the server, got none");
    // Here and not before a connection: of thousands of keys it takes seconds, and who only sends needs none of them.
    await keyring.deriveUsed(loop.pending.nextKeyIndex, signal);
    const tip = await chain.tip({ signal });
    if (tip.kind !== "found") {
      const error = tip.kind === "unknown" ? tip.error : undefined;
      const code = error === undefined ? "CHAIN_UNAVAILABLE" : codeOf(error);
      throw new Undecided(code, messageOf(error ?? "no tip"), { cause: error });
    }
    return {
      session,
      info: session.info,
      chain,
      keyring,
      tipHeight: tip.value.height,
      confirmations,
      nextKeyIndex: loop.pending.nextKeyIndex,
      pace: new Pace(),
      isKnown: (id: VtxoId) => loop.pending.isKnown(id),
      isSuperseded: (id: VtxoId) => recovery.superseded.has(id),
      signal,
    };
  }
}

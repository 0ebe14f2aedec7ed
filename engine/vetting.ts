import { readableVtxoId } from "../ark/accept.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { EffectParams } from "../machines/effects.ts";
import { originOf } from "../machines/package.ts";
import { decodeDelivery } from "../streams/delivery.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { messageInstance } from "./message-instance.ts";
import { OwnFailures } from "./own-failure.ts";
import { type Entry, refused, Undecided, type Vetted, type VettingContext, vetVtxo } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/** Entries of a package that are asked about at the same time. */
const CONCURRENT_ENTRIES = 8;
/** A server takes no more VTXOs in one post (mailbox.md §3.7, W-39). */
const MOST_ENTRIES = 100;

/** An entry that is in its own way: why, and the verdict that keeps it. */
interface Poison {
  readonly poison: Error;
  readonly held: Vetted;
}

/** Vets packages and held items: queries only, nothing outside changes. */
export class Vetting {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
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
      const { content } = decodeDelivery(await this.#engine.blobs.read(digest));
      const entries = content.kind === "arkoor" ? content.vtxos : [];
      const context = await this.context(signal);
      const failures = new OwnFailures(this.#engine, context);
      const outcomes = await mapConcurrently(entries, CONCURRENT_ENTRIES, (bytes, entry) =>
        this.#vetEntry({ bytes, source: { digest, entry }, checkpoint }, context, failures),
      );
      signal.throwIfAborted();
      const poison = outcomes.find((outcome) => "poison" in outcome);
      if (poison !== undefined && !holdPoison) return this.#tellUndecided(effectId, instance, poison.poison, "package.poisoned");
      const vetted = outcomes.map((outcome) => ("poison" in outcome ? outcome.held : outcome));
      const verdicts = vetted.map(({ verdict }) => verdict);
      const blobs = vetted.flatMap((one) => one.blobs);
      this.#engine.feed({ instance, event: { type: "package.vetted", verdicts }, blobs, effectId });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Undecided)) throw error;
      this.#tellUndecided(effectId, instance, error, "package.undecided");
    }
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
      return { verdict: refused(entry, null, null, { code: "TOO_MANY_ENTRIES", message, permanent: false }), blobs: [] };
    }
    try {
      return await vetVtxo(entry, context);
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
  async vetHeld({ source, checkpoint, movement }: QuarantineEntry, context: VettingContext): Promise<Vetted> {
    const isBackup = movement !== undefined && originOf(movement) === "restore";
    const entry: Entry = { bytes: await this.#engine.blobs.vtxo(source), source, checkpoint, isBackup };
    return vetVtxo(entry, context);
  }

  /**
   * Server information and tip, without which nothing is looked at (mailbox.md M-37).
   *
   * @throws Undecided
   */
  async context(signal: AbortSignal): Promise<VettingContext> {
    const { chain, connection, keyring, loop, recovery } = this.#engine;
    const { session } = connection;
    if (session === undefined) throw new Undecided("SERVER_UNREACHABLE", "expected a session with the server, got none");
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
      nextKeyIndex: loop.pending.nextKeyIndex,
      isKnown: (id: VtxoId) => loop.pending.isKnown(id),
      isSuperseded: (id: VtxoId) => recovery.superseded.has(id),
      signal,
    };
  }
}

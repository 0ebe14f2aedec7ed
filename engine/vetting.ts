import type { VtxoId } from "../ark/vtxo-id.ts";
import { decodeDelivery } from "../streams/delivery.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { messageInstance } from "./message-instance.ts";
import { type Entry, refused, Undecided, type Vetted, type VettingContext, vetVtxo } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-state.ts";

/** Entries of a package that are asked about at the same time. */
const CONCURRENT_ENTRIES = 8;
/** A server takes no more VTXOs in one post (mailbox.md §3.7, W-39). */
const MOST_ENTRIES = 100;

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
  async vetPackage(effectId: string, { checkpoint, digest }: { checkpoint: bigint; digest: string }): Promise<void> {
    const instance = messageInstance(checkpoint, digest);
    const { signal } = this.#engine.connection;
    try {
      const { content } = decodeDelivery(await this.#engine.blobs.read(digest));
      const entries = content.kind === "arkoor" ? content.vtxos : [];
      const context = await this.context(signal);
      const vetted = await mapConcurrently(entries, CONCURRENT_ENTRIES, (bytes, entry) =>
        this.#vetEntry({ bytes, source: { digest, entry }, checkpoint }, entry, context),
      );
      signal.throwIfAborted();
      const verdicts = vetted.map(({ verdict }) => verdict);
      const blobs = vetted.flatMap((one) => one.blobs);
      this.#engine.feed({ instance, event: { type: "package.vetted", verdicts }, blobs, effectId });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Undecided)) throw error;
      const { code, message } = error;
      this.#engine.ports.logger("warn", "a package could not be decided", { checkpoint, code, message });
      this.#engine.feed({ instance, event: { type: "package.undecided", code, message }, effectId });
    }
  }

  /** An entry that an honest server does not post is kept without a question: they would cost the others' time. */
  async #vetEntry(entry: Entry, index: number, context: VettingContext): Promise<Vetted> {
    if (index < MOST_ENTRIES) return vetVtxo(entry, context);
    const message = `expected at most ${MOST_ENTRIES} VTXOs in a message, got this beyond them`;
    return { verdict: refused(entry, null, null, { code: "TOO_MANY_ENTRIES", message, permanent: false }), blobs: [] };
  }

  /**
   * Vets a held item again, without telling a machine.
   *
   * @throws Undecided; the reason of the context's signal
   */
  async vetHeld({ source, checkpoint }: QuarantineEntry, context: VettingContext): Promise<Vetted> {
    const entry: Entry = { bytes: await this.#engine.blobs.vtxo(source), source, checkpoint };
    return vetVtxo(entry, context);
  }

  /**
   * Server information and tip, without which nothing is looked at (mailbox.md M-37).
   *
   * @throws Undecided
   */
  async context(signal: AbortSignal): Promise<VettingContext> {
    const { chain, connection, keyring, loop } = this.#engine;
    const { session } = connection;
    if (session === undefined) throw new Undecided("SERVER_UNREACHABLE", "expected a session with the server, got none");
    const tip = await chain.tip({ signal });
    if (tip.kind !== "found") {
      const error = tip.kind === "unknown" ? tip.error : undefined;
      throw new Undecided(error === undefined ? "CHAIN_UNAVAILABLE" : codeOf(error), messageOf(error ?? "no tip"), error);
    }
    return {
      session,
      info: session.info,
      chain,
      keyring,
      tipHeight: tip.value.height,
      nextKeyIndex: loop.pending.nextKeyIndex,
      isKnown: (id: VtxoId) => loop.pending.coins.has(id),
      signal,
    };
  }
}

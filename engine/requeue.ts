import type { VtxoId } from "../ark/vtxo-id.ts";
import { checkBackup } from "./check-backup.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { noteTip } from "./expiry.ts";
import { lookAgain } from "./look-again.ts";
import type { Look } from "./look-order.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { OwnFailures } from "./own-failure.ts";
import { finishReconciling } from "./reconcile.ts";
import { SERVER_SAYS_SPENT } from "./still-spent.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/** How often a connected wallet looks for a new tip and for items whose time has come. */
const POLL_MS = 30_000;
/** Items that are asked about at the same time. */
const CONCURRENT_ITEMS = 8;
/** Reasons of a restored wallet's past, of which there may be thousands; blocks and questions hardly take them away. */
const LASTING: ReadonlySet<string> = new Set([SERVER_SAYS_SPENT, "NEAR_EXPIRY"]);
/** Looks after which such an item has its turn in its time only. */
const EARLY_LOOKS = 3;
/** Whether a new block can take a reason away: an anchor that is not there, or that a chain source cannot tell of. */
function isOfTheChain(code: string): boolean {
  return code === "ANCHOR_NOT_FOUND" || code === "ANCHOR_UNCONFIRMED" || code.startsWith("CHAIN_");
}

/** Looks at held items again: all of them in a sync, else when their time has come or a block may help (mailbox.md W-4). */
export class Requeue {
  readonly #engine: Engine;
  readonly #signal: AbortSignal;
  #tipHeight: number | undefined;
  /** Whether the next look is one at every held item, or follows a new block; and at how many of them it is still. */
  #isFirst = false;
  #isAfterBlock = false;
  #left = 0;
  #isLooking = false;
  #isChecking = false;
  #isAtAnchors = false;

  constructor(engine: Engine, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  /** Looks now and then until the signal; `all` makes the first look one at every item. */
  start({ all }: { readonly all: boolean }): void {
    [this.#isFirst, this.#left] = [all, Number.POSITIVE_INFINITY];
    void this.#poll();
  }

  /**
   * Vets held items that are not refused for good: all, or as many as one look has place for. One whose reason hardly ever
   * passes waits for its time after a while. What gets no answer stays as it is; the others go on.
   */
  async vetAll(): Promise<void> {
    const isLasting = ({ code, attempts }: QuarantineEntry): boolean => LASTING.has(code) && attempts >= EARLY_LOOKS;
    await this.#vet((entry) => this.#isCheap(entry.source) && !isLasting(entry));
  }

  async #vet(isEarly: (entry: QuarantineEntry) => boolean): Promise<Look> {
    const { clock, loop, vetting } = this.#engine;
    const look = vetting.lookOrder.choose(loop.pending.quarantine.values(), clock.nowMs(), isEarly);
    if (look.items.length === 0) return look;
    try {
      const context = await vetting.context(this.#signal);
      const failures = new OwnFailures(this.#engine, context);
      const again = (entry: QuarantineEntry): Promise<void> => lookAgain(this.#engine, entry, context, failures);
      await mapConcurrently(look.items, CONCURRENT_ITEMS, again);
      // Another copy that was looked at beside it may have brought the VTXO.
      const superfluous = look.items.filter(({ key, id }) => loop.pending.quarantine.has(key) && this.#isMoney(id));
      await mapConcurrently(superfluous, CONCURRENT_ITEMS, again);
    } catch (error) {
      this.#tell("held items could not be vetted", error);
    }
    return look;
  }

  /** Whether it can be looked at ahead of its time: not if its bytes must be read from the server again. */
  #isCheap({ digest }: QuarantineEntry["source"]): boolean {
    return this.#engine.loop.pending.blobSeq(digest) !== undefined;
  }

  /** Whether another copy of a held item was credited: nobody has to be asked to let the item go. */
  #isMoney(id: VtxoId | null): boolean {
    return id !== null && this.#engine.loop.pending.coins.has(id);
  }

  /** The tip does not wait for what else is looked at: a server can make that last as long as it likes. */
  async #poll(): Promise<void> {
    try {
      const tip = await this.#engine.chain.tip({ signal: this.#signal, fresh: true });
      if (tip.kind === "found") {
        this.#noteTip(tip.value.height);
        void this.#lookAtAnchors(tip.value.height);
      }
    } catch (error) {
      this.#tell("the tip could not be asked for", error);
    }
    void this.#look();
    void this.#checkBackup();
    if (!this.#signal.aborted) this.#pollLater();
  }

  #noteTip(height: number): void {
    const isNewTip = height !== this.#tipHeight;
    this.#tipHeight = height;
    noteTip(this.#engine, height);
    if (!isNewTip) return;
    [this.#isAfterBlock, this.#left] = [true, Number.POSITIVE_INFINITY];
    this.#engine.actions.drive();
  }

  /** Asks again about what waits for an answer, one look at a time; what had no place in one is looked at in the next. */
  async #look(): Promise<void> {
    if (this.#isLooking || this.#signal.aborted) return;
    this.#isLooking = true;
    const [all, isAfterBlock, left] = [this.#isFirst, this.#isAfterBlock, this.#left];
    [this.#isFirst, this.#isAfterBlock, this.#left] = [false, false, 0];
    try {
      await this.#engine.doubts.ask(this.#signal);
      finishReconciling(this.#engine);
      const { early, taken } = await this.#vet(
        ({ code, id, source }) => (all || (isAfterBlock && isOfTheChain(code)) || this.#isMoney(id)) && this.#isCheap(source),
      );
      const rest = Math.min(left, early) - taken;
      if (rest <= 0) return;
      this.#isFirst ||= all;
      this.#isAfterBlock ||= isAfterBlock;
      this.#left = Math.max(this.#left, rest);
    } catch (error) {
      this.#tell("what waits for an answer could not be asked about", error);
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookAtAnchors(tipHeight: number): Promise<void> {
    if (this.#isAtAnchors || this.#signal.aborted) return;
    this.#isAtAnchors = true;
    // It rejects for the signal alone.
    await this.#engine.anchors.look(tipHeight, this.#signal).catch(() => {});
    this.#isAtAnchors = false;
  }

  async #checkBackup(): Promise<void> {
    const { session } = this.#engine.connection;
    if (session === undefined || this.#isChecking || this.#signal.aborted) return;
    this.#isChecking = true;
    // It rejects for the signal alone.
    await checkBackup(this.#engine, session, this.#signal).catch(() => {});
    this.#isChecking = false;
  }

  #pollLater(): void {
    const poll = (): void => {
      this.#signal.removeEventListener("abort", cancel);
      void this.#poll();
    };
    const cancel = this.#engine.clock.after(POLL_MS, poll);
    this.#signal.addEventListener("abort", cancel, { once: true });
  }

  #tell(what: string, error: unknown): void {
    if (this.#signal.aborted || this.#engine.signal.aborted) return;
    this.#engine.ports.logger("info", what, { code: codeOf(error), message: messageOf(error) });
  }
}

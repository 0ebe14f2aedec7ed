import { lineageOf, lineagePoint, pathOf } from "../ark/lineage.ts";
import type { Outpoint } from "../ark/outpoint.ts";
import { decodeVtxo, type Vtxo } from "../ark/vtxo.ts";
import { vtxoIdOf } from "../ark/vtxo-id.ts";
import { type AnchorFinding, noteAfter } from "../machines/anchors.machine.ts";
import { askAnchor, type HangingVtxo } from "./ask-anchor.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { coinsUnder } from "./kin-index.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { orAborted } from "./or-aborted.ts";
import type { Coin } from "./wallet-rows.ts";
import { ANCHORS } from "./wallet-state.ts";

/** Anchors with fewer blocks above them are looked at with each new one: no reorganisation is deeper, as for a coinbase. */
const REORGANISATION_BLOCKS = 100;
/** The others are looked at every so many blocks: what hangs from them may be exited. */
const REST_BLOCKS = 36;
/** Anchors of one look; the others follow with the next. */
const MOST_ANCHORS = 500;
/** Anchors of one sync from the front, and as many of the others, in turn by the tip: a wallet may be opened for no more. */
const MOST_SYNC_ANCHORS = 64;
/** Anchors that are asked about at the same time. */
const CONCURRENT_ANCHORS = 8;
/** Questions without an answer after which a source is left alone until the next look. */
const MOST_UNANSWERED = 8;

/** When an anchor was looked at last, and where it was then. */
interface Look {
  readonly tipHeight: number;
  readonly blockHeight: number | undefined;
}

/** What was found out about an anchor, and the height of its block. */
interface Answered {
  readonly finding: AnchorFinding;
  readonly blockHeight: number | undefined;
}

/** An anchor whose turn it is, with a VTXO that hangs from it. */
interface Due {
  readonly anchor: string;
  readonly coin: Coin;
}

/**
 * Looks again at the outputs that the wallet's VTXOs hang from (mailbox.md W-41): at each once after the start, at those
 * that a reorganisation may take away with each block, at the others now and then. Only another answer than before is
 * recorded; where nobody could tell, it is asked again.
 */
export class Anchors {
  readonly #engine: Engine;
  readonly #looks = new Map<string, Look>();
  readonly #outpoints = new Map<string, Outpoint>();
  /** Those of which nobody could tell when they were asked about last, and how many questions came before. */
  readonly #silent = new Map<string, number>();
  #questions = 0;
  #looking: Promise<void> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Looks at those whose turn it is at that tip, one look after the other.
   *
   * @param all whether also at those that were not in order at that very tip, as in a sync, which takes fewer of the others
   * @throws the reason of the signal
   */
  look(tipHeight: number, signal: AbortSignal, { all = false } = {}): Promise<void> {
    const looked = orAborted(this.#looking, signal).then(() => orAborted(this.#look(tipHeight, signal, all), signal));
    // A source that never answers and knows no signal holds nobody up but this look.
    this.#looking = looked.catch(() => {});
    return looked;
  }

  async #look(tipHeight: number, signal: AbortSignal, all: boolean): Promise<void> {
    signal.throwIfAborted();
    const waiting = this.#due(tipHeight, all);
    const due = all ? ofSync(waiting, tipHeight) : waiting.slice(0, MOST_ANCHORS);
    let unanswered = 0;
    const found = await mapConcurrently(due, CONCURRENT_ANCHORS, async (one) => {
      signal.throwIfAborted();
      const answer = unanswered < MOST_UNANSWERED ? await this.#ask(one, tipHeight, signal) : undefined;
      if (answer !== undefined) return [answer];
      unanswered++;
      return [];
    });
    signal.throwIfAborted();
    for (const { finding, blockHeight } of found.flat()) this.#looks.set(finding.anchor, { tipHeight, blockHeight });
    // One record for all: each has the notes as a whole.
    const findings = found.flat().flatMap(({ finding }) => (this.#isNews(finding, tipHeight) ? [finding] : []));
    if (findings.length === 0) return;
    this.#engine.notify({ instance: ANCHORS, event: { type: "anchors.seen", height: tipHeight, findings } });
  }

  /**
   * What is not in order first, then what was not looked at yet, the newest first, then what was not for longest. Where
   * nobody could tell comes behind all of these, so that it hides none of them.
   */
  #due(tipHeight: number, all: boolean): Due[] {
    const { pending } = this.#engine.loop;
    const noted = new Set(pending.anchorNotes().map(({ anchor }) => anchor));
    const due: (Due & { readonly silence: number; readonly rank: number })[] = [];
    const anchors = [...pending.kin.roots()];
    this.#forgetOthers(new Set(anchors));
    for (const anchor of anchors.reverse()) {
      const coins = coinsUnder(pending, anchor).filter(isOfUse);
      const [coin] = coins;
      const look = this.#looks.get(anchor);
      const isNoted = noted.has(anchor);
      const isAllMarked = isNoted && coins.every(({ anchorCode }) => anchorCode !== undefined);
      if (coin === undefined || (look !== undefined && !this.#isDue(look, tipHeight, { isNoted, isAllMarked, all }))) continue;
      const rank = isNoted ? -2 : (look?.tipHeight ?? -1);
      due.push({ anchor, coin, silence: this.#silent.get(anchor) ?? 0, rank });
    }
    return due.sort((a, b) => a.silence - b.silence || a.rank - b.rank);
  }

  /**
   * A tip that is a little lower than before is of a source that lags: it would call what is deep enough too young. Where
   * everything is marked it can only give back.
   */
  #isDue(
    { tipHeight: before, blockHeight }: Look,
    tipHeight: number,
    { isNoted, isAllMarked, all }: { readonly isNoted: boolean; readonly isAllMarked: boolean; readonly all: boolean },
  ): boolean {
    if (isNoted && (isAllMarked || tipHeight >= before)) return all || tipHeight !== before;
    const deep = Math.max(REORGANISATION_BLOCKS, this.#engine.confirmations);
    const isDeep = blockHeight !== undefined && tipHeight - blockHeight >= deep;
    return (!isDeep && tipHeight > before) || Math.abs(tipHeight - before) >= REST_BLOCKS;
  }

  /** What it is like, or undefined where nobody could tell. */
  async #ask({ anchor, coin }: Due, tipHeight: number, signal: AbortSignal): Promise<Answered | undefined> {
    const { chain, confirmations, keyring, loop, ports } = this.#engine;
    const { nextKeyIndex } = loop.pending;
    const isOwn = (key: Uint8Array): boolean => keyring.usedIndex(key, nextKeyIndex) !== undefined;
    this.#questions++;
    try {
      const output = await this.#outpointOf(anchor, coin);
      const context = { chain, signal, confirmations, tipHeight, isOwn };
      const { breaks, blockHeight } = await askAnchor(output, () => this.#hangingFrom(anchor, nextKeyIndex, signal), context);
      this.#silent.delete(anchor);
      // Of a VTXO without a lineage there is nothing else that it could go through.
      const named = anchor === lineagePoint(output) ? breaks : breaks.map((one) => ({ ...one, point: anchor }));
      return { finding: { anchor, outpoint: vtxoIdOf(output), breaks: named }, blockHeight };
    } catch (error) {
      signal.throwIfAborted();
      this.#silent.set(anchor, this.#questions);
      ports.logger("info", "an anchor could not be looked at", { id: coin.id, code: codeOf(error), message: messageOf(error) });
      return undefined;
    }
  }

  /** What hangs from it now. What is exiting is on chain for a reason. */
  async #hangingFrom(anchor: string, nextKeyIndex: number, signal: AbortSignal): Promise<HangingVtxo[]> {
    const { blobs, keyring, loop } = this.#engine;
    // Not in one go, as the first question whose key it is would: of thousands it takes seconds.
    await keyring.deriveUsed(nextKeyIndex, signal);
    const hanging: HangingVtxo[] = [];
    for (const coin of coinsUnder(loop.pending, anchor).filter(isOfUse)) {
      const read = async (): Promise<Vtxo> => decodeVtxo(await blobs.vtxo(coin.source));
      // Records of an older build say nothing of a chain: there it is read from the bytes.
      const lineage = coin.lineage ?? lineageOf(await read());
      hanging.push({ path: pathOf({ id: coin.id, lineage }), read });
    }
    return hanging;
  }

  /** A VTXO's lineage names its anchor in short, so the whole name is read from its bytes once. */
  async #outpointOf(anchor: string, { source }: Coin): Promise<Outpoint> {
    const known = this.#outpoints.get(anchor) ?? decodeVtxo(await this.#engine.blobs.vtxo(source)).chainAnchor;
    this.#outpoints.set(anchor, known);
    return known;
  }

  #isNews(finding: AnchorFinding, tipHeight: number): boolean {
    const before = this.#engine.loop.pending.anchorNotes().find(({ anchor }) => anchor === finding.anchor);
    return noteAfter(before, finding, tipHeight) !== before;
  }

  #forgetOthers(anchors: ReadonlySet<string>): void {
    for (const known of [this.#looks, this.#outpoints, this.#silent]) {
      for (const anchor of known.keys()) if (!anchors.has(anchor)) known.delete(anchor);
    }
  }
}

/** A process that syncs once and ends remembers nothing; by the tip each has its turn all the same, and its turn to be first. */
function ofSync(due: readonly Due[], tipHeight: number): Due[] {
  const [front, rest] = [due.slice(0, MOST_SYNC_ANCHORS), due.slice(MOST_SYNC_ANCHORS)];
  const others = rotated(rest, tipHeight * MOST_SYNC_ANCHORS).slice(0, MOST_SYNC_ANCHORS);
  return [...rotated(front, tipHeight * MOST_UNANSWERED), ...others];
}

function rotated<T>(items: readonly T[], steps: number): T[] {
  const from = items.length === 0 ? 0 : steps % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

/** Of what is exiting or expired nothing is paid, whatever its anchor does. */
function isOfUse({ exitBy, expiryStage }: Coin): boolean {
  return exitBy === undefined && expiryStage !== "expired";
}

import { ancestorIds } from "../ark/exit.ts";
import { decodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { originOf, restoreId } from "../machines/package.ts";
import type { RecoveryReport } from "../machines/recovery.machine.ts";
import { forMany } from "../streams/for-many.ts";
import type { ServerSession } from "../streams/session.ts";
import { digestOf } from "./blob-reader.ts";
import type { Engine } from "./engine.ts";
import { fetchCopy, type Unresolved } from "./fetch-copy.ts";
import { AWAITING_VETTING, holdBytes } from "./hold-bytes.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { readBackup } from "./read-backup.ts";
import { findKeys } from "./recovery-keys.ts";
import { CONTRACT } from "./restored-htlcs.ts";
import { SERVER_SAYS_SPENT } from "./still-spent.ts";
import { Undecided } from "./undecided.ts";
import { askSpendState, type VettingContext, vetVtxo } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";
import { RECOVERY } from "./wallet-state.ts";

/** How far a restore is: ids read, VTXOs fetched, VTXOs checked. */
export interface RestoreProgress {
  readonly step: "reading" | "fetching" | "checking";
  readonly done: number;
  readonly total: number;
}

/** VTXOs that are fetched or checked at the same time. */
const CONCURRENT_VTXOS = 8;
/** Bytes of copies that are kept between fetching and checking; the others are fetched again. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** Ids with a reason that the report names; the others are counted. */
const NAMED_UNRESOLVED = 256;
/** How often a VTXO is checked when chain or server do not answer about it (mailbox.md M-67). */
const ATTEMPTS = 3;
/** How far behind the last key that was found an owner is looked for at most (mailbox.md W-50). */
const LONGEST_LOOK_AHEAD = 20_000;

/** A VTXO of the backup, as far as its order and its owner go. */
interface Found {
  readonly id: VtxoId;
  readonly expiryHeight: number;
  readonly depth: number;
  readonly owner: Uint8Array | undefined;
  readonly bytes: Uint8Array | undefined;
}

type Outcome = "credited" | "spent" | "superseded" | "held" | Unresolved;

/**
 * Restores what a seed had before (mailbox.md M-67 to M-70): the ids of the recovery mailbox, the server's copy of each, and
 * its word on it. What is money goes through quarantine like anything that comes another way than the mailbox; the main
 * mailbox is then read from its beginning (W-8).
 *
 * Nothing is remembered of a scan but its end: one that is killed begins again, and passes over what the wallet has.
 */
export class Recovery {
  readonly #engine: Engine;
  /** VTXOs of which others of the wallet were made, while a restore is under way. */
  readonly superseded = new Set<VtxoId>();
  /** Told how far a restore is. */
  onProgress: (progress: RestoreProgress) => void = () => {};
  lookAhead = LONGEST_LOOK_AHEAD;
  #report: RecoveryReport | undefined;
  /** Aborted by an owner who ends the restore while a scan is under way. */
  #ended = new AbortController();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Fetches and checks what the backup names, if the wallet is being restored. What gets no answer is left to the next
   * connection.
   *
   * @throws StreamError; HeartwoodError `MAILBOX_STUCK`; the reason of `signal`
   */
  async scan(session: ServerSession, signal: AbortSignal): Promise<void> {
    if (!this.#engine.loop.pending.isRestoring()) return;
    const { signal: ended } = this.#ended;
    try {
      await this.#scan(session, forMany(AbortSignal.any([signal, ended])));
    } catch (error) {
      signal.throwIfAborted();
      if (!ended.aborted) throw error;
    }
  }

  async #scan(session: ServerSession, signal: AbortSignal): Promise<void> {
    this.onProgress({ step: "reading", done: 0, total: 0 });
    const { ids, beyond, malformed } = await readBackup(this.#engine, session, signal);
    const outcomes = new Map<VtxoId, Outcome>();
    const found = await this.#fetchAll(ids, outcomes, session, signal);
    const owned = await findKeys(this.#engine, found, this.lookAhead, signal);
    for (const { id } of found) if (!owned.has(id)) outcomes.set(id, { code: "NOT_OWNED", isFinal: true });
    await this.#checkAll(
      found.filter(({ id }) => owned.has(id)),
      outcomes,
      session,
      signal,
    );
    this.#report = reportOf(ids, outcomes, beyond, malformed);
  }

  /** Ends a restore whose main mailbox was read to its end too. */
  conclude(): void {
    const report = this.#report;
    if (report === undefined) return;
    this.#engine.feed({ instance: RECOVERY, event: { type: "recovery.scanned", report } });
    this.#report = undefined;
    this.superseded.clear();
  }

  /** Ends a restore as it is, also while it is under way: what got no answer is not restored. A backup that was never read counts as one such id. */
  async end(): Promise<void> {
    const { pending } = this.#engine.loop;
    if (!pending.isRestoring()) return this.#engine.loop.settled();
    const last = (pending.contextOf(RECOVERY)?.report ?? { ...reportOf([], new Map(), 0, 0), unresolved: 1 }) as RecoveryReport;
    const { committed } = this.#engine.feed({
      instance: RECOVERY,
      event: { type: "recovery.scanned", report: { ...last, unanswered: 0 } },
    });
    this.#ended.abort();
    await committed;
  }

  /** What the wallet has already needs no fetching, only to be known as what others were made of. */
  async #fetchAll(
    ids: readonly VtxoId[],
    outcomes: Map<VtxoId, Outcome>,
    session: ServerSession,
    signal: AbortSignal,
  ): Promise<Found[]> {
    const { pending } = this.#engine.loop;
    const heldIds = new Set([...pending.quarantine.values()].filter(isVetted).map(({ id }) => id));
    const found: Found[] = [];
    let [done, kept] = [0, 0];
    await mapConcurrently(ids, CONCURRENT_VTXOS, async (id) => {
      const coin = pending.coins.get(id);
      if (coin !== undefined) {
        outcomes.set(id, "credited");
        this.#supersede(decodeVtxo(await this.#engine.blobs.vtxo(coin.source)));
      } else if (pending.isKnown(id)) outcomes.set(id, "spent");
      else if (heldIds.has(id)) outcomes.set(id, "held");
      else {
        const copy = await fetchCopy(this.#engine, session, id, signal);
        if (copy instanceof Uint8Array) {
          const vtxo = decodeVtxo(copy);
          const bytes = kept + copy.length <= KEPT_BYTES ? copy : undefined;
          kept += bytes?.length ?? 0;
          const owner = "userPubkey" in vtxo.policy ? vtxo.policy.userPubkey : undefined;
          found.push({ id, expiryHeight: vtxo.expiryHeight, depth: vtxo.genesis.length, owner, bytes });
        } else outcomes.set(id, copy);
      }
      this.onProgress({ step: "fetching", done: ++done, total: ids.length });
    });
    return found;
  }

  /**
   * Descendants first, so that what they were made of is recognised (mailbox.md W-47): a VTXO and its ancestors share their
   * expiry, and the ancestor's chain is the shorter one.
   */
  async #checkAll(
    found: readonly Found[],
    outcomes: Map<VtxoId, Outcome>,
    session: ServerSession,
    signal: AbortSignal,
  ): Promise<void> {
    const levels = new Map<string, Found[]>();
    const ordered = found.toSorted((a, b) => b.expiryHeight - a.expiryHeight || b.depth - a.depth || (a.id < b.id ? -1 : 1));
    for (const one of ordered) {
      const level = `${one.expiryHeight}/${one.depth}`;
      const those = levels.get(level);
      if (those === undefined) levels.set(level, [one]);
      else those.push(one);
    }
    let done = 0;
    for (const level of levels.values()) {
      await mapConcurrently(level, CONCURRENT_VTXOS, async (one) => {
        outcomes.set(one.id, await this.#check(one, session, signal));
        this.onProgress({ step: "checking", done: ++done, total: found.length });
      });
    }
  }

  async #check({ id, bytes }: Found, session: ServerSession, signal: AbortSignal): Promise<Outcome> {
    if (this.superseded.has(id)) return "superseded";
    const copy = bytes ?? (await fetchCopy(this.#engine, session, id, signal));
    if (!(copy instanceof Uint8Array)) return copy;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#vet(id, copy, await this.#engine.vetting.context(signal));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Undecided)) throw error;
        if (attempt === ATTEMPTS) return { code: error.code, isFinal: false };
      }
    }
  }

  async #vet(id: VtxoId, bytes: Uint8Array, context: VettingContext): Promise<Outcome> {
    const source = { digest: digestOf(bytes), entry: null };
    const { verdict, blobs } = await vetVtxo({ bytes, source, checkpoint: 0n, isBackup: true }, context);
    context.signal.throwIfAborted();
    if (verdict.kind === "known") return this.#engine.loop.pending.coins.has(id) ? "credited" : "spent";
    const isContract = verdict.kind === "refused" && verdict.item.code === CONTRACT;
    const isSpent =
      (verdict.kind === "refused" && verdict.item.code === SERVER_SAYS_SPENT) ||
      (isContract && (await this.#isSpentContract(bytes, context)));
    // Good by its bytes and the wallet's own: what it was made of is spent, whatever the server says of that.
    if (verdict.kind === "accepted" || isContract || isSpent) this.#supersede(decodeVtxo(bytes));
    if (isSpent) return "spent";
    const key = holdBytes(this.#engine, bytes, id, restoreId);
    this.#engine.feed({ instance: `quarantined/${key}`, event: { type: "item.vetted", verdict }, blobs });
    return this.#engine.loop.pending.coins.has(id) ? "credited" : "held";
  }

  /** HTLCs of payments that are over are of no use to anybody: they are not held. @throws Undecided */
  async #isSpentContract(bytes: Uint8Array, context: VettingContext): Promise<boolean> {
    const vtxo = decodeVtxo(bytes);
    const owner = "userPubkey" in vtxo.policy ? vtxo.policy.userPubkey : undefined;
    const keyIndex = owner && context.keyring.usedIndex(owner, this.#engine.loop.pending.nextKeyIndex);
    if (keyIndex === undefined) return false;
    const state = await askSpendState(vtxoId(vtxo), keyIndex, context);
    context.signal.throwIfAborted();
    return typeof state === "object" && state.code === SERVER_SAYS_SPENT;
  }

  #supersede(vtxo: Vtxo): void {
    for (const id of ancestorIds(vtxo)) this.superseded.add(id);
  }
}

/**
 * Whether a scan has nothing to add to a held item. What one that was killed held and did not vet is vetted by the next; and
 * what the mailbox brought is vetted once more as what the seed had before, of which more is money (mailbox.md W-48).
 */
function isVetted({ code, movement = "" }: QuarantineEntry): boolean {
  return code === SERVER_SAYS_SPENT || (originOf(movement) === "restore" && code !== AWAITING_VETTING);
}

function reportOf(
  ids: readonly VtxoId[],
  outcomes: ReadonlyMap<VtxoId, Outcome>,
  beyond: number,
  malformed: number,
): RecoveryReport {
  const count = (wanted: Outcome): number => [...outcomes.values()].filter((outcome) => outcome === wanted).length;
  const unresolved = ids.flatMap((id) => {
    const outcome = outcomes.get(id);
    return typeof outcome === "object" ? [{ id, ...outcome }] : [];
  });
  return {
    ids: ids.length + beyond,
    credited: count("credited"),
    spent: count("spent"),
    superseded: count("superseded"),
    held: count("held"),
    unresolved: unresolved.length + beyond,
    unresolvedIds: unresolved.slice(0, NAMED_UNRESOLVED).map(({ id, code }) => ({ id, code })),
    unanswered: unresolved.filter(({ isFinal }) => !isFinal).length,
    malformed,
  };
}

import { sha256 } from "../ark/crypto.ts";
import type { Plain } from "../machines/canonical.ts";
import { machineNamed, machines } from "../machines/registry.ts";
import { isFinished, type MachineDefinition } from "../machines/step.ts";
import { mentionsOf } from "./explain-subject.ts";
import { GrowingColumn, GrowingRows } from "./growing-column.ts";
import { MentionList, NameList } from "./history-lists.ts";
import { decodeMarks, encodeMarks, HISTORY_MARKS, type HistoryMark, marksOf } from "./history-marks.ts";
import { HistoryTable, TracedMap } from "./history-table.ts";
import type { RecordedMovement } from "./recorded-movement.ts";
import { SeqIndex } from "./seq-index.ts";
import { contextAfter, type Transition } from "./transition.ts";
import { type Balance, balanceFrom, balancePartOf } from "./view.ts";
import type { Coin, OpenCommand, QuarantineEntry } from "./wallet-rows.ts";
import { MAILBOX, NAME_KEY_BYTES, WalletState } from "./wallet-state.ts";

/** Tables of the wallet's state whose rows can be had of any moment. */
export const HISTORY_TABLES = ["coins", "movements", "quarantine", "outbox"] as const;
export type HistoryTableName = (typeof HISTORY_TABLES)[number];

/** How often the state counts are kept; between, records are counted. */
const COUNTS_EVERY = 4_096;
/** How often the context of an instance with many records is kept. */
const CONTEXT_EVERY = 128n;
const LOW_BITS = 32n;

type Context = Readonly<Record<string, Plain>>;

/** The state of a wallet that tells which rows a record changes. */
class TracedState extends WalletState {
  override readonly coins = new TracedMap<Coin>();
  override readonly movements = new TracedMap<RecordedMovement>();
  override readonly quarantine = new TracedMap<QuarantineEntry>();
  override readonly outbox = new TracedMap<OpenCommand>();
}

/**
 * What is kept in memory of every record, so that any moment of a long log is found at once: some 30 bytes a record and
 * some 20 a touched row, in typed arrays. Everything else is read from the log again.
 *
 * Takes records in order, each once. Sequence numbers are numbers here: the log would have to be longer than any disk.
 */
export class HistoryIndex {
  readonly tables: Readonly<Record<HistoryTableName, HistoryTable>> = {
    coins: new HistoryTable(),
    movements: new HistoryTable(),
    quarantine: new HistoryTable(),
    outbox: new HistoryTable(),
  };
  /** Sums of VTXOs by part of the balance, and counters. */
  readonly #money = new GrowingRows();
  readonly counters = new GrowingRows();
  /** The machines whose records it takes. */
  readonly machines: readonly MachineDefinition[];
  readonly #state: TracedState;
  /** Names of machine and event type, and of machine and state, by number. */
  readonly #types = new NameList();
  readonly #states = new NameList();
  /** Of each record: place `seq - 1`. States are one more than their number, 0 for none. */
  readonly #type = new GrowingColumn(new Uint16Array());
  readonly #before = new GrowingColumn(new Uint16Array());
  readonly #after = new GrowingColumn(new Uint16Array());
  readonly #atMs = new GrowingColumn(new Float64Array());
  readonly #cause = new GrowingColumn(new Uint32Array());
  readonly #marks = new GrowingColumn(new Uint8Array());
  readonly #instance = new GrowingColumn(new Uint32Array());
  /** The record before of the same instance; 0 for its first. */
  readonly #previous = new GrowingColumn(new Uint32Array());
  /** Of each instance: its first record, its last, the one that finished it or 0. */
  readonly #first = new GrowingColumn(new Uint32Array());
  readonly #last = new GrowingColumn(new Uint32Array());
  readonly #finished = new GrowingColumn(new Uint32Array());
  /** Records that finished an instance, in order. */
  readonly #ends = new GrowingColumn(new Uint32Array());
  readonly #numbers = new SeqIndex(NAME_KEY_BYTES);
  /** How many instances stood in each state, by its number: at every {@link COUNTS_EVERY} records, and now. */
  readonly #counts: Uint32Array[] = [];
  readonly #stateCounts: number[] = [];
  /** The last record of each machine, at the same places and now; 0 for none. */
  readonly #lastOf: ReadonlyMap<string, GrowingColumn>;
  readonly #lastNow = new Map<string, number>();
  /** Contexts of long-lived instances, by record. */
  readonly #contexts = new Map<number, Context>();
  readonly #mentions = new MentionList();
  readonly #sums = new Map<string, bigint>();
  readonly #unconfirmed = new Map<string, QuarantineEntry>();

  constructor(among: readonly MachineDefinition[] = machines) {
    this.machines = among;
    this.#state = new TracedState(among);
    this.#lastOf = new Map(among.map(({ name }) => [name, new GrowingColumn(new Uint32Array())]));
  }

  /** The last record that it has. */
  get head(): number {
    return this.#type.length;
  }

  /** The state before the next record: to check that one. Read it only. */
  get state(): WalletState {
    return this.#state;
  }

  /** Folds the next record in. */
  add(transition: Transition): void {
    const { machine, instance, event, state, atMs, causeSeq } = transition;
    const seq = Number(transition.seq);
    const before = this.#state.instances.get(instance);
    const context = contextAfter(before, transition);
    this.#state.apply(transition);
    const finished = isFinished(machineNamed(machine, this.machines), state, transition.revision);
    this.#type.push(this.#types.numberOf(`${machine} ${event.type}`));
    this.#before.push(before === undefined ? 0 : this.#states.numberOf(`${machine} ${before.state}`) + 1);
    this.#after.push(this.#states.numberOf(`${machine} ${state}`) + 1);
    this.#atMs.push(atMs);
    this.#cause.push(Number(causeSeq));
    this.#noteInstance(instance, seq, finished);
    if (!finished && transition.version % CONTEXT_EVERY === 0n) this.#contexts.set(seq, context);
    this.#countState(seq, machine);
    const earnedSats = this.#noteTables(seq);
    this.#noteNumbers(seq);
    this.#marks.push(encodeMarks(marksOf(transition, { earnedSats, isFinished: finished })));
    for (const subject of mentionsOf(transition)) this.#mentions.note(subject, seq);
  }

  /** State before a record; null for an instance's first. */
  beforeOf(seq: number): string | null {
    return this.#stateName(this.#before.at(seq - 1));
  }

  afterOf(seq: number): string {
    return this.#stateName(this.#after.at(seq - 1)) ?? "";
  }

  atMsOf(seq: number): number {
    return this.#atMs.at(seq - 1);
  }

  marksOf(seq: number): HistoryMark[] {
    return decodeMarks(this.#marks.at(seq - 1));
  }

  /** Number of the instance whose record it is. */
  instanceOf(seq: number): number {
    return this.#instance.at(seq - 1);
  }

  /** The record before of the same instance, or undefined. */
  previousOf(seq: number): number | undefined {
    return this.#previous.at(seq - 1) || undefined;
  }

  /** The record after it of the same instance, or undefined. */
  nextOf(seq: number): number | undefined {
    const last = this.#last.at(this.instanceOf(seq));
    for (let at = seq; at < last; at++) if (this.#previous.at(at) === seq) return at + 1;
    return undefined;
  }

  /** Records that a record caused, the first ones. */
  causedBy(seq: number, limit: number): number[] {
    const found: number[] = [];
    for (let at = seq; at < this.head && found.length < limit; at++) if (this.#cause.at(at) === seq) found.push(at + 1);
    return found;
  }

  /** Number of an instance by its name, or undefined. */
  instanceNumber(name: string): number | undefined {
    const number = this.#numbers.get(nameKey(name));
    return number === undefined ? undefined : Number(number);
  }

  firstOf(instance: number): number {
    return this.#first.at(instance);
  }

  /** Whether an instance was finished after a record. */
  hasFinished(instance: number, seq: number): boolean {
    const end = this.#finished.at(instance);
    return end !== 0 && end <= seq;
  }

  /** The last record of an instance until one, or undefined. */
  lastOf(instance: number, seq: number): number | undefined {
    let at: number | undefined = this.#last.at(instance);
    while (at !== undefined && at > seq) at = this.previousOf(at);
    return at;
  }

  /** How many instances had begun. */
  instancesAt(seq: number): number {
    return this.#first.countUpTo(seq);
  }

  /** Instances that were not finished, the newest first, from behind number `before`. */
  *unfinishedAt(seq: number, before: number): Generator<number, void, undefined> {
    for (let at = Math.min(before, this.instancesAt(seq)) - 1; at >= 0; at--) if (!this.hasFinished(at, seq)) yield at;
  }

  /** Instances that were finished, the last first, from behind the end number `before`. */
  *finishedAt(seq: number, before: number): Generator<{ readonly end: number; readonly instance: number }, void, undefined> {
    for (let end = Math.min(before, this.#ends.countUpTo(seq)) - 1; end >= 0; end--) {
      yield { end, instance: this.instanceOf(this.#ends.at(end)) };
    }
  }

  /** How many instances of each machine stood in each state after a record. */
  statesAt(seq: number): Record<string, Record<string, number>> {
    const kept = Math.floor(seq / COUNTS_EVERY);
    const counts = [...(this.#counts[kept - 1] ?? [])];
    for (let at = kept * COUNTS_EVERY; at < seq; at++) this.#move(counts, at);
    const found: Record<string, Record<string, number>> = {};
    for (const [number, count] of counts.entries()) {
      const [machine = "", state = ""] = this.#states.at(number).split(" ");
      if (count > 0) found[machine] = { ...found[machine], [state]: count };
    }
    return found;
  }

  /** The last record of each machine until one. */
  lastOfMachines(seq: number): Map<string, number> {
    const found = new Map<string, number>();
    for (const { name } of this.machines) {
      const number = this.#machineLast(name, seq);
      if (number !== undefined) found.set(name, number);
    }
    return found;
  }

  /** A test for records of a machine or an event type, without an allocation for each. */
  isOf(wanted: { readonly machine?: string; readonly type?: string }): (seq: number) => boolean {
    const numbers = this.#types.numbersWhere((name) => {
      const [machine, type] = name.split(" ");
      return (wanted.machine ?? machine) === machine && (wanted.type ?? type) === type;
    });
    return (seq) => numbers.has(this.#type.at(seq - 1));
  }

  /** The checkpoint after a record. */
  checkpointAt(seq: number): bigint {
    const { high = 0, low = 0 } = this.counters.after(seq);
    return (BigInt(high) << LOW_BITS) | BigInt(low);
  }

  /** The money after a record. */
  balanceAt(seq: number): Balance {
    const { unconfirmed = 0, ...sums } = this.#money.after(seq);
    return balanceFrom((part) => BigInt(sums[part] ?? 0), BigInt(unconfirmed));
  }

  /** A context that is kept, and the record after which it held; the nearest at or before a record of the instance. */
  keptContext(seq: number): Context | undefined {
    return this.#contexts.get(seq);
  }

  /** Records that may be about an id: some of them are not. */
  mentionsOf(id: string): number[] {
    return this.#mentions.of(id);
  }

  /** The record that caused one; 0 if none did. */
  causeOf(seq: number): number {
    return this.#cause.at(seq - 1);
  }

  /** The nearest record that fits, beginning behind `from` or in front of it. */
  find(from: number, step: 1 | -1, fits: (seq: number) => boolean): number | undefined {
    for (let seq = from + step; seq >= 1 && seq <= this.head; seq += step) if (fits(seq)) return seq;
    return undefined;
  }

  /** A test for a mark without an allocation. */
  hasMark(seq: number, mark: HistoryMark): boolean {
    return (this.#marks.at(seq - 1) & (1 << HISTORY_MARKS.indexOf(mark))) !== 0;
  }

  /** Machines that are quiet for long are looked up in what is kept at every so many records. */
  #machineLast(machine: string, seq: number): number | undefined {
    const list = this.#lastOf.get(machine);
    if (list === undefined) return undefined;
    const kept = Math.floor(seq / COUNTS_EVERY);
    const is = this.isOf({ machine });
    for (let at = seq; at > kept * COUNTS_EVERY; at--) if (is(at)) return at;
    return list.at(kept - 1) || undefined;
  }

  #noteInstance(name: string, seq: number, finished: boolean): void {
    const key = nameKey(name);
    const known = this.#numbers.get(key);
    const number = known === undefined ? this.#first.length : Number(known);
    if (known === undefined) {
      this.#numbers.set(key, BigInt(number));
      this.#first.push(seq);
      this.#last.push(0);
      this.#finished.push(0);
    }
    this.#instance.push(number);
    this.#previous.push(this.#last.at(number));
    this.#last.set(number, seq);
    if (!finished) return;
    this.#finished.set(number, seq);
    this.#ends.push(seq);
  }

  #countState(seq: number, machine: string): void {
    this.#move(this.#stateCounts, seq - 1);
    this.#lastNow.set(machine, seq);
    if (seq % COUNTS_EVERY !== 0) return;
    this.#counts.push(Uint32Array.from(this.#stateCounts));
    for (const { name } of this.machines) this.#lastOf.get(name)?.push(this.#lastNow.get(name) ?? 0);
  }

  /** Moves one instance as the record at a place did. */
  #move(counts: number[], at: number): void {
    const [before, after] = [this.#before.at(at), this.#after.at(at)];
    while (counts.length < after) counts.push(0);
    if (before !== 0) counts[before - 1] = (counts[before - 1] ?? 0) - 1;
    counts[after - 1] = (counts[after - 1] ?? 0) + 1;
  }

  /** @returns how much more or less the wallet has */
  #noteTables(seq: number): bigint {
    let earned = 0n;
    for (const [id, before] of this.#state.coins.changes) {
      earned += this.#add(this.#state.coins.get(id), 1n) + this.#add(before, -1n);
    }
    for (const key of this.#state.quarantine.changes.keys()) {
      const entry = this.#state.quarantine.get(key);
      if (entry?.code === "ANCHOR_UNCONFIRMED") this.#unconfirmed.set(key, entry);
      else this.#unconfirmed.delete(key);
    }
    for (const name of HISTORY_TABLES) {
      const map = this.#state[name];
      for (const key of map.changes.keys()) {
        if (map.has(key)) this.tables[name].touch(key, seq);
        else this.tables[name].end(key, seq);
      }
      map.changes.clear();
    }
    return earned;
  }

  /** @returns by how much that changes what the wallet has */
  #add(coin: Coin | undefined, sign: bigint): bigint {
    if (coin === undefined) return 0n;
    const name = balancePartOf(coin);
    const change = sign * coin.amountSats;
    this.#sums.set(name, (this.#sums.get(name) ?? 0n) + change);
    return name === "pendingOutSats" ? 0n : change;
  }

  #noteNumbers(seq: number): void {
    const { counters, checkpoint, instances } = this.#state;
    const low = Number(checkpoint & ((1n << LOW_BITS) - 1n));
    const halted = instances.get(MAILBOX)?.state === "Halted" ? 1 : 0;
    this.counters.note(seq, { ...counters, halted, high: Number(checkpoint >> LOW_BITS), low });
    let unconfirmed = 0n;
    for (const { id, amountSats } of this.#unconfirmed.values()) {
      if (id === null || !this.#state.isKnown(id)) unconfirmed += amountSats ?? 0n;
    }
    const sums = Object.fromEntries([...this.#sums].map(([name, sats]) => [name, Number(sats)]));
    this.#money.note(seq, { ...sums, unconfirmed: Number(unconfirmed) });
  }

  #stateName(number: number): string | null {
    return number === 0 ? null : (this.#states.at(number - 1).split(" ")[1] ?? "");
  }
}

function nameKey(instance: string): Uint8Array {
  return sha256(new TextEncoder().encode(instance)).slice(0, NAME_KEY_BYTES);
}

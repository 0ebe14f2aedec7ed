import type { MachineDefinition } from "../machines/step.ts";
import { GrowingColumn } from "./growing-column.ts";
import { NameList } from "./history-lists.ts";

/** How often the counts are kept; between, records are counted. */
const KEPT_EVERY = 4_096;

/** Which records are of which machine and event, and between which states they went: some 6 bytes a record. */
export class HistoryStates {
  readonly #machines: readonly MachineDefinition[];
  /** Names of machine and event type, and of machine and state, by number. */
  readonly #types = new NameList();
  readonly #states = new NameList();
  /** Of each record. States are one more than their number, 0 for none. */
  readonly #type = new GrowingColumn(new Uint16Array());
  readonly #before = new GrowingColumn(new Uint16Array());
  readonly #after = new GrowingColumn(new Uint16Array());
  /** How many instances stood in each state, by its number: at every {@link KEPT_EVERY} records, and now. */
  readonly #counts: Uint32Array[] = [];
  readonly #countsNow: number[] = [];
  /** The last record of each machine, at the same places and now; 0 for none. */
  readonly #lastOf: ReadonlyMap<string, GrowingColumn>;
  readonly #lastNow = new Map<string, number>();

  constructor(among: readonly MachineDefinition[]) {
    this.#machines = among;
    this.#lastOf = new Map(among.map(({ name }) => [name, new GrowingColumn(new Uint32Array())]));
  }

  /** How many records it has. */
  get length(): number {
    return this.#type.length;
  }

  /** Takes the next record. */
  note(machine: string, type: string, before: string | undefined, after: string): void {
    this.#type.push(this.#types.numberOf(machine, type));
    this.#before.push(before === undefined ? 0 : this.#states.numberOf(machine, before) + 1);
    this.#after.push(this.#states.numberOf(machine, after) + 1);
    const seq = this.length;
    this.#move(this.#countsNow, seq - 1);
    this.#lastNow.set(machine, seq);
    if (seq % KEPT_EVERY !== 0) return;
    this.#counts.push(Uint32Array.from(this.#countsNow));
    for (const { name } of this.#machines) this.#lastOf.get(name)?.push(this.#lastNow.get(name) ?? 0);
  }

  /** State before a record; null for an instance's first. */
  beforeOf(seq: number): string | null {
    return this.#nameOf(this.#before.at(seq - 1));
  }

  afterOf(seq: number): string {
    return this.#nameOf(this.#after.at(seq - 1)) ?? "";
  }

  /** How many instances of each machine stood in each state after a record. */
  at(seq: number): Record<string, Record<string, number>> {
    const kept = Math.floor(seq / KEPT_EVERY);
    const counts = [...(this.#counts[kept - 1] ?? [])];
    for (let at = kept * KEPT_EVERY; at < seq; at++) this.#move(counts, at);
    const found: Record<string, Record<string, number>> = {};
    for (const [number, count] of counts.entries()) {
      const [machine, state] = this.#states.at(number);
      if (count > 0) found[machine] = { ...found[machine], [state]: count };
    }
    return found;
  }

  /** The last record of each machine until one. */
  lastOfMachines(seq: number): Map<string, number> {
    const found = new Map<string, number>();
    for (const { name } of this.#machines) {
      const number = this.#machineLast(name, seq);
      if (number !== undefined) found.set(name, number);
    }
    return found;
  }

  /** A test for records of a machine or an event type, without an allocation for each. */
  isOf(wanted: { readonly machine?: string; readonly type?: string }): (seq: number) => boolean {
    const { machine: wantedMachine, type: wantedType } = wanted;
    const numbers = this.#types.numbersWhere(
      (machine, type) => (wantedMachine ?? machine) === machine && (wantedType ?? type) === type,
    );
    return (seq) => numbers.has(this.#type.at(seq - 1));
  }

  /** Machines that are quiet for long are looked up in what is kept at every so many records. */
  #machineLast(machine: string, seq: number): number | undefined {
    const kept = Math.floor(seq / KEPT_EVERY);
    const is = this.isOf({ machine });
    for (let at = seq; at > kept * KEPT_EVERY; at--) if (is(at)) return at;
    return this.#lastOf.get(machine)?.at(kept - 1) || undefined;
  }

  /** Moves one instance as the record at a place did. */
  #move(counts: number[], at: number): void {
    const [before, after] = [this.#before.at(at), this.#after.at(at)];
    while (counts.length < after) counts.push(0);
    if (before !== 0) counts[before - 1] = (counts[before - 1] ?? 0) - 1;
    counts[after - 1] = (counts[after - 1] ?? 0) + 1;
  }

  #nameOf(number: number): string | null {
    return number === 0 ? null : this.#states.at(number - 1)[1];
  }
}

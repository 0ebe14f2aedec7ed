import type { Subject } from "./explain-subject.ts";
import { GrowingColumn } from "./growing-column.ts";

const MENTION_CHAINS = 2 ** 20;

/** A few names of machines with one of theirs each, by number. */
export class NameList {
  readonly #names: (readonly [machine: string, name: string])[] = [];
  readonly #numbers = new Map<string, Map<string, number>>();

  numberOf(machine: string, name: string): number {
    const ofMachine = this.#numbers.get(machine) ?? new Map<string, number>();
    const known = ofMachine.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(machine, ofMachine.set(name, this.#names.length));
    return this.#names.push([machine, name]) - 1;
  }

  at(number: number): readonly [machine: string, name: string] {
    return this.#names[number] ?? ["", ""];
  }

  numbersWhere(fits: (machine: string, name: string) => boolean): ReadonlySet<number> {
    return new Set([...this.#names.keys()].filter((number) => fits(...this.at(number))));
  }
}

/** Which records may be about an id: chains by some bits of it. */
export class MentionList {
  /** The last mention, one more than its place. */
  readonly #last = new Uint32Array(MENTION_CHAINS);
  readonly #seqs = new GrowingColumn(new Uint32Array());
  readonly #before = new GrowingColumn(new Uint32Array());

  note({ kind, id }: Subject, seq: number): void {
    const chain = kind === "vtxo" || kind === "quarantined" ? chainOfDigits(id) : chainOf(id);
    this.#seqs.push(seq);
    this.#before.push(this.#last[chain] ?? 0);
    this.#last[chain] = this.#seqs.length;
  }

  of(id: string): number[] {
    const found = new Set<number>();
    for (const chain of [chainOf(id), chainOfDigits(id)]) {
      for (let at = this.#last[chain] ?? 0; at !== 0; at = this.#before.at(at - 1)) found.add(this.#seqs.at(at - 1));
    }
    return [...found].sort((a, b) => a - b);
  }
}

/** Drawn for each process: whoever makes ids cannot aim them all at one chain. */
const [SEED = 1] = crypto.getRandomValues(new Uint32Array(1));
const FNV_PRIME = 0x01000193;

function chainOf(id: string): number {
  let mixed = SEED;
  for (let at = 0; at < id.length; at++) mixed = Math.imul(mixed ^ id.charCodeAt(at), FNV_PRIME);
  return ((mixed ^ (mixed >>> 15)) >>> 0) % MENTION_CHAINS;
}

/** By the first digits, so that a cut id leads to the same. */
function chainOfDigits(id: string): number {
  const digits = Number.parseInt(id.slice(0, 8), 16);
  return (Number.isNaN(digits) ? 0 : digits) % MENTION_CHAINS;
}

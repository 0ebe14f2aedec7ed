import { sha256 } from "../ark/crypto.ts";
import type { Subject } from "./explain-subject.ts";
import { GrowingColumn } from "./growing-column.ts";

const MENTION_CHAINS = 2 ** 20;

/** A few names by number. */
export class NameList {
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  at(number: number): string {
    return this.#names[number] ?? "";
  }

  numbersWhere(fits: (name: string) => boolean): ReadonlySet<number> {
    return new Set([...this.#names.keys()].filter((number) => fits(this.at(number))));
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

function chainOf(id: string): number {
  return new DataView(sha256(new TextEncoder().encode(id)).buffer).getUint32(0) % MENTION_CHAINS;
}

/** By the first digits, so that a cut id leads to the same. */
function chainOfDigits(id: string): number {
  const digits = Number.parseInt(id.slice(0, 8), 16);
  return (Number.isNaN(digits) ? 0 : digits) % MENTION_CHAINS;
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Numbers one behind the other, in as few bytes as they need: for what is kept of every record. */
export class GrowingColumn {
  #numbers: Numbers;
  #length = 0;

  /** @param numbers an empty array of the kind to keep them in */
  constructor(numbers: Numbers) {
    this.#numbers = numbers;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) this.#grow();
    this.#numbers[this.#length++] = value;
  }

  /** 0 where nothing was kept. */
  at(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.#numbers[index] = value;
  }

  /** The first place from one on, and before another, that has a value; -1 if none has. */
  find(value: number, from: number, to = this.#length): number {
    const found = this.between(from, to).indexOf(value);
    return found < 0 ? -1 : from + found;
  }

  /** Those from one place to another, the last not included, as they are now: a view. */
  between(from: number, to: number): Numbers {
    return this.#numbers.subarray(from, Math.min(to, this.#length));
  }

  /** How many of the first numbers, which never decrease, are at most `value`. */
  countUpTo(value: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const numbers = this.#numbers;
    const kind = numbers.constructor as new (length: number) => Numbers;
    this.#numbers = new kind(Math.max(1_024, Math.ceil(numbers.length * 1.5)));
    this.#numbers.set(numbers);
  }
}

/** Named numbers that change from record to record: what they were after any record, for a few bytes a change. */
export class GrowingRows<Name extends string> {
  readonly #seqs = new GrowingColumn(new Uint32Array());
  readonly #names: readonly Name[];
  readonly #columns: readonly GrowingColumn[];
  #last: readonly number[];

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.#columns = names.map(() => new GrowingColumn(new Float64Array()));
    this.#last = names.map(() => 0);
  }

  /** Notes what they are after a record, in the order of their names; costs nothing where nothing changed. */
  note(seq: number, numbers: readonly number[]): void {
    if (numbers.every((number, at) => this.#last[at] === number)) return;
    for (const [at, column] of this.#columns.entries()) column.push(numbers[at] ?? 0);
    this.#seqs.push(seq);
    this.#last = numbers;
  }

  /** What they were after a record. */
  after(seq: number): Record<Name, number> {
    const row = this.#seqs.countUpTo(seq) - 1;
    const values = this.#names.map((name, at) => [name, row < 0 ? 0 : (this.#columns[at]?.at(row) ?? 0)]);
    return Object.fromEntries(values) as Record<Name, number>;
  }
}

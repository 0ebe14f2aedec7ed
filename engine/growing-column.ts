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
export class GrowingRows {
  readonly #seqs = new GrowingColumn(new Uint32Array());
  readonly #columns = new Map<string, GrowingColumn>();
  #last: Readonly<Record<string, number>> = {};

  /** Notes what they are after a record; costs nothing where nothing changed. */
  note(seq: number, numbers: Readonly<Record<string, number>>): void {
    const names = Object.keys(numbers);
    if (names.every((name) => this.#last[name] === numbers[name])) return;
    for (const name of names) {
      const column = this.#columns.get(name) ?? new GrowingColumn(new Float64Array());
      this.#columns.set(name, column);
      // A name that comes up later was 0 before.
      while (column.length < this.#seqs.length) column.push(0);
      column.push(numbers[name] ?? 0);
    }
    this.#seqs.push(seq);
    this.#last = { ...numbers };
  }

  /** What they were after a record. */
  after(seq: number): Record<string, number> {
    const row = this.#seqs.countUpTo(seq) - 1;
    return Object.fromEntries([...this.#columns].map(([name, column]) => [name, row < 0 ? 0 : column.at(row)]));
  }
}

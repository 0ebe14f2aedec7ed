const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const FIRST_CAPACITY = 4096;

/** A line without its end, or `undefined` for one that is longer than allowed. */
export type Line = Uint8Array | undefined;

/**
 * Splits a byte stream into lines that end in LF or CRLF; the last one may end with the stream.
 *
 * Holds one line at most: the rest of a line that is too long is dropped as it arrives. The source
 * is read no faster than lines are taken.
 *
 * @param maxBytes longest line, its end not counted
 */
export async function* readLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line, void> {
  const pending = new PendingLine(maxBytes);
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pending.add(chunk.subarray(start, end));
      yield pending.take();
      start = end + 1;
    }
    pending.add(chunk.subarray(start));
  }
  if (pending.length > 0) yield pending.take();
}

/** The bytes of a line that has not ended yet, copied out of the chunks they came in. */
class PendingLine {
  /** Bytes seen, kept or not. */
  length = 0;
  readonly #maxBytes: number;
  #buffer = new Uint8Array(FIRST_CAPACITY);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: Uint8Array): void {
    const length = this.length + part.length;
    // One byte more than allowed is kept: it may be a carriage return.
    if (length <= this.#maxBytes + 1) {
      if (length > this.#buffer.length) this.#grow(length);
      this.#buffer.set(part, this.length);
    }
    this.length = length;
  }

  take(): Line {
    const end = this.#buffer[this.length - 1] === CARRIAGE_RETURN ? this.length - 1 : this.length;
    const line = end > this.#maxBytes ? undefined : this.#buffer.slice(0, end);
    this.length = 0;
    return line;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.min(this.#maxBytes + 1, Math.max(length, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.length));
    this.#buffer = grown;
  }
}

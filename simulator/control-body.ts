import type { IncomingMessage } from "node:http";
import { SimulatorError } from "./errors.ts";

const LARGEST_BODY_BYTES = 1_048_576;

/** A JSON object from outside, read member by member; `end` refuses what nobody asked for. */
export class ControlBody {
  readonly #members: Map<string, unknown>;
  readonly #path: string;

  constructor(value: unknown, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw badRequest(`expected ${path || "the body"} to be a JSON object, got ${JSON.stringify(value)}`);
    }
    this.#members = new Map(Object.entries(value));
    this.#path = path;
  }

  /** Reads the body of a request; an empty one counts as `{}`. @throws SimulatorError `BAD_REQUEST` */
  static async of(request: IncomingMessage): Promise<ControlBody> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > LARGEST_BODY_BYTES) throw badRequest(`expected a body of at most ${LARGEST_BODY_BYTES} bytes, got more`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString("utf8");
    if (text.trim() === "") return new ControlBody({});
    try {
      return new ControlBody(JSON.parse(text));
    } catch (cause) {
      if (cause instanceof SimulatorError) throw cause;
      throw new SimulatorError("BAD_REQUEST", "expected a JSON object, got other text", { cause });
    }
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  text(name: string): string {
    return this.#take(name, "a text", (value) => (typeof value === "string" ? value : undefined));
  }

  flag(name: string): boolean {
    return this.#take(name, "true or false", (value) => (typeof value === "boolean" ? value : undefined));
  }

  /** A whole number of JSON. */
  whole(name: string): number {
    return this.#take(name, "a whole number", (value) => (Number.isSafeInteger(value) ? (value as number) : undefined));
  }

  /** A whole number of at least `least`. */
  wholeFrom(name: string, least: number): number {
    return this.#take(name, `a whole number of at least ${least}`, (value) =>
      Number.isSafeInteger(value) && (value as number) >= least ? (value as number) : undefined,
    );
  }

  /** A 64-bit number, as a decimal text since JSON numbers are too narrow. */
  big(name: string): bigint {
    return this.#take(name, "a decimal text", asBig);
  }

  bigs(name: string): bigint[] {
    return this.#take(name, "a list of decimal texts", (value) => {
      if (!Array.isArray(value)) return undefined;
      const numbers = value.map(asBig);
      return numbers.every((number) => number !== undefined) ? numbers : undefined;
    });
  }

  /** One of some words. */
  word<const Word extends string>(name: string, words: readonly Word[]): Word {
    return this.#take(name, `one of ${words.join(", ")}`, (value) => words.find((word) => word === value));
  }

  /** One of some words, or `null`. */
  wordOrNull<const Word extends string>(name: string, words: readonly Word[]): Word | null {
    return this.#members.get(name) === null ? this.#take(name, "null", () => null) : this.word(name, words);
  }

  /** A list of objects. */
  list(name: string): ControlBody[] {
    const values = this.#take(name, "a list", (value) => (Array.isArray(value) ? (value as unknown[]) : undefined));
    return values.map((value, i) => new ControlBody(value, `${this.#path}${name}[${i}].`));
  }

  object(name: string): ControlBody {
    return new ControlBody(
      this.#take(name, "an object", (value) => value),
      `${this.#path}${name}.`,
    );
  }

  /** A member that may be missing. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read.call(this, name) : undefined;
  }

  /** Refuses members that were not read. @throws SimulatorError `BAD_REQUEST` */
  end(): void {
    const [left] = this.#members.keys();
    if (left !== undefined) throw badRequest(`expected no member ${this.#path}${left}`);
  }

  #take<T>(name: string, expected: string, read: (value: unknown) => T | undefined): T {
    const value = this.#members.get(name);
    this.#members.delete(name);
    const result = read(value);
    if (result === undefined) throw badRequest(`expected ${this.#path}${name} to be ${expected}, got ${JSON.stringify(value)}`);
    return result;
  }
}

function asBig(value: unknown): bigint | undefined {
  return typeof value === "string" && /^(0|[1-9][0-9]{0,19})$/.test(value) ? BigInt(value) : undefined;
}

function badRequest(text: string): SimulatorError {
  return new SimulatorError("BAD_REQUEST", text);
}

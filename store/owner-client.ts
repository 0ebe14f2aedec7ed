import { Buffer } from "node:buffer";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./errors.ts";
import { decodeRefusal } from "./owner-refusal.ts";
import { addressOf, type SocketAddress } from "./owner-socket.ts";

/** How long an owner may be silent before it counts as hung. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 20;
const ANSWER_BYTES_MAX = 512 * 1024 * 1024;
const BUSY = 503;
/** What a connection fails with where nobody listens, or nobody ever did. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTSOCK", "EACCES", "EPERM", "ENOTSUP", "ENAMETOOLONG", "EINVAL"]);

/** That the owner of a directory did not answer as expected. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** Options of {@link OwnerClient}. */
export interface OwnerClientOptions {
  /** Ends whatever runs, on both sides. */
  readonly signal?: AbortSignal;
  /** How long the owner may be silent, in milliseconds. */
  readonly patienceMs?: number;
}

/** Asks the process that has a directory open. */
export class OwnerClient {
  readonly #address: SocketAddress;
  readonly #signal: AbortSignal | undefined;
  readonly #patienceMs: number;

  private constructor(address: SocketAddress, { signal, patienceMs }: OwnerClientOptions) {
    this.#address = address;
    this.#signal = signal;
    this.#patienceMs = patienceMs ?? PATIENCE_MS;
  }

  static async in(directory: string, options: OwnerClientOptions = {}): Promise<OwnerClient> {
    return new OwnerClient(await addressOf(directory), options);
  }

  /**
   * The body of an answer. A busy owner and a cut connection are borne for a while: whatever can be asked here can be
   * asked again.
   *
   * @throws NoAnswer if nobody listens, or the owner stays silent or busy, or speaks otherwise; StoreError as the owner
   * says; the reason of the signal
   */
  async get(path: string): Promise<Uint8Array> {
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      this.#signal?.throwIfAborted();
      const answer = await this.#ask(path, deadline - Date.now());
      if (answer.status === 200) return answer.body;
      if (answer.status !== BUSY) {
        throw decodeRefusal(answer.body) ?? new NoAnswer(`expected an answer to ${path}, got status ${answer.status}`);
      }
      await sleep(RETRY_MS * (1 + Math.random()), undefined, { ref: true });
      if (Date.now() > deadline) throw new NoAnswer(`expected an answer within ${this.#patienceMs} ms, got none`);
    }
  }

  async close(): Promise<void> {
    await this.#address.release();
  }

  async #ask(path: string, timeoutMs: number): Promise<Answer> {
    const signal = this.#signal === undefined ? {} : { signal: this.#signal };
    try {
      return await ask({ socketPath: this.#address.path, path, timeoutMs, ...signal });
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (error instanceof NoAnswer) throw error;
      const code = errorCode(error) ?? "";
      if (NOBODY.has(code)) throw new NoAnswer(`expected an owner that listens, got ${code}`, { cause: error });
      return { status: BUSY, body: new Uint8Array() };
    }
  }
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

interface Question {
  readonly socketPath: string;
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

function ask({ timeoutMs, ...question }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ ...question, agent: false, timeout: Math.max(1, timeoutMs) }, (response) => {
      collect(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    asking.once("timeout", () => asking.destroy(new NoAnswer(`expected an answer within ${timeoutMs} ms, got none`)));
    asking.once("error", reject);
    asking.end();
  });
}

/** A whole answer, bounded. @throws NoAnswer if it is longer than any answer of an owner */
export async function collect(response: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new NoAnswer(`expected an answer of at most ${ANSWER_BYTES_MAX} bytes, got more`);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

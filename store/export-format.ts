import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { ChainReader, headAt, type RawFrame, startOf } from "./chain-reader.ts";
import { StoreError } from "./errors.ts";
import type { LogHead } from "./event-log.ts";
import { decodeSealedText, encodeSealedText, type SealedMembers } from "./sealed-text.ts";

const HEADER = "heartwood log export";
const FOOTER = "heartwood log end";
const FORMAT = "1";
const HEADER_LINES = 4;
const FOOTER_LINES = 7;
const LOG_ID = /^[0-9a-f]{64}$/;
const NUMBER = /^(0|[1-9][0-9]{0,19})$/;

/** The text of an export file, piece by piece (docs/log-format.md §9). */
export class ExportEncoder {
  readonly #digest: Hash = createHash("sha256");

  /** The first lines. */
  header(logId: string): string {
    return this.#noted(encodeSealedText(HEADER, { format: FORMAT, log: logId }));
  }

  /** The line of a frame. */
  frame(bytes: Uint8Array): string {
    return this.#noted(`${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}\n`);
  }

  /** The last lines, without which a file is refused. */
  footer({ epoch, commit, seq, chain }: LogHead): string {
    const digest = this.#digest.copy().digest("hex");
    return encodeSealedText(FOOTER, { epoch: String(epoch), commit: String(commit), seq: String(seq), chain, digest });
  }

  #noted(text: string): string {
    this.#digest.update(text);
    return text;
  }
}

/** Reads and verifies an export file line by line; frames come out as they are verified. */
export class ExportDecoder {
  readonly #digest: Hash = createHash("sha256");
  readonly #header: string[] = [];
  readonly #footer: string[] = [];
  #logId: string | undefined;
  #chain: ChainReader | undefined;

  /** Id of the log, once the header was read. */
  get logId(): string | undefined {
    return this.#logId;
  }

  /**
   * Takes the next line, without its line feed.
   *
   * @returns the frame in it, if it holds one
   * @throws StoreError `STORE_BAD_EXPORT`, `STORE_UNKNOWN_FORMAT`, or the damage of a frame
   */
  line(line: Buffer): RawFrame | undefined {
    const text = line.toString("latin1");
    if (this.#footer.length === 0 && text !== FOOTER) this.#digest.update(line).update("\n");
    if (this.#chain === undefined) {
      this.#readHeader(text);
      return undefined;
    }
    if (this.#footer.length > 0 || text === FOOTER) {
      this.#footer.push(text);
      if (this.#footer.length > FOOTER_LINES) throw bad("an end after the footer", "more lines");
      return undefined;
    }
    const raw = { seq: this.#chain.position.seq + 1n, bytes: new Uint8Array(Buffer.from(text, "base64")) };
    this.#chain.accept(raw);
    return raw;
  }

  /**
   * Checks that the file was whole, after its last line.
   *
   * @throws StoreError `STORE_BAD_EXPORT`
   */
  end(): LogHead {
    if (this.#chain === undefined || this.#logId === undefined) throw bad("an export file", "a file that ends in its header");
    const { position } = this.#chain;
    if (!position.endsCommit) throw bad("a log that ends with a whole commit", `one that ends inside commit ${position.commit}`);
    if (this.#footer.length === 0) throw bad("a footer", `a file that was cut after record ${position.seq}`);
    const members = decodeSealedText(FOOTER, lines(this.#footer));
    if (members === undefined) throw bad("a whole footer", "a cut or damaged one");
    if (members.digest !== this.#digest.digest("hex")) throw bad(`SHA-256 ${members.digest} as the footer says`, "another");
    const head = headAt(this.#logId, epochOf(members, position.epoch), position);
    if (members.seq !== String(head.seq) || members.commit !== String(head.commit) || members.chain !== head.chain) {
      throw bad(`records up to ${members.seq} with chain link ${members.chain}`, `up to ${head.seq} with ${head.chain}`);
    }
    return head;
  }

  #readHeader(text: string): void {
    this.#header.push(text);
    if (this.#header[0] !== HEADER) throw bad(`a file that begins with "${HEADER}"`, "another");
    if (this.#header.length < HEADER_LINES) return;
    const { format, log } = decodeSealedText(HEADER, lines(this.#header)) ?? {};
    if (format !== undefined && format !== FORMAT) {
      throw new StoreError("STORE_UNKNOWN_FORMAT", `expected an export of format ${FORMAT}, got format ${format}`);
    }
    if (log === undefined || !LOG_ID.test(log)) throw bad("a header with a log id", "a damaged one");
    this.#logId = log;
    this.#chain = new ChainReader(startOf(log));
  }
}

function epochOf({ epoch = "" }: SealedMembers, last: bigint): bigint {
  if (!NUMBER.test(epoch) || BigInt(epoch) < last) throw bad(`epoch ${last} or later`, epoch);
  return BigInt(epoch);
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

function bad(expected: string, got: string): StoreError {
  return new StoreError("STORE_BAD_EXPORT", `expected ${expected}, got ${got}`);
}

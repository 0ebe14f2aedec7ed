import { sha256 } from "../ark/crypto.ts";
import { encodeHex } from "../ark/hex.ts";
import type { VtxoSource } from "../machines/package.ts";
import type { EventLog } from "../store/event-log.ts";
import { decodeDelivery } from "../streams/delivery.ts";
import { HeartwoodError } from "./errors.ts";
import type { WalletState } from "./wallet-state.ts";

/** Received bytes by digest: out of the log, or out of memory while their record is not durable yet. */
export class BlobReader {
  readonly #log: EventLog;
  readonly #committed: WalletState;
  readonly #waiting = new Map<string, Uint8Array>();
  readonly #lent = new Map<string, Uint8Array>();
  #last: { readonly digest: string; readonly entries: Promise<readonly Uint8Array[]> } | undefined;

  constructor(log: EventLog, committed: WalletState) {
    this.#log = log;
    this.#committed = committed;
  }

  /** Keeps bytes at hand until `durable` settles. */
  remember(digest: string, bytes: Uint8Array, durable: Promise<void>): void {
    this.#waiting.set(digest, bytes);
    const forget = (): void => void this.#waiting.delete(digest);
    durable.then(forget, forget);
  }

  /** Lends bytes that the log may not keep, until the answer is called. */
  lend(digest: string, bytes: Uint8Array): () => void {
    this.#lent.set(digest, bytes);
    return () => void this.#lent.delete(digest);
  }

  /** Whether bytes can be read here; those above the day's budget only the server has (DESIGN §7). */
  has(digest: string): boolean {
    return this.#waiting.has(digest) || this.#lent.has(digest) || this.#committed.blobSeq(digest) !== undefined;
  }

  /**
   * The bytes of a blob.
   *
   * @throws HeartwoodError `NOT_FOUND` if no record holds them; StoreError if the record is damaged
   */
  async read(digest: string): Promise<Uint8Array> {
    const waiting = this.#waiting.get(digest) ?? this.#lent.get(digest);
    if (waiting !== undefined) return waiting;
    const seq = this.#committed.blobSeq(digest);
    const blob = seq === undefined ? undefined : await this.#find(seq, digest);
    if (blob === undefined) throw new HeartwoodError("NOT_FOUND", `expected bytes with digest ${digest} in the log, got none`);
    return blob;
  }

  /** The encoding of a VTXO; same errors as {@link read}. */
  async vtxo({ digest, entry }: VtxoSource): Promise<Uint8Array> {
    if (entry === null) return this.read(digest);
    const vtxo = (await this.#entries(digest))[entry];
    if (vtxo === undefined) throw new HeartwoodError("NOT_FOUND", `expected entry ${entry} in message ${digest}, got none`);
    return vtxo;
  }

  /** Entries of one message are asked for in a row, so the last message stays decoded. */
  #entries(digest: string): Promise<readonly Uint8Array[]> {
    if (this.#last?.digest !== digest) {
      const entries = this.read(digest).then((bytes) => {
        const { content } = decodeDelivery(bytes);
        return content.kind === "arkoor" ? content.vtxos : [];
      });
      this.#last = { digest, entries };
      entries.catch(() => {
        this.#last = undefined;
      });
    }
    return this.#last.entries;
  }

  async #find(seq: bigint, digest: string): Promise<Uint8Array | undefined> {
    const { record } = await this.#log.get(seq);
    return record.blobs.find((blob) => encodeHex(blob.digest) === digest)?.data;
  }
}

/** The key under which bytes are kept: SHA-256, hex. */
export function digestOf(bytes: Uint8Array): string {
  return encodeHex(sha256(bytes));
}

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

  /**
   * The bytes of a blob.
   *
   * @throws HeartwoodError `NOT_FOUND` if no record holds them; StoreError if the record is damaged
   */
  async read(digest: string): Promise<Uint8Array> {
    const waiting = this.#waiting.get(digest);
    if (waiting !== undefined) return waiting;
    const seq = this.#committed.blobs.get(digest);
    const blob = seq === undefined ? undefined : await this.#find(seq, digest);
    if (blob === undefined) throw new HeartwoodError("NOT_FOUND", `expected bytes with digest ${digest} in the log, got none`);
    return blob;
  }

  /** The encoding of a VTXO; same errors as {@link read}. */
  async vtxo({ digest, entry }: VtxoSource): Promise<Uint8Array> {
    const bytes = await this.read(digest);
    if (entry === null) return bytes;
    const { content } = decodeDelivery(bytes);
    const vtxo = content.kind === "arkoor" ? content.vtxos[entry] : undefined;
    if (vtxo === undefined) throw new HeartwoodError("NOT_FOUND", `expected entry ${entry} in message ${digest}, got none`);
    return vtxo;
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

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { BackEnd } from "./back-end.ts";
import { BackedLog } from "./backed-log.ts";
import { toHex } from "./bytes.ts";
import { LOG_ID_BYTES } from "./chain.ts";
import { headAt, type RawFrame, startOf } from "./chain-reader.ts";
import type { LogHead, SnapshotLog } from "./event-log.ts";
import { type LockHolder, lockedBy } from "./lock-holder.ts";

const BATCH_FRAMES = 256;

/** A log in memory that can be closed and opened again, with the same rules as one on disk. */
export interface MemoryLog {
  /**
   * Opens it; for writing, this raises the epoch by one.
   *
   * @throws StoreError `STORE_LOCKED` while it is open
   */
  open(options?: { readonly readOnly?: boolean }): Promise<SnapshotLog>;
}

/** Options of {@link createMemoryLog}. */
export interface MemoryLogOptions {
  /** 32 bytes as hex, for a log that must come out the same each time; random if not given. */
  readonly logId?: string;
}

/** A new, empty log in memory, for tests and for wallets that need not outlive their process. */
export function createMemoryLog({ logId = toHex(randomBytes(LOG_ID_BYTES)) }: MemoryLogOptions = {}): MemoryLog {
  const stored: RawFrame[] = [];
  const snapshots = new Map<bigint, Uint8Array>();
  let head: LogHead = headAt(logId, 0n, startOf(logId));
  let holder: LockHolder | undefined;

  return {
    async open({ readOnly = false } = {}) {
      if (holder !== undefined) throw lockedBy(holder);
      holder = { host: hostname(), pid: process.pid, since: new Date().toISOString(), readOnly };
      if (!readOnly) head = { ...head, epoch: head.epoch + 1n };
      const backEnd: BackEnd = {
        async *frames(from, to) {
          for (let at = from; at <= to; at += BigInt(BATCH_FRAMES)) {
            const end = at + BigInt(BATCH_FRAMES) - 1n;
            yield stored.slice(Number(at) - 1, Number(end < to ? end : to));
          }
        },
        async writeFrames(frames) {
          stored.push(...frames);
        },
        async writeHead(next) {
          head = next;
        },
        async putSnapshot(seq, pieces) {
          snapshots.set(seq, new Uint8Array(Buffer.concat([...pieces])));
        },
        async getSnapshot(seq) {
          return snapshots.get(seq)?.slice();
        },
        async listSnapshots() {
          return [...snapshots.keys()];
        },
        async deleteSnapshot(seq) {
          snapshots.delete(seq);
        },
        async close() {
          holder = undefined;
        },
      };
      return new BackedLog({ backEnd, head, readOnly });
    },
  };
}

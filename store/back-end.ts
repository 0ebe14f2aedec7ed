import type { RawFrame } from "./chain-reader.ts";
import type { LogHead } from "./event-log.ts";

/**
 * Where commits go.
 *
 * `writeFrames` and `writeHead` are each called one at a time, but the head of one commit may be written while the
 * frames of the next are.
 */
export interface CommitSink {
  /** Writes the frames of one commit, all or none; resolves when they are durable. */
  writeFrames(frames: readonly RawFrame[]): Promise<void>;
  /** Notes the end of the log outside of it; resolves when it is durable. */
  writeHead(head: LogHead): Promise<void>;
}

/** What a back end does; everything else about a log is shared. */
export interface BackEnd extends CommitSink {
  /** Frames `from` … `to`, both included, in order and in batches of bounded size. */
  frames(from: bigint, to: bigint): AsyncIterable<readonly RawFrame[]>;
  /** Keeps the bytes of a snapshot under a number, whole or not at all; replaces those of the same number. */
  putSnapshot(seq: bigint, pieces: readonly Uint8Array[]): Promise<void>;
  /** A copy of the bytes under a number, if there are any. */
  getSnapshot(seq: bigint): Promise<Uint8Array | undefined>;
  /** The numbers of all snapshots, in any order. */
  listSnapshots(): Promise<readonly bigint[]>;
  deleteSnapshot(seq: bigint): Promise<void>;
  /** Gives everything free. `head` is the last one if every write succeeded and nothing speaks against it, else undefined. */
  close(head: LogHead | undefined): Promise<void>;
}

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { fromHex, toHex } from "./bytes.ts";
import { CHAIN_BYTES, LOG_ID_BYTES } from "./chain.ts";
import { errorCode, StoreError } from "./errors.ts";
import type { LogHead } from "./event-log.ts";
import { writeNewFile } from "./files.ts";

/** What the HEAD file says of a log. */
export interface HeadState extends LogHead {
  /** Whether the log was closed in order, so that nothing can have been written after this. */
  readonly clean: boolean;
  /** Whether a write of this log failed after this, so that nothing on the disk is taken as read. */
  readonly failed?: boolean;
}

const FORMAT = 1;
/** A slot has a block of its own, so that a torn write of one leaves the other whole. */
const SLOT_BYTES = 4096;
const CLEAN_AT = 1;
const CLEAN = 1;
const FAILED = 2;
const LOG_ID_AT = 2;
const EPOCH_AT = LOG_ID_AT + LOG_ID_BYTES;
const COMMIT_AT = EPOCH_AT + 8;
const SEQ_AT = COMMIT_AT + 8;
const CHAIN_AT = SEQ_AT + 8;
const COUNTER_AT = CHAIN_AT + CHAIN_BYTES;
const CRC_AT = SLOT_BYTES - 4;

interface Slot {
  readonly state: HeadState;
  /** Grows by one with every write: the greater one counts. */
  readonly counter: bigint;
}

/** The HEAD file: two checksummed slots, written in turn (docs/log-format.md §5). */
export class HeadFile {
  readonly #file: FileHandle;
  #current: Slot;
  /** Where the next write goes: never over the newest slot. */
  #nextIndex: 0 | 1;
  #turn: Promise<void> = Promise.resolve();
  /** Used by one write after the other. */
  readonly #slotBytes = new Uint8Array(SLOT_BYTES);
  /** Slots that did not verify when the file was opened: 0, or 1 after a crash during a write. */
  readonly damagedSlots: number;

  private constructor(file: FileHandle, current: Slot, nextIndex: 0 | 1, damagedSlots: number) {
    this.#file = file;
    this.#current = current;
    this.#nextIndex = nextIndex;
    this.damagedSlots = damagedSlots;
  }

  /** Makes the file durable, with both slots alike. Its size never changes again: a full disk does not stop it. */
  static async create(path: string, state: HeadState): Promise<void> {
    const content = new Uint8Array(2 * SLOT_BYTES);
    content.set(encodeSlot({ state, counter: 1n }), 0);
    content.set(encodeSlot({ state, counter: 2n }), SLOT_BYTES);
    await writeNewFile(path, content);
  }

  /** @throws StoreError `STORE_BAD_HEAD` if the file is missing, of another size, or without a valid slot */
  static async open(path: string, readOnly: boolean): Promise<HeadFile> {
    const file = await openExisting(path, readOnly);
    try {
      const slots = await readSlots(file);
      const [first, second] = slots;
      const newest = second !== undefined && (first === undefined || second.counter > first.counter) ? 1 : 0;
      const current = slots[newest];
      if (current === undefined) throw badHead("a HEAD file with a valid slot", "two damaged slots");
      return new HeadFile(file, current, newest === 0 ? 1 : 0, slots.filter((slot) => slot === undefined).length);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** What the file says now. @throws as {@link HeadFile.open} */
  static async read(path: string): Promise<HeadState> {
    const head = await HeadFile.open(path, true);
    await head.close();
    return head.state;
  }

  /** What was written last. */
  get state(): HeadState {
    return this.#current.state;
  }

  /** Writes the other slot, in the order of the calls; resolves when it is durable. */
  write(state: HeadState): Promise<void> {
    return this.#inTurn(() => this.#write(state));
  }

  /** Notes that a write of the log failed. */
  fail(): Promise<void> {
    return this.#inTurn(() => this.#write({ ...this.#current.state, clean: false, failed: true }));
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const written = this.#turn.then(write);
    this.#turn = written.catch(() => undefined);
    return written;
  }

  async #write(state: HeadState): Promise<void> {
    const slot = { state, counter: this.#current.counter + 1n };
    const { bytesWritten } = await this.#file.write(
      encodeSlot(slot, this.#slotBytes),
      0,
      SLOT_BYTES,
      this.#nextIndex * SLOT_BYTES,
    );
    if (bytesWritten !== SLOT_BYTES) {
      throw new StoreError("STORE_IO", `expected to write ${SLOT_BYTES} bytes of HEAD, wrote ${bytesWritten}`, {
        place: { file: "HEAD" },
      });
    }
    await this.#file.datasync();
    this.#current = slot;
    this.#nextIndex = this.#nextIndex === 0 ? 1 : 0;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function openExisting(path: string, readOnly: boolean): Promise<FileHandle> {
  try {
    return await open(path, readOnly ? constants.O_RDONLY : constants.O_RDWR);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") throw badHead("a HEAD file", "none", cause);
    throw cause;
  }
}

async function readSlots(file: FileHandle): Promise<readonly [Slot | undefined, Slot | undefined]> {
  const content = new Uint8Array(2 * SLOT_BYTES + 1);
  const { bytesRead } = await file.read(content, 0, content.length, 0);
  if (bytesRead !== 2 * SLOT_BYTES) {
    throw badHead(`a HEAD file of ${2 * SLOT_BYTES} bytes`, bytesRead > 2 * SLOT_BYTES ? "more" : `${bytesRead}`);
  }
  return [decodeSlot(content.subarray(0, SLOT_BYTES)), decodeSlot(content.subarray(SLOT_BYTES, bytesRead))];
}

function encodeSlot({ state, counter }: Slot, bytes = new Uint8Array(SLOT_BYTES)): Uint8Array {
  const view = new DataView(bytes.buffer);
  bytes[0] = FORMAT;
  bytes[CLEAN_AT] = state.failed === true ? FAILED : state.clean ? CLEAN : 0;
  bytes.set(fromHex(state.logId), LOG_ID_AT);
  view.setBigUint64(EPOCH_AT, state.epoch);
  view.setBigUint64(COMMIT_AT, state.commit);
  view.setBigUint64(SEQ_AT, state.seq);
  bytes.set(fromHex(state.chain), CHAIN_AT);
  view.setBigUint64(COUNTER_AT, counter);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)));
  return bytes;
}

function decodeSlot(bytes: Uint8Array): Slot | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(CRC_AT) !== crc32(bytes.subarray(0, CRC_AT)) || bytes[0] !== FORMAT) return undefined;
  return {
    state: {
      clean: bytes[CLEAN_AT] === CLEAN,
      failed: bytes[CLEAN_AT] === FAILED,
      logId: toHex(bytes.subarray(LOG_ID_AT, EPOCH_AT)),
      epoch: view.getBigUint64(EPOCH_AT),
      commit: view.getBigUint64(COMMIT_AT),
      seq: view.getBigUint64(SEQ_AT),
      chain: toHex(bytes.subarray(CHAIN_AT, COUNTER_AT)),
    },
    counter: view.getBigUint64(COUNTER_AT),
  };
}

function badHead(expected: string, got: string, cause?: unknown): StoreError {
  return new StoreError("STORE_BAD_HEAD", `expected ${expected}, got ${got}`, { cause, place: { file: "HEAD" } });
}

import type { RawFrame } from "./chain-reader.ts";
import { isStoreError, type StoreError } from "./errors.ts";
import { LevelDatabase } from "./level-database.ts";
import type { CopyFailures, DatabaseCopies } from "./salvage-copies.ts";

/** Every copy of one record that was found: at least one, none of them verified. */
export interface FrameCopies {
  readonly seq: bigint;
  readonly copies: readonly Uint8Array[];
}

/** A copy that could be opened, and who hears that it cannot be read to its end. */
interface OpenCopy {
  readonly database: LevelDatabase;
  readonly note: (damage: StoreError) => void;
}

/** The copies of a damaged database that can be read. */
export class SalvageSource {
  readonly #copies: readonly OpenCopy[];
  /** Log ids that stand in the copies. */
  readonly logIds: readonly string[];

  private constructor(copies: readonly OpenCopy[], logIds: readonly string[]) {
    this.#copies = copies;
    this.logIds = logIds;
  }

  /**
   * Opens the copies, which changes them; what is to be rebuilt is rebuilt first. One that cannot be opened is done
   * without.
   *
   * @param note hears what is wrong with the database as it is, the verifying of its frames apart
   */
  static async open(
    { asItIs, rebuilt, recovered }: DatabaseCopies,
    { damagedTables }: CopyFailures,
    note: (damage: StoreError) => void,
  ): Promise<SalvageSource> {
    const copies: OpenCopy[] = [];
    const logIds: string[] = [];
    const ignore = (): void => undefined;
    const noteRefusal = (refusal: StoreError): void => {
      // Without a damaged table it does not open. Where it does, the table was none of it: what a crash left unfinished.
      for (const damage of damagedTables.length > 0 ? damagedTables : [refusal]) note(damage);
    };
    const ways = [
      { open: () => LevelDatabase.openUnchecked(asItIs), refused: noteRefusal, note },
      { open: () => LevelDatabase.rebuild(rebuilt), refused: ignore, note: ignore },
      { open: () => LevelDatabase.openUnchecked(recovered), refused: ignore, note: ignore },
    ];
    for (const { open, refused, note } of ways) {
      const database = await unlessRefused(open, refused);
      if (database === undefined) continue;
      copies.push({ database, note });
      const logId = await unlessRefused(() => database.logId(), note);
      if (logId !== undefined) logIds.push(logId);
    }
    return new SalvageSource(copies, logIds);
  }

  /** All that is under keys of records, ascending, from every copy. */
  async *frames(): AsyncGenerator<FrameCopies, void, undefined> {
    const readers = this.#copies.map((copy) => new Reader(copy));
    try {
      for (const reader of readers) await reader.next();
      for (;;) {
        const [first, ...others] = readers.flatMap(({ current }) => (current === undefined ? [] : [current.seq]));
        if (first === undefined) return;
        const seq = others.reduce((least, other) => (other < least ? other : least), first);
        const found = readers.filter(({ current }) => current?.seq === seq);
        yield { seq, copies: found.flatMap(({ current }) => (current === undefined ? [] : [current.bytes])) };
        for (const reader of found) await reader.next();
      }
    } finally {
      for (const reader of readers) await reader.close();
    }
  }

  async close(): Promise<void> {
    for (const { database } of this.#copies) await database.close();
  }
}

async function unlessRefused<T>(action: () => Promise<T>, refused: (refusal: StoreError) => void): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!isStoreError(error) || error.code === "STORE_FULL") throw error;
    refused(error);
    return undefined;
  }
}

/** One copy's records in order; what stands out of order, and all after a failure to read, is passed over. */
class Reader {
  readonly #batches: AsyncGenerator<readonly RawFrame[], void, undefined>;
  readonly #note: (damage: StoreError) => void;
  #batch: readonly RawFrame[] = [];
  #at = 0;
  current: RawFrame | undefined;

  constructor({ database, note }: OpenCopy) {
    this.#batches = database.allFrames();
    this.#note = note;
  }

  async next(): Promise<void> {
    const last = this.current?.seq ?? 0n;
    do {
      if (this.#at >= this.#batch.length) await this.#fill();
      this.current = this.#batch[this.#at++];
    } while (this.current !== undefined && this.current.seq <= last);
  }

  async close(): Promise<void> {
    await this.#batches.return();
  }

  async #fill(): Promise<void> {
    this.#at = 0;
    try {
      const { value } = await this.#batches.next();
      this.#batch = value ?? [];
    } catch (error) {
      if (!isStoreError(error, "STORE_BAD_DATABASE")) throw error;
      this.#note(error);
      this.#batch = [];
    }
  }
}

import { type ChainPosition, ChainReader, decodeRecord, headAt, type RawFrame, startOf } from "./chain-reader.ts";
import { StoreError, toStoreError } from "./errors.ts";
import type { LogHead, StoredRecord } from "./event-log.ts";
import { decodeFrame } from "./frame.ts";
import type { HeadState } from "./head-file.ts";
import { LevelDatabase } from "./level-database.ts";
import { type SalvageProgress, Stranded, type StrandedRecords } from "./salvage-report.ts";
import type { FrameCopies, SalvageSource } from "./salvage-source.ts";
import { checkAgainstHead } from "./verify-log.ts";

const BATCH_BYTES = 1024 * 1024;
const PROGRESS_EVERY = 1_000n;

/** What {@link keepPrefix} works with. */
export interface PrefixOptions {
  readonly source: SalvageSource;
  /** The log's id as marker and HEAD say, as far as they can be read. */
  readonly marker: string | undefined;
  readonly head: HeadState | undefined;
  /** An empty directory for the new database. */
  readonly database: string;
  /** Hears of damage. */
  readonly note: (damage: StoreError) => void;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: SalvageProgress) => void) | undefined;
}

/** What was kept of a log, and what can be read behind it. */
export interface KeptPrefix {
  readonly kept: LogHead;
  readonly stranded: readonly StrandedRecords[];
}

/**
 * Writes the whole commits from the beginning of a log, as far as they verify, to a new database.
 *
 * @throws StoreError `STORE_NOTHING_LEFT`, `STORE_FULL`, `STORE_IO`; the reason of the signal
 */
export async function keepPrefix(options: PrefixOptions): Promise<KeptPrefix> {
  const { source, head, database: path, note, signal, onProgress } = options;
  let prefix: Prefix | undefined;
  let database: LevelDatabase | undefined;
  const stranded = new Stranded();
  try {
    for await (const found of source.frames()) {
      signal?.throwIfAborted();
      if (prefix === undefined) {
        const logId = logIdOf(found, options);
        await LevelDatabase.create(path, logId);
        database = await LevelDatabase.open(path, logId);
        prefix = new Prefix(logId, database, note, head);
      }
      if (!(await prefix.take(found))) noteStranded(found, stranded, prefix);
      if (found.seq % PROGRESS_EVERY === 0n) onProgress?.({ step: "reading", done: found.seq, total: head?.seq ?? 0n });
    }
    if (prefix === undefined) throw nothingLeft("a first record", "none");
    const kept = await prefix.end();
    prefix.moveLeftOver(stranded);
    onProgress?.({ step: "reading", done: kept.seq, total: kept.seq });
    return { kept, stranded: stranded.ranges() };
  } finally {
    await database?.close();
  }
}

/** The id from which the first record's link follows: what marker, HEAD and database say of it is checked by that. */
function logIdOf(first: FrameCopies, { source, marker, head, note }: PrefixOptions): string {
  const said = [marker, head?.logId, ...source.logIds].flatMap((id) => (id === undefined ? [] : [id]));
  if (said.length === 0) throw nothingLeft("the log's id in marker, HEAD or database", "none that is whole");
  if (first.seq !== 1n) throw nothingLeft("a first record", `one with number ${first.seq}`);
  const logId = said.find((id) => first.copies.some((bytes) => accepts(new ChainReader(startOf(id)), { seq: 1n, bytes })));
  if (logId === undefined) throw nothingLeft(`a first record of log ${said.join(" or ")}`, "a damaged one, or of another");
  const others = [
    ["HEARTWOOD", marker],
    ["HEAD", head?.logId],
    ["log", source.logIds[0]],
  ] as const;
  for (const [file, id] of others) {
    if (id === undefined || id === logId) continue;
    note(new StoreError("STORE_SWAPPED", `expected log ${logId} as the first record says, got ${id}`, { place: { file } }));
  }
  return logId;
}

/** The commits that are kept, written in batches of whole ones. */
class Prefix {
  readonly #logId: string;
  readonly #database: LevelDatabase;
  readonly #note: (damage: StoreError) => void;
  readonly #head: HeadState | undefined;
  readonly #reader: ChainReader;
  #atHead: ChainPosition | undefined;
  #kept: ChainPosition;
  #batch: RawFrame[] = [];
  #bytes = 0;
  #commit: { readonly raw: RawFrame; readonly stored: StoredRecord }[] = [];
  #isBroken = false;

  constructor(logId: string, database: LevelDatabase, note: (damage: StoreError) => void, head: HeadState | undefined) {
    this.#logId = logId;
    this.#database = database;
    this.#note = note;
    this.#reader = new ChainReader(startOf(logId));
    this.#kept = this.#reader.position;
    // What another log's HEAD says is nothing about this one.
    this.#head = head?.logId === logId ? head : undefined;
    if (this.#head?.seq === 0n) this.#atHead = this.#kept;
  }

  /** Hands over the records that verify and belong to a commit that does not end. */
  moveLeftOver(stranded: Stranded): void {
    for (const { stored } of this.#commit.splice(0)) stranded.note(stored.seq, stored.record);
  }

  /** Takes the next record if one of its copies continues the log; what comes after one that does not is never taken. */
  async take({ seq, copies }: FrameCopies): Promise<boolean> {
    if (this.#isBroken) return false;
    const failures: StoreError[] = [];
    for (const bytes of copies) {
      const raw = { seq, bytes };
      try {
        this.#commit.push({ raw, stored: this.#reader.accept(raw) });
      } catch (error) {
        failures.push(toStoreError(error, `reading record ${seq}`));
        continue;
      }
      break;
    }
    // A copy that fails is damage even where the other one does not.
    if (failures[0] !== undefined) this.#note(failures[0]);
    if (failures.length === copies.length) {
      this.#isBroken = true;
      return false;
    }
    const { position } = this.#reader;
    if (position.seq === this.#head?.seq) this.#atHead = position;
    if (position.endsCommit) await this.#keep(position);
    return true;
  }

  /** The end of what was kept, once it is durable. */
  async end(): Promise<LogHead> {
    await this.#flush();
    const end = this.#reader.position;
    if (!this.#isBroken) this.#compareWithHead(end);
    if (this.#kept.seq === 0n) throw nothingLeft("a whole first commit", `records up to ${end.seq} of it`);
    return headAt(this.#logId, this.#kept.epoch, this.#kept);
  }

  async #keep(position: ChainPosition): Promise<void> {
    for (const { raw } of this.#commit.splice(0)) {
      this.#batch.push(raw);
      this.#bytes += raw.bytes.length;
    }
    this.#kept = position;
    if (this.#bytes > BATCH_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#batch.length > 0) await this.#database.writeFrames(this.#batch.splice(0));
    this.#bytes = 0;
  }

  #compareWithHead(end: ChainPosition): void {
    const [head, atHead] =
      this.#head === undefined ? [{ ...headAt(this.#logId, end.epoch, end), clean: false }, end] : [this.#head, this.#atHead];
    try {
      checkAgainstHead(end, atHead, head);
    } catch (error) {
      this.#note(toStoreError(error, "comparing the log with its HEAD"));
    }
  }
}

/** A record behind the break is worth a line in the report if it is whole by itself. */
function noteStranded({ seq, copies }: FrameCopies, stranded: Stranded, prefix: Prefix): void {
  prefix.moveLeftOver(stranded);
  for (const bytes of copies) {
    try {
      const record = decodeRecord(decodeFrame(bytes).body, { seq });
      if (record.seq !== seq) continue;
      stranded.note(seq, record);
      return;
    } catch {
      // Not whole: the other copy may be.
    }
  }
}

function accepts(reader: ChainReader, raw: RawFrame): boolean {
  try {
    reader.accept(raw);
    return true;
  } catch {
    return false;
  }
}

function nothingLeft(expected: string, got: string): StoreError {
  return new StoreError("STORE_NOTHING_LEFT", `expected ${expected}, got ${got}; restore the wallet from its mnemonic`);
}

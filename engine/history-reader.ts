import type { Plain } from "../machines/canonical.ts";
import { MIGRATED } from "../machines/event-schemas.ts";
import { machines } from "../machines/registry.ts";
import type { Instance, MachineDefinition } from "../machines/step.ts";
import type { StoredRecord } from "../store/event-log.ts";
import type { HistoryIndex } from "./history-index.ts";
import type { HistoryLog } from "./history-types.ts";
import { type RecordView, viewRecord } from "./record-view.ts";
import { type Transition, viewTransition } from "./transition.ts";

/** Records that are read together, because neighbours are asked for next. */
const PAGE_RECORDS = 8;
/** Pages are kept as long as they are not larger than this together. */
const KEPT_BYTES = 24 * 1024 * 1024;
/** A record that was decoded takes several times the bytes that it has in the log. */
const SIZE_IN_MEMORY = 4;

/** A record in both readings, each made when it is asked for. */
export class ReadRecord {
  readonly #stored: StoredRecord;
  readonly #among: readonly MachineDefinition[];
  #transition: Transition | undefined;
  #view: RecordView | undefined;

  constructor(stored: StoredRecord, among: readonly MachineDefinition[]) {
    this.#stored = stored;
    this.#among = among;
  }

  /** What the log has of it. */
  get record(): StoredRecord["record"] {
    return this.#stored.record;
  }

  /** @throws HeartwoodError `LOG_UNREADABLE` */
  get transition(): Transition {
    this.#transition ??= viewTransition(this.#stored.record, this.#among);
    return this.#transition;
  }

  get view(): RecordView {
    this.#view ??= viewRecord(this.#stored);
    return this.#view;
  }
}

interface Page {
  readonly records: readonly ReadRecord[];
  readonly bytes: number;
}

/** Reads records of a log as they are asked for, with those around them, and keeps the pages used last. */
export class HistoryReader {
  readonly #index: HistoryIndex;
  readonly #log: () => HistoryLog;
  readonly #among: readonly MachineDefinition[];
  readonly #pages = new Map<number, Promise<Page>>();
  readonly #sizes = new Map<number, number>();
  #bytes = 0;

  constructor(index: HistoryIndex, log: () => HistoryLog, among: readonly MachineDefinition[] = machines) {
    this.#index = index;
    this.#log = log;
    this.#among = among;
  }

  /** One record of the index. @throws StoreError if it is damaged, or cannot be read any more */
  async get(seq: number): Promise<ReadRecord> {
    const number = Math.floor((seq - 1) / PAGE_RECORDS);
    const { records } = await this.#page(number);
    const found = records[(seq - 1) % PAGE_RECORDS];
    if (found !== undefined) return found;
    // The page was read when the log was shorter.
    this.#pages.delete(number);
    const again = (await this.#page(number)).records[(seq - 1) % PAGE_RECORDS];
    if (again === undefined) throw new Error(`expected record ${seq}, got the end of the log`);
    return again;
  }

  /** The instance after a record of its own, folded from its changes. */
  async after(seq: number): Promise<Instance> {
    const chain: number[] = [];
    let context: Readonly<Record<string, Plain>> = {};
    for (let at: number | undefined = seq; at !== undefined; at = this.#index.instances.previousOf(at)) {
      const kept = this.#index.keptContext(at);
      if (kept !== undefined) {
        context = kept;
        break;
      }
      chain.push(at);
    }
    for (const at of chain.reverse()) {
      const { change, event } = (await this.get(at)).transition;
      context = event.type === MIGRATED ? change : { ...context, ...change };
    }
    return { state: this.#index.states.afterOf(seq), context };
  }

  /** The instance before a record of its own; undefined before its first. */
  async before(seq: number): Promise<Instance | undefined> {
    const previous = this.#index.instances.previousOf(seq);
    return previous === undefined ? undefined : this.after(previous);
  }

  #page(number: number): Promise<Page> {
    const known = this.#pages.get(number);
    if (known !== undefined) {
      this.#pages.delete(number);
      this.#pages.set(number, known);
      return known;
    }
    const reading = this.#read(number);
    this.#pages.set(number, reading);
    reading.then(
      ({ bytes }) => this.#makeRoom(number, bytes * SIZE_IN_MEMORY),
      () => this.#pages.delete(number),
    );
    return reading;
  }

  async #read(number: number): Promise<Page> {
    const from = BigInt(number * PAGE_RECORDS + 1);
    const records: ReadRecord[] = [];
    let bytes = 0;
    for await (const stored of this.#log().read({ from, to: from + BigInt(PAGE_RECORDS) - 1n })) {
      records.push(new ReadRecord(stored, this.#among));
      bytes += stored.body.length;
    }
    return { records, bytes };
  }

  #makeRoom(read: number, bytes: number): void {
    this.#bytes += bytes - (this.#sizes.get(read) ?? 0);
    this.#sizes.set(read, bytes);
    for (const number of this.#pages.keys()) {
      if (this.#bytes <= KEPT_BYTES || number === read) return;
      this.#bytes -= this.#sizes.get(number) ?? 0;
      this.#sizes.delete(number);
      this.#pages.delete(number);
    }
  }
}

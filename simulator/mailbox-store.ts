import type { CheckpointSequence } from "./checkpoint-sequence.ts";
import { type MailboxRow, mergeRows, type NewRow, type RowKind, type StoredMessage } from "./mailbox-row.ts";

/** One answer of {@link MailboxStore.page}. */
export interface MailboxPage {
  readonly messages: readonly StoredMessage[];
}

/** Told the highest new position of a mailbox; only a hint, as on the real server (mailbox.md §3.6). */
export type NoticeListener = (checkpoint: bigint) => void;

/** All mailboxes of the server in one table, keyed by mailbox id in hex. Nothing is ever deleted. */
export class MailboxStore {
  readonly #sequence: CheckpointSequence;
  readonly #rows = new Map<string, MailboxRow[]>();
  readonly #keys = new Set<string>();
  readonly #listeners = new Map<string, Set<NoticeListener>>();

  constructor(sequence: CheckpointSequence) {
    this.#sequence = sequence;
  }

  /**
   * Writes rows under one new checkpoint, leaving out those whose key is already stored in any mailbox (mailbox.md §3.7).
   *
   * @returns The checkpoint, or `null` if every row was left out: then nobody is told, and the number stays a gap.
   * @throws SimulatorError `CHECKPOINTS_EXHAUSTED`
   */
  post(mailboxId: string, rows: readonly NewRow[]): bigint | null {
    const checkpoint = this.#sequence.next();
    const fresh = rows.filter((row) => this.#remember(row));
    if (fresh.length === 0) return null;
    this.#write(mailboxId, checkpoint, fresh);
    return checkpoint;
  }

  /**
   * Writes rows under one new checkpoint, whatever is stored already.
   *
   * @param rows Made from the position they get, so that raw bytes can carry it, or a lie.
   * @returns The checkpoint; there is no row, and no notice, for an empty list.
   * @throws SimulatorError `CHECKPOINTS_EXHAUSTED`
   */
  append(mailboxId: string, rows: (checkpoint: bigint) => readonly NewRow[]): bigint {
    const checkpoint = this.#sequence.next();
    const written = rows(checkpoint);
    for (const row of written) this.#remember(row);
    if (written.length > 0) this.#write(mailboxId, checkpoint, written);
    return checkpoint;
  }

  /**
   * The messages strictly after a position, made of at most `rowLimit` rows (mailbox.md §3.5).
   *
   * The last message can therefore lack items, and the missing ones lie behind no later position.
   *
   * @param after Compared signed: a negative number asks for everything.
   */
  page(mailboxId: string, after: bigint, rowLimit: number): MailboxPage {
    const rows = this.#rows.get(mailboxId) ?? [];
    const start = firstAfter(rows, after);
    return { messages: mergeRows(rows.slice(start, start + rowLimit)) };
  }

  /** Every message of a mailbox, whole. */
  messages(mailboxId: string): StoredMessage[] {
    return mergeRows(this.#rows.get(mailboxId) ?? []);
  }

  /** The ids of mailboxes that hold something. */
  mailboxIds(): string[] {
    return [...this.#rows.keys()];
  }

  /** The message at a position, in whatever mailbox. */
  find(checkpoint: bigint): { readonly mailboxId: string; readonly message: StoredMessage } | null {
    for (const mailboxId of this.#rows.keys()) {
      const message = this.messages(mailboxId).find((candidate) => candidate.checkpoint === checkpoint);
      if (message) return { mailboxId, message };
    }
    return null;
  }

  /** Keys of all rows of one kind, over all mailboxes. */
  keys(kind: RowKind): string[] {
    return [...this.#rows.values()].flatMap((rows) => rows.flatMap((row) => (row.kind === kind && row.key ? [row.key] : [])));
  }

  /** Calls `listener` after each write to a mailbox, until the returned function is called. */
  watch(mailboxId: string, listener: NoticeListener): () => void {
    const listeners = this.#listeners.get(mailboxId) ?? new Set();
    this.#listeners.set(mailboxId, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(mailboxId);
    };
  }

  /** Notes the key of a row; answers whether it is new. */
  #remember(row: NewRow): boolean {
    if (row.key === null) return true;
    const key = `${row.kind}/${row.key}`;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    return true;
  }

  #write(mailboxId: string, checkpoint: bigint, rows: readonly NewRow[]): void {
    const stored = this.#rows.get(mailboxId) ?? [];
    stored.push(...rows.map((row) => ({ ...row, checkpoint })));
    this.#rows.set(mailboxId, stored);
    for (const listener of [...(this.#listeners.get(mailboxId) ?? [])]) listener(checkpoint);
  }
}

/** Rows are in ascending order of checkpoint, so the first one after a position is found by halving. */
function firstAfter(rows: readonly MailboxRow[], after: bigint): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row && row.checkpoint > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

import { concatBytes } from "../ark/bytes.ts";
import { decodeVtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { MailboxMessage } from "../proto/generated/mailbox_server.ts";
import type { Corruption } from "./corruption.ts";
import { SimulatorError } from "./errors.ts";
import { encodeMessage, encodeUnknownMessage, type NewRow, type StoredMessage } from "./mailbox-row.ts";
import type { MailboxStore } from "./mailbox-store.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** How a message got into a mailbox: by the checked post of a payer, or past the checks. */
export type SentHow = "pay" | "deliver" | "redeliver" | "raw";

/** A VTXO inside a sent message; id and amount are `null` where the bytes do not decode. */
export interface SentVtxo {
  readonly id: VtxoId | null;
  readonly amountSats: bigint | null;
  readonly bytes: Uint8Array;
  /** How the simulator spoiled it on request. */
  readonly corruption: Corruption | null;
}

/** One entry of the record of everything that the simulator put into mailboxes, for comparison. */
export interface SentMessage {
  readonly how: SentHow;
  /** Hex. */
  readonly mailboxId: string;
  /** Position; `null` for a post without effect and for a repeat that only went into open streams. */
  readonly checkpoint: bigint | null;
  readonly vtxos: readonly SentVtxo[];
}

/** Puts messages into mailboxes past the checks of a post, and keeps the record of all that was sent. */
export class Deliveries {
  readonly #store: MailboxStore;
  readonly #subscriptions: Subscriptions;
  readonly #sent: SentMessage[] = [];

  constructor(store: MailboxStore, subscriptions: Subscriptions) {
    this.#store = store;
    this.#subscriptions = subscriptions;
  }

  /** Everything sent so far, in order. */
  get sent(): readonly SentMessage[] {
    return this.#sent;
  }

  /** Adds to the record. */
  note(message: SentMessage): void {
    this.#sent.push(message);
  }

  /** Stores a package as one message, whatever its bytes; an empty one too. @returns its position */
  deliver(mailboxId: string, vtxos: readonly SentVtxo[]): bigint {
    const checkpoint = this.#store.append(mailboxId, (position) => packageRows(position, vtxos));
    this.note({ how: "deliver", mailboxId, checkpoint, vtxos });
    return checkpoint;
  }

  /** Stores any bytes as one message, made from the position it gets. @returns the position */
  deliverRaw(mailboxId: string, make: (checkpoint: bigint) => Uint8Array): bigint {
    const checkpoint = this.#store.append(mailboxId, (position) => [{ kind: "raw", key: null, bytes: make(position) }]);
    this.note({ how: "raw", mailboxId, checkpoint, vtxos: [] });
    return checkpoint;
  }

  /** Stores a message of any known kind. @returns its position */
  deliverMessage(mailboxId: string, message: MailboxMessage["message"]): bigint {
    return this.deliverRaw(mailboxId, (checkpoint) => encodeMessage({ checkpoint, message }));
  }

  /** Stores a message of a kind that no client knows. @returns its position */
  deliverUnknown(mailboxId: string, field: number, payload: Uint8Array): bigint {
    return this.deliverRaw(mailboxId, (checkpoint) => encodeUnknownMessage(checkpoint, field, payload));
  }

  /**
   * Delivers an earlier message once more: stored under a new position, or, as a faulty server might, with its old
   * position and only into the streams that are open now.
   *
   * @returns The new position, or `null` for the old one.
   * @throws SimulatorError `UNKNOWN_MESSAGE`
   */
  redeliver(checkpoint: bigint, position: "new" | "same"): bigint | null {
    const found = this.#store.find(checkpoint);
    if (!found) throw new SimulatorError("UNKNOWN_MESSAGE", `expected the checkpoint of a message, got ${checkpoint}`);
    const { mailboxId, message } = found;
    const vtxos = message.kind === "arkoor-receive" ? message.rows.map((row) => describeVtxo(row.bytes)) : [];
    const again = position === "new" ? this.#store.append(mailboxId, (next) => repeatRows(message, next)) : null;
    if (again === null) this.#subscriptions.inject(mailboxId, message.bytes);
    this.note({ how: "redeliver", mailboxId, checkpoint: again, vtxos });
    return again;
  }
}

/** Of two checkpoints in a message a reader takes the last, so stored bytes get their new position put behind. */
function repeatRows({ kind, rows }: StoredMessage, checkpoint: bigint): readonly NewRow[] {
  if (kind !== "raw") return rows;
  const position = encodeMessage({ checkpoint, message: undefined });
  return rows.map((row) => ({ ...row, bytes: concatBytes(row.bytes, position) }));
}

/** What a VTXO encoding says of itself. */
export function describeVtxo(given: Uint8Array, corruption: Corruption | null = null): SentVtxo {
  const bytes = Uint8Array.from(given);
  try {
    const vtxo = decodeVtxo(bytes);
    return { id: vtxoId(vtxo), amountSats: vtxo.amountSats, bytes, corruption };
  } catch {
    return { id: null, amountSats: null, bytes, corruption };
  }
}

/** A message without items has no row of its kind, so it is stored as bytes. */
function packageRows(checkpoint: bigint, vtxos: readonly SentVtxo[]): NewRow[] {
  if (vtxos.length > 0) return vtxos.map(({ id, bytes }) => ({ kind: "arkoor-receive", key: id, bytes }));
  return [{ kind: "raw", key: null, bytes: encodeMessage({ checkpoint, message: { $case: "arkoor", value: { vtxos: [] } } }) }];
}

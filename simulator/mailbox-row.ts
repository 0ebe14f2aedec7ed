import type { VtxoId } from "../ark/vtxo-id.ts";
import { MailboxMessage } from "../proto/generated/mailbox_server.ts";

/** The kinds of stored entries (mailbox.md §3.4), and `raw`: bytes that an honest server would not send. */
export type RowKind =
  | "arkoor-receive"
  | "round-participation-completed"
  | "ln-recv-pending"
  | "recovery-vtxo-id"
  | "ln-send-finished"
  | "raw";

/** One row of the server's mailbox table. */
export interface MailboxRow {
  readonly checkpoint: bigint;
  readonly kind: RowKind;
  /** What must be unique among rows of its kind: a VTXO id or payment hash; `null` where nothing is compared. */
  readonly key: VtxoId | string | null;
  /** VTXO encoding, 36-byte id, or, for single-row kinds, the whole message without its checkpoint. */
  readonly bytes: Uint8Array;
}

/** A row before it has a position. */
export type NewRow = Omit<MailboxRow, "checkpoint">;

/** Rows of one kind and checkpoint, as one message on the wire. */
export interface StoredMessage {
  readonly checkpoint: bigint;
  readonly kind: RowKind;
  readonly rows: readonly MailboxRow[];
  /** The encoded `MailboxMessage`. */
  readonly bytes: Uint8Array;
}

/** Merges consecutive rows of a multi-row kind and equal checkpoint into messages (mailbox.md §3.5). */
export function mergeRows(rows: readonly MailboxRow[]): StoredMessage[] {
  const groups: MailboxRow[][] = [];
  for (const row of rows) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (group && first && isMultiRow(row.kind) && first.kind === row.kind && first.checkpoint === row.checkpoint) group.push(row);
    else groups.push([row]);
  }
  return groups.flatMap((group) => {
    const first = group[0];
    return first ? [{ checkpoint: first.checkpoint, kind: first.kind, rows: group, bytes: encodeRows(first, group) }] : [];
  });
}

function isMultiRow(kind: RowKind): boolean {
  return kind === "arkoor-receive" || kind === "recovery-vtxo-id";
}

function encodeRows(first: MailboxRow, rows: readonly MailboxRow[]): Uint8Array {
  const items = rows.map((row) => row.bytes);
  const { checkpoint } = first;
  switch (first.kind) {
    case "arkoor-receive":
      return encodeMessage({ checkpoint, message: { $case: "arkoor", value: { vtxos: items } } });
    case "recovery-vtxo-id":
      return encodeMessage({ checkpoint, message: { $case: "recoveryVtxoIds", value: { vtxoIds: items } } });
    case "raw":
      return first.bytes;
    case "round-participation-completed":
    case "ln-recv-pending":
    case "ln-send-finished":
      return encodeMessage({ ...MailboxMessage.decode(first.bytes), checkpoint });
  }
}

/** The bytes of a mailbox message. */
export function encodeMessage(message: MailboxMessage): Uint8Array {
  return MailboxMessage.encode(message).finish();
}

/**
 * The bytes of a message of a kind that no client knows yet: a length-delimited member under an unused field number.
 *
 * @param field From 8 on; the reserved number 3 and the known ones are the caller's business.
 */
export function encodeUnknownMessage(checkpoint: bigint, field: number, payload: Uint8Array): Uint8Array {
  return MailboxMessage.encode({ checkpoint, message: undefined })
    .uint32((field << 3) | 2)
    .bytes(payload)
    .finish();
}

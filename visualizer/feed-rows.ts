import type { HistoryDetail, HistoryInstance, HistoryPage, HistoryRecord, HistoryTables, RecordValue } from "heartwood";
import type { InstanceRow, MovementRow, OutboxRow, QuarantineRow, RowPage, Tables, VtxoRow } from "./feed-moment.ts";
import type { RecordDetail, RecordRow } from "./feed-record.ts";
import { toFeedBytes, toFeedText, toFeedValue } from "./feed-value.ts";

/** A record as a line. */
export function toRow({ view, before, marks, verdict }: HistoryRecord): RecordRow {
  const code = memberOf(view.event, "code");
  return {
    seq: String(view.seq),
    atMs: view.atMs,
    machine: view.machine,
    instance: view.instance,
    type: view.type,
    before,
    after: view.state,
    effects: view.effects.map(({ type }) => type),
    cause: String(view.causeSeq),
    effectId: view.effectId,
    marks,
    code: typeof code === "string" ? toFeedText(code) : null,
    verdict,
  };
}

/** A record with everything around it. */
export function toDetail(detail: HistoryDetail): RecordDetail {
  const { view, contextBefore, contextAfter } = detail;
  const { machine } = view;
  return {
    ...toRow(detail),
    revision: view.revision,
    version: String(view.version),
    epoch: String(view.epoch),
    commit: String(view.commit),
    schema: view.schema,
    bytes: view.bodyBytes,
    event: toFeedValue(view.event, machine),
    blobs: view.blobs.map(({ digest, data }) => ({ digest, data: data === null ? null : toFeedBytes(data) })),
    contextBefore: toFeedValue(contextBefore, machine),
    contextAfter: toFeedValue(contextAfter, machine),
    changed: namesOf(view.change),
    asked: view.effects.map(({ id, type, params }, at) => {
      return { id, type, kind: detail.effectKinds[at] ?? "query", params: toFeedValue(params, machine) };
    }),
    stateDigest: Buffer.from(view.stateDigest).toString("hex"),
    guard: detail.guard,
    caused: detail.caused.map(String),
    previous: detail.previous === null ? null : String(detail.previous),
    next: detail.next === null ? null : String(detail.next),
    disagreement: detail.disagreement,
    mentions: detail.mentions,
  };
}

/** Tables of the feed, by their names in a history. */
const NAMES = {
  instances: "instances",
  vtxos: "coins",
  movements: "movements",
  quarantine: "quarantine",
  outbox: "outbox",
} as const satisfies { readonly [Table in keyof Tables]: keyof HistoryTables };

/** The name of a table in a history; undefined for no table. */
export function tableNamed(table: string): keyof HistoryTables | undefined {
  return Object.hasOwn(NAMES, table) ? NAMES[table as keyof Tables] : undefined;
}

/** How a row of each table of a history looks in the feed. */
export const converters = {
  instances: toInstanceRow,
  coins: toVtxoRow,
  movements: toMovementRow,
  quarantine: toQuarantineRow,
  outbox: toOutboxRow,
} as const;

/** A page with its rows converted. */
export function toPage<From, To>({ total, rows, next }: HistoryPage<From>, convert: (row: From) => To): RowPage<To> {
  return { total, rows: rows.map(convert), next };
}

function toInstanceRow({ firstSeq, lastSeq, ...row }: HistoryInstance): InstanceRow {
  return { ...row, firstSeq: String(firstSeq), lastSeq: String(lastSeq) };
}

function toVtxoRow(row: HistoryTables["coins"]): VtxoRow {
  const { id, state, expiryHeight, expiryStage, anchorCode, exitDepth, keyIndex, flags } = row;
  const [amountSats, checkpoint, seq] = [String(row.amountSats), String(row.checkpoint), String(row.seq)];
  const place = { expiryHeight, expiryStage, anchorCode, exitDepth, keyIndex };
  return { id, amountSats, state, ...place, checkpoint, seq, flags };
}

function toMovementRow(row: HistoryTables["movements"]): MovementRow {
  return {
    id: row.id,
    kind: `${row.subsystem.name}.${row.subsystem.kind}`,
    status: row.status,
    effectiveSats: String(row.effectiveBalanceSats),
    feeSats: String(row.feeSats),
    inputs: row.inputVtxos,
    outputs: row.outputVtxos,
    checkpoint: String(row.checkpoint),
    seq: String(row.seq),
    atMs: row.createdAtMs,
  };
}

function toQuarantineRow(row: HistoryTables["quarantine"]): QuarantineRow {
  return {
    key: row.key,
    id: row.id,
    amountSats: row.amountSats === null ? null : String(row.amountSats),
    code: toFeedText(row.code),
    message: toFeedText(row.message),
    permanent: row.permanent,
    checkpoint: String(row.checkpoint),
    heldAtMs: row.heldAtMs,
    attempts: row.attempts,
    nextTryAtMs: row.nextTryAtMs,
  };
}

function toOutboxRow({ effect, instance, seq, atMs }: HistoryTables["outbox"]): OutboxRow {
  const params = toFeedValue(effect.params as RecordValue, instance.split("/")[0] ?? "");
  return { id: effect.id, type: effect.type, instance, seq: String(seq), atMs, params };
}

function memberOf(value: RecordValue, name: string): unknown {
  return value !== null && typeof value === "object" && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined;
}

function namesOf(value: RecordValue): string[] {
  return value !== null && typeof value === "object" && !(value instanceof Uint8Array) ? Object.keys(value) : [];
}

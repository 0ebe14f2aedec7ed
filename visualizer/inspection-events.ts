import { type History, type HistoryDetail, machineDefinitions } from "heartwood";
import type { FeedValue } from "./feed-data.ts";
import { toFeedValue } from "./feed-value.ts";

/** Version of `@statelyai/inspect` whose events these are: each says it of itself. */
const PROTOCOL = "0.7.2";

/** What all events have; `createdAt` is the record's time, in milliseconds as text. */
interface EventBase {
  /** Name of the instance. */
  readonly sessionId: string;
  readonly rootId: string;
  readonly createdAt: string;
  readonly id: string;
  readonly _version: string;
}

/** State and context of an instance. */
export interface InspectedSnapshot {
  readonly status: "active" | "done";
  readonly value: string;
  readonly context: FeedValue;
}

/** An event of the format of `@statelyai/inspect`. */
export type InspectionEvent = EventBase &
  (
    | {
        readonly type: "@xstate.actor";
        readonly name: string;
        readonly snapshot: InspectedSnapshot;
        /** JSON of the machine's definition. */
        readonly definition: string;
        readonly parentId: undefined;
      }
    | { readonly type: "@xstate.event"; readonly event: { readonly type: string }; readonly sourceId: string | undefined }
    | { readonly type: "@xstate.snapshot"; readonly event: { readonly type: string }; readonly snapshot: InspectedSnapshot }
  );

/** Options of {@link inspectionEvents}. */
export interface InspectionEventsOptions {
  /** The first record; the first of the log unless given. */
  readonly from?: bigint;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/**
 * The records of a history as inspection events in the format of `@statelyai/inspect`, for those who have a viewer of it:
 * an instance is an actor, a record is an event and the snapshot after it. Secrets are taken out as for the page. Goes on
 * with a history that is live.
 *
 * @throws StoreError if a record cannot be read
 */
export async function* inspectionEvents(
  history: History,
  { from = 1n, signal }: InspectionEventsOptions = {},
): AsyncGenerator<InspectionEvent, void, undefined> {
  const definitions = new Map(machineDefinitions().map((definition) => [definition.id, JSON.stringify(definition)]));
  const known = new Set<string>();
  for (let seq = from; signal?.aborted !== true; seq++) {
    if (!(await hasRecord(history, seq, signal))) return;
    const detail = await history.record(seq);
    const { instance, machine } = detail.view;
    if (!known.has(instance)) yield actorOf(detail, definitions.get(machine) ?? "{}");
    if (detail.marks.includes("finished")) known.delete(instance);
    else known.add(instance);
    yield {
      ...baseOf(detail, "event"),
      type: "@xstate.event",
      event: eventOf(detail),
      sourceId: await sourceOf(history, detail),
    };
    const snapshot = snapshotOf(detail, detail.view.state, detail.contextAfter);
    yield { ...baseOf(detail, "snapshot"), type: "@xstate.snapshot", event: eventOf(detail), snapshot };
  }
}

/** Waits for a record; false if it will not come. */
async function hasRecord(history: History, seq: bigint, signal: AbortSignal | undefined): Promise<boolean> {
  const isSettled = (): boolean => history.progress.head >= seq || history.progress.isOver || signal?.aborted === true;
  if (!isSettled()) {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!isSettled()) return;
        // Not before the subscription is there to be ended.
        queueMicrotask(() => subscription.unsubscribe());
        signal?.removeEventListener("abort", look);
        resolve();
      };
      signal?.addEventListener("abort", look);
      const subscription = history.grew$.subscribe({ next: look, complete: look });
    });
  }
  return history.progress.head >= seq && signal?.aborted !== true;
}

function actorOf(detail: HistoryDetail, definition: string): InspectionEvent {
  const { instance } = detail.view;
  const snapshot = snapshotOf({ ...detail, marks: [] }, detail.before ?? "", detail.contextBefore ?? {});
  return { ...baseOf(detail, "actor"), type: "@xstate.actor", name: instance, snapshot, definition, parentId: undefined };
}

function baseOf({ view: { instance, atMs, seq } }: HistoryDetail, part: string): EventBase {
  return { sessionId: instance, rootId: instance, createdAt: String(atMs), id: `${seq}.${part}`, _version: PROTOCOL };
}

function eventOf({ view: { event, type, machine } }: HistoryDetail): { readonly type: string } {
  const members = toFeedValue(event, machine);
  return { ...(typeof members === "object" && members !== null ? members : {}), type };
}

function snapshotOf({ marks, view }: HistoryDetail, value: string, context: HistoryDetail["contextAfter"]): InspectedSnapshot {
  return { status: marks.includes("finished") ? "done" : "active", value, context: toFeedValue(context, view.machine) };
}

async function sourceOf(history: History, { view: { causeSeq } }: HistoryDetail): Promise<string | undefined> {
  return causeSeq === 0n ? undefined : (await history.records(causeSeq, causeSeq))[0]?.view.instance;
}

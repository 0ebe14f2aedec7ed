import type { Plain } from "../machines/canonical.ts";
import type { EffectKind } from "../machines/effects.ts";
import type { EventLog } from "../store/event-log.ts";
import type { Subject as Mention } from "./explain-subject.ts";
import type { HistoryMark } from "./history-marks.ts";
import type { HistoryPage, HistoryTables } from "./history-rows.ts";
import type { RecordView } from "./record-view.ts";
import type { Balance } from "./view.ts";
import type { Counters } from "./wallet-rows.ts";

/** Verdicts, by the number that an index keeps. */
export const VERDICTS = ["pending", "agrees", "differs", "folded"] as const;

/**
 * `agrees` and `differs`: the step was taken again. `folded`: of an earlier revision, its digest only was compared.
 * `pending`: its turn has not come yet.
 */
export type HistoryVerdict = (typeof VERDICTS)[number];

/** What a history needs of a log. */
export type HistoryLog = Pick<EventLog, "head" | "read">;

/** Where a history comes from. */
export interface HistorySource extends AsyncDisposable {
  /** The log as it is now; another one may stand for it later. */
  log(): HistoryLog;
  /** Whether it may grow. */
  readonly isLive: boolean;
  /** Whether a wallet works in this process: reading leaves it most of the time. */
  readonly isShared: boolean;
  /** Whether the wallet that wrote a live log is closed by now; it may be opened again. */
  readonly isAway?: boolean;
  /** Whether the directory of a live log is not there by now; it may come back. */
  readonly isMissing?: boolean;
  /** Resolves when the log grew, or `isAway` or `isMissing` changed; to false when neither ever will. @throws the reason of `signal` */
  grown(signal: AbortSignal): Promise<boolean>;
}

/** How far reading has come. */
export interface HistoryProgress {
  /** The last record that can be looked at. */
  readonly head: bigint;
  /** The last record up to which each step was taken again. */
  readonly checked: bigint;
  /** The last record of the log. */
  readonly total: bigint;
  /** Whether the log itself may grow. */
  readonly isLive: boolean;
  /** Whether the wallet that wrote a live log is closed: more comes once it is opened again. */
  readonly isAway: boolean;
  /** Whether the directory of a live log is not there: it is followed again once it is back. */
  readonly isMissing: boolean;
  /** Whether nothing more will come: all is read and taken again, or that failed. */
  readonly isOver: boolean;
  /** Of the records that came out otherwise when they were taken again the first 100 found, in order; and how many there are. */
  readonly differing: readonly bigint[];
  readonly differingCount: number;
  /** Why reading ended before the end of the log, if it did; `error` is what was thrown. */
  readonly failure: { readonly code: string; readonly message: string; readonly error: unknown } | null;
}

/** A record with what is known of it beside. */
export interface HistoryRecord {
  /** As it is recorded. */
  readonly view: RecordView;
  /** State before, null for an instance's first record. */
  readonly before: string | null;
  readonly marks: readonly HistoryMark[];
  readonly verdict: HistoryVerdict;
}

/** A record with everything around it. */
export interface HistoryDetail extends HistoryRecord {
  /** Whole contexts before and after. */
  readonly contextBefore: Readonly<Record<string, Plain>> | null;
  readonly contextAfter: Readonly<Record<string, Plain>>;
  /** Guard of the transition taken; `else` where only those before it have one. */
  readonly guard: string | null;
  readonly effectKinds: readonly EffectKind[];
  /** The first records that it caused. */
  readonly caused: readonly bigint[];
  /** The records around it of the same instance. */
  readonly previous: bigint | null;
  readonly next: bigint | null;
  readonly disagreement: string | null;
  readonly mentions: readonly Mention[];
}

/** What held after one record, without the rows of its tables. */
export interface HistoryFacts {
  readonly seq: bigint;
  readonly atMs: number;
  readonly epoch: bigint;
  readonly connection: string;
  readonly checkpoint: bigint;
  readonly halted: { readonly checkpoint: bigint; readonly code: string } | null;
  readonly balance: Balance;
  readonly counters: Readonly<Counters>;
  /** How many instances of each machine stood in each state, finished ones too. */
  readonly states: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The last record of each machine. */
  readonly last: ReadonlyMap<string, HistoryRecord>;
}

/** All that held after one record. */
export interface HistoryMoment extends HistoryFacts {
  readonly tables: { readonly [Name in keyof HistoryTables]: HistoryPage<HistoryTables[Name]> };
}

/** What to look for; all that are given must hold. */
export interface HistorySearch {
  /** Begin behind this record, or in front of it. */
  readonly from: bigint;
  readonly direction: "forward" | "backward";
  readonly mark?: HistoryMark;
  readonly instance?: string;
  readonly machine?: string;
  readonly type?: string;
  readonly verdict?: "differs";
}

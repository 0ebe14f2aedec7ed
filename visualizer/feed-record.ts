import type { Decimal, FeedBytes, FeedValue } from "./feed-data.ts";

/** What is remarkable about a record; jumps go by it. */
export type Mark = "halt" | "error" | "redelivery" | "restart" | "quarantined" | "received" | "paid" | "finished";

/** `agrees` and `differs`: it was re-executed. `folded`: of an earlier revision, its digest only was compared. */
export type Verdict = "pending" | "agrees" | "differs" | "folded";

/** A record as a line of a list. */
export interface RecordRow {
  readonly seq: Decimal;
  readonly atMs: number;
  readonly machine: string;
  readonly instance: string;
  readonly type: string;
  /** State before, null for an instance's first record; and after. */
  readonly before: string | null;
  readonly after: string;
  /** Types of the effects asked for. */
  readonly effects: readonly string[];
  /** The record that caused it; "0" if an outside fact did. */
  readonly cause: Decimal;
  /** Effect whose result it is (`<seq>.<index>`), or empty. */
  readonly effectId: string;
  readonly marks: readonly Mark[];
  /** Reason of a halt, refusal or failure. */
  readonly code: string | null;
  readonly verdict: Verdict;
}

/** A record with everything in it. */
export interface RecordDetail extends RecordRow {
  readonly revision: number;
  readonly version: Decimal;
  readonly epoch: Decimal;
  readonly commit: Decimal;
  readonly schema: number;
  readonly bytes: number;
  readonly event: FeedValue;
  readonly blobs: readonly { readonly digest: string; readonly data: FeedBytes | null }[];
  /** Whole contexts before and after; null before an instance's first record. */
  readonly contextBefore: FeedValue;
  readonly contextAfter: FeedValue;
  /** Names of members that changed. */
  readonly changed: readonly string[];
  readonly asked: readonly {
    readonly id: string;
    readonly type: string;
    readonly kind: "route" | "entry" | "query" | "command";
    readonly params: FeedValue;
  }[];
  /** First 16 bytes of SHA-256 over state and context after it, hex. */
  readonly stateDigest: string;
  /** Guard of the transition that was taken, `else` where those before it have one and it has none; null for one without. */
  readonly guard: string | null;
  /** Records that it caused, among those after it; at most 50. */
  readonly caused: readonly Decimal[];
  /** The record before and after it of the same instance. */
  readonly previous: Decimal | null;
  readonly next: Decimal | null;
  /** Why it does not agree; null otherwise. */
  readonly disagreement: string | null;
  /** Ids in it that can be given to `explain`. */
  readonly mentions: readonly Mention[];
}

/** An id that can be given to `explain`. */
export interface Mention {
  readonly kind: "vtxo" | "movement" | "checkpoint" | "quarantined" | "payment";
  readonly id: string;
}

/** One way of an instance, in order; of a very long one, its end until the moment asked for. */
export interface InstancePath {
  readonly instance: string;
  readonly machine: string;
  readonly steps: readonly RecordRow[];
  /** How many earlier steps are left out. */
  readonly leftOut: number;
}

/** How something came to be what it is; texts of servers are in it as they came. */
export interface Explained {
  readonly kind: Mention["kind"];
  readonly id: string;
  readonly now: string;
  readonly steps: readonly {
    readonly seq: Decimal;
    readonly atMs: number;
    readonly instance: string;
    readonly event: string;
    readonly from: string | null;
    readonly to: string;
    readonly code: string | null;
    readonly rules: readonly string[];
    readonly text: string;
  }[];
  readonly leftOut: number;
}

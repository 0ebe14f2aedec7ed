/** What a message of the mailbox is and becomes, for its machine (mailbox.md §4.5, §4.6). */
import type { Notice } from "./drive.machine.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { AcceptedVtxo, ReceiveMovement, ReplacedVtxo, TakenInPart, Verdict } from "./package.ts";

/** The rule and the reason under which bytes that are no message are kept. */
export const MALFORMED = "MALFORMED_MESSAGE";

/** What is known of a message. */
export type MessageContext = {
  readonly checkpoint: bigint;
  /** SHA-256 of the message's bytes, hex. */
  readonly digest: string;
  readonly kind: string;
  /** Whether its checkpoint may become the wallet's (mailbox.md W-11). */
  readonly advance: boolean;
  /** How often it was vetted without an answer. */
  readonly halts: number;
  readonly haltCode: string | null;
  /** How many of the halts were for a reason of its own, how long it has failed so from the first to the last, and when that was. */
  readonly ownFailures: number;
  readonly poisonedMs: number;
  readonly poisonedAtMs: number;
  /** The named rule by which it was ignored. */
  readonly rule: string | null;
  readonly vtxos: readonly AcceptedVtxo[];
  readonly movement: ReceiveMovement | null;
  readonly held: readonly string[];
  readonly registered: boolean;
  readonly backedUp: boolean;
};

/** What happens to it. */
export type MessageEvent = { readonly atMs: number } & (
  | {
      readonly type: "message.received";
      readonly checkpoint: bigint;
      readonly digest: string;
      readonly kind: string;
      /** Entries of a package; 0 for every other kind. */
      readonly entries: number;
      /** What it asks to be looked at; null for what is no notice, or has no hash (mailbox.md M-55, M-58). */
      readonly notice: Notice | null;
      /** Whether it is read out of its turn: behind a package that halts (mailbox.md W-23), or out of the log (W-12). */
      readonly ahead: boolean;
      /** Fact: whether its checkpoint may become the wallet's. One that is ahead does not move it yet. */
      readonly advance: boolean;
    }
  | { readonly type: "message.redelivered" }
  | {
      readonly type: "package.vetted";
      readonly verdicts: readonly Verdict[];
      /** Fact: ids of the package that the wallet knows already, in any state. */
      readonly known: readonly string[];
      /** Fact: the movement's id. */
      readonly movement: string;
      /** Fact: VTXOs of the wallet that give way to some of the package (mailbox.md W-47). */
      readonly replaced?: readonly ReplacedVtxo[];
    }
  | {
      /** Poisoned: chain and server answered the same question about another VTXO, so that it alone is in the way. */
      readonly type: "package.undecided" | "package.poisoned";
      readonly code: string;
      readonly message: string;
    }
  | ({ readonly type: "vtxos.registered" | "recoveryIds.posted" } & TakenInPart)
);

/** The upcasters of each event's older schemas. */
export const messageEvents: EventSchemas<MessageEvent["type"]> = {
  "message.received": [],
  "message.redelivered": [],
  "package.vetted": [],
  "package.undecided": [],
  "package.poisoned": [],
  "vtxos.registered": [],
  "recoveryIds.posted": [],
};

/** Before it was received. */
export const unknownMessage: MessageContext = {
  checkpoint: 0n,
  digest: "",
  kind: "",
  advance: false,
  halts: 0,
  haltCode: null,
  ownFailures: 0,
  poisonedMs: 0,
  poisonedAtMs: 0,
  rule: null,
  vtxos: [],
  movement: null,
  held: [],
  registered: false,
  backedUp: false,
};

/** The rule by which a message without a package is passed over; its bytes stay in the log. */
export function ignoringRule(kind: string, notice: Notice | null): string {
  switch (kind) {
    case "arkoor":
      return "EMPTY_PACKAGE"; // mailbox.md W-45
    case "recovery-vtxo-ids":
      return "RECOVERY_IDS_IN_MAIN_MAILBOX"; // mailbox.md M-36
    case "malformed":
      return MALFORMED;
    case "unknown":
      return "UNKNOWN_KIND"; // mailbox.md M-35, W-12
    default:
      return notice === null ? "MALFORMED_HASH" : "NOTICE_KEPT"; // mailbox.md M-55, M-58
  }
}

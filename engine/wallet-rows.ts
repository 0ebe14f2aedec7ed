import type { AnchorCode } from "../machines/anchors.machine.ts";
import type { OwnVtxo } from "../machines/books.ts";
import type { ExpiryStage } from "../machines/expiry.machine.ts";
import type { HeldItem } from "../machines/package.ts";
import type { Instance } from "../machines/step.ts";
import type { IssuedEffect } from "./transition.ts";

/** A VTXO that the wallet holds; one that was spent is remembered by its id alone (`WalletState.isKnown`). */
export interface Coin extends OwnVtxo {
  /** Checkpoint of the message that brought it; 0 if an action made it. */
  readonly checkpoint: bigint;
  /** The record that credited it. */
  readonly seq: bigint;
  /** Whether records that were lost may have spent it: a salvaged wallet asks the server. */
  readonly isUnsure?: true;
  /** How far it had run out at the last tip that changed it. */
  readonly expiryStage?: ExpiryStage;
  /** What the chain has against its anchor, if it is believed: nothing pays with it (mailbox.md W-41). */
  readonly anchorCode?: AnchorCode;
  /** The action that has it locked; free without one. */
  readonly holder?: string;
  /** Only an exit brings it back, and should begin before that height: nothing pays with it. */
  readonly exitBy?: number;
}

/** An item that is held now. */
export interface QuarantineEntry extends HeldItem {
  readonly key: string;
  readonly heldAtMs: number;
  readonly attempts: number;
  readonly nextTryAtMs: number;
}

/** A command without a result. */
export interface OpenCommand {
  readonly effect: IssuedEffect;
  readonly instance: string;
  readonly seq: bigint;
}

/** What happened so far, counted over the log. */
export interface Counters {
  messages: number;
  packages: number;
  ignored: number;
  halts: number;
  redeliveries: number;
  quarantined: number;
  released: number;
}

/** A machine instance; the context of a finished one is let go. */
export interface LiveInstance extends Instance {
  readonly machine: string;
  readonly revision: number;
  readonly version: bigint;
  /** Whether records of it may be among those that a salvage lost: what it makes may be spent already. */
  readonly hasGap?: true;
}

import type { WalletStatus } from "../../../engine/index.ts";

/** Where a process has its wallet. */
export interface Place {
  readonly directory: string;
  readonly serverUrl: string;
  readonly chainUrl: string;
  readonly isRestore: boolean;
}

/** What the owner of a wallet does in a step, once. */
export type Action =
  | { readonly kind: "send"; readonly to: string; readonly sats: number }
  | { readonly kind: "pay"; readonly to: string }
  | { readonly kind: "invoice"; readonly sats: number }
  | { readonly kind: "cancel"; readonly paymentHash: string }
  | { readonly kind: "stop" | "sync" | "reopen" };

/** When a step of the scenario is over. Sats and checkpoints in decimal digits; null for any. */
export interface Goal {
  readonly connection: "Live" | "Stopped";
  readonly totalSats: string | null;
  readonly checkpoint: string;
  readonly held: number | null;
  /** Payments that go on beyond the step, and whether one of them is on its way out. */
  readonly open: number;
  readonly isOut: boolean;
}

/** What a process of a wallet is told: that a step begins, and, once the world has done its part, to live it. */
export type Told =
  | {
      readonly tell: "begin";
      readonly place: Place;
      /** Where it dies; null for nowhere. */
      readonly diesAt: string | null;
      /** It dies after so many boundaries, whichever; null for never. */
      readonly diesAfter: number | null;
    }
  | { readonly tell: "live"; readonly action: Action | null; readonly goal: Goal }
  | { readonly tell: "end" };

/** What a process says. */
export type Said =
  | { readonly begun: true }
  | { readonly diesAt: string }
  | { readonly reached: Reached }
  | { readonly failed: string };

/** How a step came out. */
export interface Reached {
  /** The boundaries that were passed since it began, in order. */
  readonly boundaries: readonly string[];
  /** Open payments by name. */
  readonly payments: readonly string[];
  readonly account: Account;
}

/** What a wallet has and had, as far as every life of the scenario must have the same. Sats in decimal digits. */
export interface Account {
  readonly totalSats: string;
  /** Sorted, as all lists here are. */
  readonly vtxos: readonly string[];
  readonly held: readonly string[];
  readonly movements: readonly string[];
}

/** Whether all is done that there is to do. */
export function isReached(status: WalletStatus, goal: Goal): boolean {
  const { balance, halted, openCommands, quarantine, connection, restore } = status;
  return (
    connection === goal.connection &&
    halted === null &&
    (goal.held === null || quarantine.length === goal.held) &&
    status.checkpoint >= BigInt(goal.checkpoint) &&
    (goal.totalSats === null || String(balance.totalSats) === goal.totalSats) &&
    (goal.open > 0 || openCommands === 0) &&
    balance.lockedSats === 0n &&
    balance.pendingOutSats > 0n === goal.isOut &&
    balance.awaitingRegistrationSats === 0n &&
    restore?.state !== "restoring"
  );
}

/** The account of a wallet. An invoice of which its owner never heard is no part of it. */
export function accountOf({ balance, movements, quarantine, vtxos }: WalletStatus): Account {
  return {
    totalSats: String(balance.totalSats),
    vtxos: vtxos.map(({ amountSats, policy, state }) => `${amountSats} ${policy} ${state}`).sort(),
    held: quarantine.map(({ code }) => code).sort(),
    movements: movements
      .filter(({ status, subsystem }) => !(subsystem.name === "bark.lightning_receive" && status !== "successful"))
      .map(({ subsystem, status, effectiveBalanceSats, feeSats }) => {
        return `${subsystem.name} ${subsystem.kind} ${status} ${effectiveBalanceSats} ${feeSats}`;
      })
      .sort(),
  };
}

import type { WalletStatus } from "../../../engine/index.ts";

/** What a process of a wallet is told: JSON. */
export interface Job {
  readonly directory: string;
  readonly serverUrl: string;
  readonly chainUrl: string;
  readonly mnemonic: string;
  readonly isRestore: boolean;
  /** What its owner does. */
  readonly action: { readonly kind: "send" | "pay"; readonly to: string; readonly sats: number } | null;
  readonly goal: Goal;
  /** Boundaries at which it does not die, and how many more of the others it passes before it does. */
  readonly passed: readonly string[];
  readonly skip: number;
}

/** When a step of the scenario is over. Sats and checkpoints in decimal digits; null for any. */
export interface Goal {
  readonly totalSats: string | null;
  readonly checkpoint: string;
  readonly held: number | null;
}

/** What a process says. */
export type Said =
  | { readonly passes: string }
  | { readonly diesAt: string }
  | { readonly reached: true }
  | { readonly failed: string };

/** Whether all is done that there is to do. */
export function isReached(status: WalletStatus, { totalSats, checkpoint, held }: Goal): boolean {
  const { balance, halted, openCommands, quarantine, connection, restore } = status;
  return (
    connection === "Live" &&
    halted === null &&
    openCommands === 0 &&
    (held === null || quarantine.length === held) &&
    status.checkpoint >= BigInt(checkpoint) &&
    (totalSats === null || String(balance.totalSats) === totalSats) &&
    balance.lockedSats === 0n &&
    balance.pendingOutSats === 0n &&
    balance.awaitingRegistrationSats === 0n &&
    restore?.state !== "restoring"
  );
}

import type { Notice, NoticeKind } from "../machines/drive.machine.ts";
import type { Instance } from "../machines/step.ts";
import type { Transition } from "./transition.ts";
import type { WalletState } from "./wallet-state.ts";

/** Something that a notice asked to be looked at and that was not looked at since (mailbox.md W-24). */
export interface Drive extends Notice {
  /** The record of the newest notice about it. */
  readonly seq: bigint;
  readonly atMs: number;
  /** The bytes of that notice, in the log: SHA-256, hex. */
  readonly digest: string;
}

/** Name of a drive: its kind and its hash. */
export function driveKey({ kind, hash }: Notice): string {
  return `${kind}/${hash}`;
}

/**
 * Most marks that are kept. An honest server sends a notice for each payment and round of the wallet, and those are asked
 * about on timers too (mailbox.md W-36, W-40): under a flood the oldest marks go.
 */
const MOST_DRIVES = 10_000;

/** Marks what a message asks to be looked at: in the record that takes the message in, so before the checkpoint moves. */
export function foldNotice({ drives }: WalletState, { event, seq, atMs }: Transition): void {
  if (event.type !== "message.received" || event.notice === null) return;
  const drive: Drive = { ...(event.notice as Notice), seq, atMs, digest: String(event.digest) };
  // Renewed marks go to the end.
  drives.delete(driveKey(drive));
  drives.set(driveKey(drive), drive);
  for (const oldest of drives.keys()) {
    if (drives.size <= MOST_DRIVES) break;
    drives.delete(oldest);
  }
}

/** Folds a record of `drive/main` in: what was driven needs it no more. */
export function foldDrive({ drives }: WalletState, { kind, hash }: Instance["context"]): void {
  drives.delete(driveKey({ kind: kind as NoticeKind, hash: String(hash) }));
}

import type { Notice } from "../machines/drive.machine.ts";
import type { AcceptedVtxo } from "../machines/package.ts";
import type { MachineEvent } from "../machines/step.ts";
import { attemptsAt } from "./attempts.ts";
import { nameKey } from "./name-key.ts";
import type { Blob, Transition } from "./transition.ts";
import type { WalletState } from "./wallet-state.ts";

/**
 * How much of what nobody asked for may go into the log in a day (DESIGN §7): payload bytes of messages that brought no
 * money, and the number of such messages and of held items.
 */
export interface UnsolicitedLimits {
  readonly bytesPerDay: number;
  readonly itemsPerDay: number;
}

/** The limits unless the owner sets others. */
export const UNSOLICITED_LIMITS: UnsolicitedLimits = { bytesPerDay: 16 * 1024 * 1024, itemsPerDay: 20_000 };

/** What came in a day and is no money: a fold of the log. */
export type Unsolicited = {
  /** Days since the Unix epoch, of the last record that counted. */
  readonly day: number;
  readonly bytes: number;
  readonly items: number;
  /** Bytes of messages that are not decided yet, by instance. */
  readonly undecided: { readonly [instance: string]: number };
};

/** Of a log in which nothing counted yet. */
export const NOTHING_UNSOLICITED: Unsolicited = { day: 0, bytes: 0, items: 0, undecided: {} };

const DAY_MS = 86_400_000;
/** Bytes that are always kept: the record around them takes more. Every honest notice is shorter. */
const SMALL_BYTES = 256;

/** Whether so many bytes more fit into the day's budget. What is undecided counts until it proves to be money. */
export function hasRoom(state: Readonly<WalletState>, bytes: number, atMs: number, limits: UnsolicitedLimits): boolean {
  const { bytes: spent, undecided } = onDay(state.unsolicited, atMs);
  const waiting = Object.values(undecided).reduce((sum, length) => sum + length, 0);
  return spent + waiting + bytes <= limits.bytesPerDay;
}

/** How many messages, held items and VTXOs that are dust came on the day of that time. */
export function itemsOfDay(state: Readonly<WalletState>, atMs: number): number {
  return onDay(state.unsolicited, atMs).items;
}

/**
 * The bytes that a record keeps: those of a message above the day's budget are not among them. Its digest stands in the
 * record, its checkpoint says where the server has the bytes, and what becomes money is kept with the record that says so.
 */
export function blobsToKeep(
  blobs: readonly (Blob & { readonly data: Uint8Array })[],
  event: MachineEvent,
  atMs: number,
  { state, limits }: { readonly state: Readonly<WalletState>; readonly limits: UnsolicitedLimits },
): Blob[] {
  return blobs.map((blob) => {
    const { length } = blob.data;
    const isAbove = event.type === "message.received" && length > SMALL_BYTES && !hasRoom(state, length, atMs, limits);
    return isAbove || state.blobSeq(blob.digest) !== undefined ? { digest: blob.digest } : blob;
  });
}

/** Counts what a record of a message or of a held item brought; only bytes that the log keeps count. */
export function foldUnsolicited(state: WalletState, transition: Transition): void {
  const before = state.unsolicited;
  const { instance, machine, event, atMs, blobs } = transition;
  const stored = blobs.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  if (event.type === "message.received" && transition.state === "Vetting") {
    if (stored > 0) state.unsolicited = { ...before, undecided: { ...before.undecided, [instance]: stored } };
    return;
  }
  const isDecided = event.type === "message.received" || event.type === "package.vetted";
  const isItem = machine === "quarantined" && event.type === "item.held";
  const isLook = machine === "quarantined" && event.type === "item.vetted" && transition.state !== "Released" && stored > 0;
  if (!isDecided && !isItem && !isLook) return;
  const { [instance]: waiting = 0, ...undecided } = before.undecided;
  const isMoney = transition.state === "Applied";
  // A package of which anything is held counts whole.
  const isWhole = isMoney && !transition.effects.some(({ type }) => type === "holdItem");
  // Bytes that the owner brought, or the backup of the seed named, were asked for.
  const bytes = isItem || isWhole ? 0 : waiting + stored;
  const today = onDay({ ...before, undecided }, atMs);
  const isUnasked = isItem || (isDecided && !isMoney && !isAwaitedNotice(state, transition));
  const items = today.items + (isUnasked ? 1 : 0) + (isMoney ? dustOf(transition) : 0);
  state.unsolicited = { ...today, bytes: today.bytes + bytes, items };
}

/**
 * Notes a notice about a payment of the wallet's own. A payment brings one (mailbox.md §3.4), on whatever day, and no
 * server makes up a payment; more of them, about the same one, are what nobody asked for.
 */
function isAwaitedNotice(state: WalletState, { event, seq }: Transition): boolean {
  const payment = paymentOf(state, (event.notice ?? null) as Notice | null);
  if (payment === undefined || state.noticed.get(nameKey(payment)) !== undefined) return false;
  state.noticed.set(nameKey(payment), seq);
  return true;
}

/** The instance of the payment, or of its last attempt, that a notice is about. */
function paymentOf(state: Readonly<WalletState>, notice: Notice | null): string | undefined {
  if (notice?.kind === "lightning-send") return attemptsAt(state, notice.hash).last;
  if (notice?.kind !== "lightning-receive") return undefined;
  const instance = `lightning-receive/${notice.hash}`;
  return state.instances.has(instance) || state.hasFinished(instance) ? instance : undefined;
}

/** VTXOs of a package that cannot be exited: a server that makes them pays nothing, so any number of them may come. */
function dustOf({ change }: Transition): number {
  return ((change.vtxos ?? []) as readonly AcceptedVtxo[]).filter(({ flags }) => flags.includes("dust")).length;
}

/** A new day begins at nothing; so does an earlier one, after a clock that was wrong was put back. */
function onDay(unsolicited: Unsolicited, atMs: number): Unsolicited {
  const day = Math.floor(atMs / DAY_MS);
  return unsolicited.day === day ? unsolicited : { ...unsolicited, day, bytes: 0, items: 0 };
}

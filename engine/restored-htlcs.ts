import { equalBytes } from "../ark/bytes.ts";
import { encodeHex } from "../ark/hex.ts";
import type { HtlcSendPolicy, UserPolicy } from "../ark/policy.ts";
import { decodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { OwnVtxo } from "../machines/books.ts";
import { originOf } from "../machines/package.ts";
import type { ServerSession } from "../streams/session.ts";
import { attemptsAt } from "./attempts.ts";
import { ownVtxo } from "./cosign-package.ts";
import type { Engine } from "./engine.ts";
import { refreshBlocksOf } from "./expiry.ts";
import type { Dispatch } from "./run-loop.ts";
import { Undecided } from "./undecided.ts";
import { askSpendState } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/** The code of what a restore holds since it is a contract. */
export const CONTRACT = "NOT_PUBKEY_POLICY";

/** The HTLCs of one attempt at a payment hash. */
interface Attempt {
  readonly policy: HtlcSendPolicy;
  readonly keyIndex: number;
  readonly htlcs: OwnVtxo[];
  readonly blobs: NonNullable<Dispatch["blobs"]>[number][];
  readonly entries: QuarantineEntry[];
}

/**
 * Takes the HTLCs of payments out that a restore brought to light: each payment goes on as one whose HTLCs are asked back.
 * The server is asked whether it was paid, then to give them back, as long as it refuses; and before they run out an exit is
 * required (mailbox.md W-48). Their hash, key and expiry stand in their policy; the invoice is lost.
 *
 * What the server does not answer about is left to the next connection. HTLCs of a payment in stay held: what makes its
 * preimage was in the log alone.
 *
 * @returns whether there were any
 * @throws StoreError; the reason of `signal`
 */
export async function takeRestoredHtlcs(engine: Engine, session: ServerSession, signal: AbortSignal): Promise<boolean> {
  const { loop, place } = engine;
  const attempts = new Map<string, Attempt>();
  for (const entry of [...loop.pending.quarantine.values()].filter(isRestoredContract)) {
    const found = await openHtlc(engine, entry, session, signal);
    if (found === undefined) continue;
    const { vtxo, keyIndex } = found;
    const policy = vtxo.policy as HtlcSendPolicy;
    const name = `${encodeHex(policy.paymentHash)}/${keyIndex}/${policy.htlcExpiryHeight}`;
    const attempt: Attempt = attempts.get(name) ?? { policy, keyIndex, htlcs: [], blobs: [], entries: [] };
    const { vtxo: htlc, blob } = ownVtxo(vtxo as Vtxo<UserPolicy>, keyIndex, engine);
    attempt.htlcs.push(htlc);
    attempt.blobs.push(blob);
    attempt.entries.push(entry);
    attempts.set(name, attempt);
  }
  signal.throwIfAborted();
  for (const { policy, keyIndex, htlcs, blobs, entries } of attempts.values()) {
    const paymentHash = encodeHex(policy.paymentHash);
    const { htlcExpiryHeight } = policy;
    const refreshBlocks = refreshBlocksOf(place.network);
    const terms = { paymentHash, keyIndex, htlcExpiryHeight, refreshBlocks, htlcs: htlcs.toSorted(bySoonestExpiry) };
    const instance = attemptsAt(loop.pending, paymentHash).next;
    // Held no more: the payment has them.
    const dropped = entries.map(({ key, id }): Dispatch => {
      return { instance: `quarantined/${key}`, event: { type: "item.vetted", verdict: { kind: "known", id: id ?? "" } } };
    });
    engine.feed({ instance, event: { type: "payment.restored", ...terms }, blobs }, ...dropped);
  }
  return attempts.size > 0;
}

/** Whether an item came out of the backup of the seed, and is good but for being a contract. */
function isRestoredContract({ code, movement = "", source }: QuarantineEntry): boolean {
  return code === CONTRACT && originOf(movement) === "restore" && source.entry === null;
}

/** An HTLC of a payment out that the server calls unspent; undefined for anything else, and where it does not say. */
async function openHtlc(
  { keyring, loop, vetting }: Engine,
  entry: QuarantineEntry,
  session: ServerSession,
  signal: AbortSignal,
): Promise<{ readonly vtxo: Vtxo; readonly keyIndex: number } | undefined> {
  try {
    const vtxo = decodeVtxo(await vetting.bytesOf(entry, signal));
    const { policy, serverPubkey } = vtxo;
    const isHtlc = policy.kind === "server-htlc-send" || policy.kind === "server-htlc-send-v1";
    if (!isHtlc || !equalBytes(serverPubkey, session.info.serverPubkey)) return undefined;
    const keyIndex = keyring.usedIndex(policy.userPubkey, loop.pending.nextKeyIndex);
    if (keyIndex === undefined) return undefined;
    const state = await askSpendState(vtxoId(vtxo), keyIndex, { session, keyring, signal });
    return state === "registered" || state === "unregistered" ? { vtxo, keyIndex } : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Undecided) return undefined;
    throw error;
  }
}

/** The order in which a payment has its HTLCs (lightning.md S11). */
function bySoonestExpiry(a: OwnVtxo, b: OwnVtxo): number {
  return a.expiryHeight - b.expiryHeight || (a.id < b.id ? -1 : 1);
}

import { lightningReceiveFee } from "../ark/fees.ts";
import { decodeHex } from "../ark/hex.ts";
import { type GrantedBytes, type GrantTerms, judgeGrant } from "../ark/lightning-grant.ts";
import { lineageOf } from "../ark/lineage.ts";
import { decodeVtxo } from "../ark/vtxo.ts";
import { ChainError } from "../chain/errors.ts";
import type { ReceivePrepare, ReceiveReport } from "../streams/lightning-receive.ts";
import type { ActionAnswer, ActionCall, DecidedAnswer } from "./action-driver.ts";
import { askOwnAnchor } from "./ask-anchor.ts";
import { orRefused, ownVtxo, Refused } from "./cosign-package.ts";
import type { Engine } from "./engine.ts";
import { isFree } from "./free-coins.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { mayHaveLostRecords } from "./reconcile.ts";
import { conflictOf } from "./settle-verdicts.ts";

/** A VTXO proves something against floods if it outlives the tip by more than that (lightning.md §3). */
const PROOF_MARGIN_BLOCKS = 2;
/** How many blocks less are asked for where the payment is older than the tip (R5). */
const LOWERED_BY = [0, 1, 2];
/** VTXOs of a grant that are asked about at the same time. */
const CONCURRENT_VTXOS = 8;
/** Wait before a grant that may still become good is looked at again; a new block does it at once. */
const GRANT_RETRY_MS = 10_000;

type Call = ActionCall<"awaitGrant">;

/** What a server granted, and how the request for it stands to it. */
interface Offer extends Pick<GrantTerms, "nowHeight" | "requestedExpiryHeight" | "checkTimes" | "reportedSats"> {
  readonly vtxos: readonly Uint8Array[];
  /** Whether the server says that it has the preimage: then a grant that is not good now may not be given up. */
  readonly isSettled: boolean;
}

/**
 * Has the HTLC VTXOs of a payment granted, and judges them (lightning.md §9.4).
 *
 * @param before The state of the receive right before: where a grant was made already, this request changes nothing (R10).
 * @throws Refused
 */
export async function askForGrant(call: Call, before: "accepted" | "htlcs-ready"): Promise<ActionAnswer> {
  const { engine, params, signal } = call;
  const nowHeight = await freshTip(engine, signal);
  const { report, vtxos, requestedExpiryHeight } = await prepare(call, nowHeight + params.cltvDelta);
  return answerOf(call, {
    vtxos,
    nowHeight,
    requestedExpiryHeight: before === "htlcs-ready" ? null : requestedExpiryHeight,
    checkTimes: true,
    isSettled: false,
    reportedSats: report.amountSats,
  });
}

/**
 * Takes over a payment whose preimage the server says to have already, as after the restore of an old log: downloads what
 * was granted, and claims it (R8). That the preimage is out is the server's word alone: unless this log lost records, only
 * a grant that could be exited in time is worth it.
 */
export async function recoverGrant(call: Call, report: ReceiveReport): Promise<ActionAnswer> {
  const { engine, instance, session, signal } = call;
  const vtxos = await mapConcurrently(report.htlcIds, CONCURRENT_VTXOS, (id) => session.getVtxo(id, { signal }));
  const checkTimes = !mayHaveLostRecords(engine.loop.pending, instance);
  const nowHeight = await freshTip(engine, signal);
  const { amountSats: reportedSats } = report;
  return answerOf(call, { vtxos, nowHeight, requestedExpiryHeight: null, checkTimes, isSettled: true, reportedSats });
}

/**
 * The height of the tip.
 *
 * @throws ChainError
 */
export async function freshTip({ chain }: Pick<Engine, "chain">, signal: AbortSignal): Promise<number> {
  const tip = await chain.tip({ fresh: true, signal });
  if (tip.kind === "unknown") throw tip.error;
  if (tip.kind === "absent") throw new ChainError("CHAIN_BAD_RESPONSE", "expected a tip from the chain source, got none");
  return tip.value.height;
}

/** A refusal may only say that the payment is a block or two older: while it is there, less is asked for (R5). */
async function prepare(call: Call, expiryHeight: number) {
  const { keyring, params, session, signal } = call;
  const paymentHash = decodeHex(params.paymentHash);
  const proof = proofOf(call, expiryHeight - params.cltvDelta);
  const request = { paymentHash, userPubkey: keyring.publicKey(params.keyIndex), ...proof };
  let refusal: unknown;
  for (const lower of LOWERED_BY) {
    const requestedExpiryHeight = expiryHeight - lower;
    try {
      const prepared = { ...request, htlcExpiryHeight: requestedExpiryHeight };
      const answer = await orRefused(() => session.lightningReceive.prepare(prepared, { signal }));
      return { ...answer, requestedExpiryHeight };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refusal = error;
    }
    const { state } = await session.lightningReceive.check(paymentHash, { signal });
    // Not refused for good: the next look at the receive says what became of it.
    if (state !== "accepted") throw new Error(`expected an accepted payment, got one that is ${state}`, { cause: refusal });
  }
  throw new Error("expected a grant for an accepted payment, got refusals", { cause: refusal });
}

/** A VTXO of the wallet, at random: a server may want to see that it has one (lightning.md §9.4). */
function proofOf({ engine, params }: Call, nowHeight: number): Pick<ReceivePrepare, "proof"> {
  const { pending } = engine.loop;
  const coins = [...pending.coins.values()].filter(
    ({ id, expiryHeight }) => isFree(pending, id) && expiryHeight > nowHeight + PROOF_MARGIN_BLOCKS,
  );
  const [random = 0] = engine.ports.randomness.bytes(1);
  const coin = coins[random % Math.max(1, coins.length)];
  if (coin === undefined) return {};
  const attestation = engine.keyring.receiveAttestation(coin.id, coin.keyIndex, decodeHex(params.paymentHash));
  return { proof: { vtxoId: coin.id, attestation } };
}

async function answerOf(call: Call, offer: Offer): Promise<ActionAnswer> {
  const { engine, keyring, params, session, signal } = call;
  const granted = await mapConcurrently(offer.vtxos, CONCURRENT_VTXOS, (bytes) => withAnchor(engine, bytes, signal));
  const judgement = judgeGrant(granted, {
    ...offer,
    paymentHash: decodeHex(params.paymentHash),
    userPubkey: keyring.publicKey(params.keyIndex),
    serverPubkey: session.info.serverPubkey,
    invoiceSats: params.amountSats,
    feeOf: (amountSats) => lightningReceiveFee(session.info.fees.lightningReceive, amountSats),
    promisedFeeSats: params.feeSats,
  });
  if (judgement.kind === "refused") return refusedAnswer(judgement, offer);
  const kept = judgement.vtxos.map((vtxo) => ownVtxo(vtxo, params.keyIndex, engine));
  const { feeSats, htlcExpiryHeight, latestExitHeight } = judgement;
  const htlcs = kept.map(({ vtxo }) => ({ ...vtxo, registered: true }));
  const isSettled = !offer.checkTimes;
  const accepted: DecidedAnswer = {
    event: { type: "grant.accepted", isSettled, htlcs, feeSats, htlcExpiryHeight, latestExitHeight },
    blobs: kept.map(({ blob }) => blob),
  };
  const decide = (): DecidedAnswer => {
    // A server alone signs what it grants: it could grant one output for two payments (mailbox.md W-47).
    const conflict = kept.map(({ vtxo }) => conflictOf(vtxo, engine.loop.pending)).find((found) => found !== undefined);
    return conflict === undefined ? accepted : refusedAnswer({ ...conflict, isFinal: true }, offer);
  };
  return { decide };
}

/**
 * What the chain has against HTLCs that were granted, as against what comes in: none of them is worth the preimage if its
 * chain was cut, or its anchor is in no block any more (mailbox.md W-41). Waiting may mend that, or time ends it (R6).
 *
 * @throws Undecided
 */
export async function vetHtlcs(call: ActionCall<"vetReveal">, tipHeight: number): Promise<ActionAnswer | undefined> {
  const { engine, instance, signal } = call;
  const { blobs, chain, loop } = engine;
  const htlcs = [...loop.pending.coins.values()].filter(({ holder }) => holder === instance);
  // Out of a pool of the server's: no coin of the wallet's own is among those that they were made of.
  const context = { chain, signal, confirmations: 1, tipHeight, isOwn: () => false };
  const answers = await mapConcurrently(htlcs, CONCURRENT_VTXOS, async ({ source }) => {
    const vtxo = decodeVtxo(await blobs.vtxo(source));
    return askOwnAnchor(vtxo, lineageOf(vtxo), context);
  });
  const found = answers.find((answer) => answer !== undefined);
  return found && { waitMs: GRANT_RETRY_MS, news: { type: "step.delayed", code: found.code } };
}

function refusedAnswer(
  { code, message, isFinal }: { readonly code: string; readonly message: string; readonly isFinal: boolean },
  { isSettled }: Offer,
): DecidedAnswer {
  if (isFinal && !isSettled) return { event: { type: "grant.failed", code, message } };
  // Another copy of the log may have claimed it; or the server lies, to get a preimage for nothing (R8).
  return { waitMs: GRANT_RETRY_MS, news: { type: "step.delayed", code: isSettled ? "SETTLED_ELSEWHERE" : code } };
}

/** What the chain source says of the anchor; bytes that are no VTXO have none. */
async function withAnchor({ chain }: Engine, bytes: Uint8Array, signal: AbortSignal): Promise<GrantedBytes> {
  const txid = anchorTxid(bytes);
  if (txid === undefined) return { bytes, anchor: { kind: "absent" }, isAnchorConfirmed: false };
  const transaction = await chain.transaction(txid, { signal });
  const status = await chain.status(txid, { signal });
  if (transaction.kind === "unknown") throw transaction.error;
  if (status.kind === "unknown") throw status.error;
  return {
    bytes,
    anchor: transaction.kind === "found" ? { kind: "found", transaction: transaction.value } : { kind: "absent" },
    isAnchorConfirmed: status.kind === "found" && status.value.confirmed,
  };
}

function anchorTxid(bytes: Uint8Array): string | undefined {
  try {
    return decodeVtxo(bytes).chainAnchor.txid;
  } catch {
    return undefined;
  }
}

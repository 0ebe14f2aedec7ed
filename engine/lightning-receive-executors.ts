import { parseAddress } from "../ark/address.ts";
import { decodeHex, encodeHex } from "../ark/hex.ts";
import { checkOwnInvoice, invoiceExpiresAtMs } from "../ark/own-invoice.ts";
import type { UserPolicy } from "../ark/policy.ts";
import { encodeVtxo } from "../ark/vtxo.ts";
import { isForeign, type ReceiveStatus } from "../machines/lightning-receive.ts";
import type { ReceiveState } from "../streams/lightning-receive.ts";
import type { ActionAnswer, ActionCall } from "./action-driver.ts";
import { cosignPackage, foreignVtxo, orRefused, ownVtxo, Refused } from "./cosign-package.ts";
import { codeOf, HeartwoodError, messageOf } from "./errors.ts";
import { askForGrant, freshTip, recoverGrant, vetHtlcs } from "./receive-grant.ts";
import { mayHaveLostRecords } from "./reconcile.ts";

/** How often a payment is asked for that nobody has told of (lightning.md §3). */
const POLL_MS = 4_000;
/** How long after its expiry an unpaid invoice is kept. */
const EXPIRY_GRACE_MS = 60_000;
/** Claims in a row before the owner is told (`lightning_receive_claim_retries`), and the wait before the next ones. */
const CLAIM_RETRIES = 5;
const PARKED_MS = 60_000;
/** Attempts to tell the server of a cancellation. */
const CANCEL_RETRIES = 3;
/** VTXOs of one registration (mailbox.md W-39). */
const CHUNK_ITEMS = 20;

/** Commands of `lightning-receive` (lightning.md §9). */
export const lightningReceiveExecutors = { requestInvoice, awaitGrant, vetReveal, claimReceive, cancelReceive };

/**
 * Has the invoice made, in one attempt: without an answer the owner is told, and asks for another invoice. The hash is
 * sent only if the server never heard of it, so that no preimage of a lost log is used again.
 */
async function requestInvoice(call: ActionCall<"requestInvoice">): Promise<ActionAnswer> {
  const { engine, keyring, params, session, signal } = call;
  const paymentHash = decodeHex(params.paymentHash);
  try {
    if (call.isRepeated) throw new HeartwoodError("INVOICE_FAILED", "the connection was lost while the invoice was made");
    await expectUnknown(call, paymentHash);
    const { amountSats, cltvDelta: minCltvDelta, description } = params;
    const more = description === null ? {} : { description };
    const start = { paymentHash, amountSats, minCltvDelta, mailboxId: keyring.mailboxId, ...more };
    const text = await session.lightningReceive.start(start, { signal });
    const { network } = engine.place;
    const nowMs = engine.clock.nowMs();
    const invoice = checkOwnInvoice(text, { paymentHash, amountSats, minCltvDelta, network, nowMs });
    return { event: { type: "invoice.issued", bolt11: invoice.text, expiresAtMs: invoiceExpiresAtMs(invoice) } };
  } catch (error) {
    signal.throwIfAborted();
    return { event: { type: "invoice.refused", code: codeOf(error), message: messageOf(error) } };
  }
}

async function expectUnknown({ session, signal }: ActionCall<"requestInvoice">, paymentHash: Uint8Array): Promise<void> {
  try {
    await session.lightningReceive.check(paymentHash, { signal });
  } catch (error) {
    if (codeOf(error) === "SERVER_NOT_FOUND") return;
    throw error;
  }
  throw new HeartwoodError("INVOICE_FAILED", "expected a payment hash that the server does not know, got a known one");
}

/** One look at AwaitingPayment (lightning.md §9.3). */
async function awaitGrant(call: ActionCall<"awaitGrant">): Promise<ActionAnswer> {
  const { params, session, signal } = call;
  try {
    const report = await orRefused(() => session.lightningReceive.check(decodeHex(params.paymentHash), { signal }));
    switch (report.state) {
      case "created":
        return isExpired(call, EXPIRY_GRACE_MS) ? EXPIRED : { waitMs: POLL_MS };
      case "canceled":
        return isExpired(call, 0) ? EXPIRED : failed("RECEIVE_CANCELED", "the server cancelled the payment");
      case "accepted":
      case "htlcs-ready":
        return await askForGrant(call, report.state);
      case "settled":
        return await recoverGrant(call, report);
      case "unspecified":
        throw new Error("expected a known state of the receive, got another");
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return failed(error.code, error.message);
  }
}

const EXPIRED: ActionAnswer = { event: { type: "invoice.expired" } };

function isExpired({ engine, params }: ActionCall<"awaitGrant">, graceMs: number): boolean {
  return engine.clock.nowMs() > params.expiresAtMs + graceMs;
}

function failed(code: string, message: string): ActionAnswer {
  return { event: { type: "grant.failed", code, message } };
}

/** Whether the preimage may leave (R6): nothing but a definite answer lets it. */
async function vetReveal(call: ActionCall<"vetReveal">): Promise<ActionAnswer> {
  const { engine, instance, params, session, signal } = call;
  const tipHeight = await freshTip(engine, signal);
  try {
    const { state } = await session.lightningReceive.check(decodeHex(params.paymentHash), { signal });
    const said = statusOf(state);
    // That the preimage is out lets it leave at any time, so it is believed only where this log may not say it.
    const status = said === "settled" && !mayHaveLostRecords(engine.loop.pending, instance) ? "open" : said;
    const wait = status === "open" && tipHeight <= params.latestExitHeight ? await vetHtlcs(call, tipHeight) : undefined;
    if (wait !== undefined) return wait;
    return { event: { type: "reveal.vetted", tipHeight, status } };
  } catch (error) {
    // Without an answer the time alone may decide, and only against it.
    if (signal.aborted || tipHeight <= params.latestExitHeight) throw error;
    return { event: { type: "reveal.vetted", tipHeight, status: "open" } };
  }
}

function statusOf(state: ReceiveState): ReceiveStatus {
  switch (state) {
    case "htlcs-ready":
      return "open";
    case "settled":
    case "canceled":
      return state;
    default:
      // A claim would be refused, and the preimage would be out.
      throw new Error(`expected a granted receive, got one that is ${state}`);
  }
}

/**
 * Sends the preimage, which its record says since before, and finishes, registers and checks what comes out of it. After
 * some failures in a row, or a refusal, the owner is told; it goes on all the same (lightning.md §9.3).
 */
async function claimReceive(call: ActionCall<"claimReceive">): Promise<ActionAnswer> {
  try {
    return await claim(call);
  } catch (error) {
    call.signal.throwIfAborted();
    if (!(error instanceof Refused) && call.failures + 1 < CLAIM_RETRIES) throw error;
    const details = { instance: call.instance, code: codeOf(error), message: messageOf(error) };
    call.engine.ports.logger("warn", "a payment cannot be claimed yet", details);
    return { waitMs: PARKED_MS, news: { type: "step.delayed", code: codeOf(error) } };
  }
}

async function claim(call: ActionCall<"claimReceive">): Promise<ActionAnswer> {
  const { engine, keyring, params, session, signal } = call;
  const { amountSats, destination, keyIndex, paymentHash, salt, sources } = params;
  const policy = policyOf(call);
  const preimage = keyring.receivePreimage(decodeHex(salt));
  const results = await cosignPackage(call, {
    inputs: sources.map((source) => ({ source, keyIndex })),
    destinations: [{ amountSats, policy }],
    isRegistered: true,
    request: (parts, options) =>
      session.lightningReceive.claim({ paymentHash: decodeHex(paymentHash), preimage, parts }, options),
  });
  const bytes = results.map((vtxo) => encodeVtxo(vtxo));
  for (let from = 0; from < bytes.length; from += CHUNK_ITEMS) {
    await session.registerVtxoTransactions(bytes.slice(from, from + CHUNK_ITEMS), { signal });
  }
  const owner = destination?.keyIndex ?? keyIndex;
  const own = isForeign(destination) ? [] : results.map((vtxo) => ownVtxo(vtxo, owner, engine));
  const foreign = isForeign(destination) ? results.map((vtxo) => foreignVtxo(vtxo)) : [];
  const coins = own.map(({ vtxo }) => ({ ...vtxo, registered: true }));
  const forwarded = foreign.map(({ vtxo }) => vtxo);
  return {
    event: { type: "claim.succeeded", coins, forwarded, preimage: encodeHex(preimage) },
    blobs: [...own, ...foreign].map(({ blob }) => blob),
  };
}

/** Who gets the money. */
function policyOf({ keyring, params }: ActionCall<"claimReceive">): UserPolicy {
  const { destination, keyIndex } = params;
  if (destination === null) return { kind: "pubkey", userPubkey: keyring.publicKey(keyIndex) };
  return parseAddress(destination.address).policy;
}

/** Best effort: what the server says to it changes nothing for this wallet, which will not claim. */
async function cancelReceive(call: ActionCall<"cancelReceive">): Promise<ActionAnswer> {
  const { failures, params, session, signal } = call;
  try {
    await orRefused(() => session.lightningReceive.cancel(decodeHex(params.paymentHash), { signal }));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Refused) && failures + 1 < CANCEL_RETRIES) throw error;
  }
  return { event: { type: "receive.cancelled" } };
}

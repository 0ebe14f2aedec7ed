import { vtxosOfPolicy } from "../ark/arkoor-result.ts";
import type { ArkoorPart } from "../ark/arkoor-transactions.ts";
import { decodeHex, encodeHex } from "../ark/hex.ts";
import type { PubkeyPolicy, UserPolicy } from "../ark/policy.ts";
import { encodeVtxo } from "../ark/vtxo.ts";
import { idsOf, type OwnVtxo, sumOf } from "../machines/books.ts";
import { isPreimageOf, isSendNearExpiry, type LightningSendContext } from "../machines/lightning-send.ts";
import type { PaymentReport } from "../streams/lightning-send.ts";
import type { ActionAnswer, ActionCall } from "./action-driver.ts";
import { cosignPackage, orRefused, orSpentElsewhere, ownVtxo, type Package, Refused } from "./cosign-package.ts";
import { codeOf, messageOf } from "./errors.ts";
import { areHtlcsMade, areHtlcsSigned, destinationsOf } from "./htlc-package.ts";
import { checkInputs, registerVtxos } from "./server-calls.ts";

/** How often a payment's outcome is asked for (lightning.md §3). */
const POLL_MS = 2_000;
/** How long the server may know of no attempt before it is asked to pay once more, and how often (S12). */
const MISSING_MS = 30_000;
/** Wait before a refused revocation is asked for again; the S8 query comes with it. */
const REVOCATION_RETRY_MS = 60_000;
/** Wait before the outcome of somebody else's payment of the same invoice is asked for again (S7). */
const ELSEWHERE_MS = 60_000;
/** How the server words that a payment succeeded (S8). */
const PREIMAGE_IN_TEXT = /preimage: ([0-9a-f]{64})/;

/** Commands of `lightning-send` (lightning.md §8). */
export const lightningSendExecutors = { cosignHtlcs, recoverHtlcs, initiatePayment, watchPayment, revokeHtlcs };

type Command = keyof typeof lightningSendExecutors;

/** Has the HTLCs cosigned (lightning.md §8.4). */
function cosignHtlcs(call: ActionCall<"cosignHtlcs">): Promise<ActionAnswer> {
  return orDelayed(call, async () => {
    // With it the server could take the HTLCs of a package, for a payment that somebody else made (§10).
    if (contextOf(call)?.preimage != null) {
      return { event: { type: "package.refused", code: "INVOICE_PAID", message: "the invoice was paid meanwhile" } };
    }
    try {
      return await cosigned(call, (parts, options) => call.session.lightningSend.cosign(parts, options));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { event: { type: "package.refused", code: error.code, message: error.message } };
    }
  });
}

/**
 * After a refusal: was an earlier copy of the package carried out? Then it is completed through a call without the checks
 * that refused it, so that its HTLCs can be given back; but not where a preimage is known, with which the server could
 * take completed HTLCs (S7), unless they were completed before. A preimage is recorded before anything else: the invoice is not to be paid again.
 */
function recoverHtlcs(call: ActionCall<"recoverHtlcs">): Promise<ActionAnswer> {
  return orDelayed(call, async () => {
    const { preimage = null, refusal = null } = contextOf(call) ?? {};
    const shown = preimage === null ? preimageInText(call, refusal?.message ?? "") : undefined;
    if (shown !== undefined) return evidence(shown);
    const inputs = await checkInputs(call.params.inputs, call);
    const checked = { event: { type: "inputs.checked", ...inputs } };
    if (inputs.spent.length === 0) return checked;
    const { state, preimage: asked } = preimage === null ? await look(call) : { state: "succeeded" as const };
    if (asked !== undefined) return evidence(asked);
    if (state === "unknown" || state === "unspecified") throw new Error("expected the state of the payment, got no answer");
    // What was completed before can be completed again: the server has all that it could get of it.
    const wasCompleted = (preimage !== null || state === "pending") && (await areHtlcsSigned(call));
    if (preimage !== null && !wasCompleted) return checked;
    // Somebody else may be paying the invoice: the server could take completed HTLCs for that payment too.
    if (state === "pending" && !wasCompleted) {
      const news = { type: "step.delayed", code: "PAID_ELSEWHERE", tipHeight: await tipHeightOf(call) };
      return { waitMs: ELSEWHERE_MS, news };
    }
    try {
      const request: Package["request"] = (parts, options) => call.session.requestArkoorCosign(parts, options);
      const answer = await cosigned(call, request, (built) => areHtlcsMade(call, built));
      return wasCompleted ? { ...answer, event: { ...answer.event, wasCompleted } } : answer;
    } catch (error) {
      if (error instanceof Refused) return checked;
      throw error;
    }
  });
}

/** Registers the HTLCs, without which the server does not pay (S6), and asks it to pay (lightning.md §8.5). */
function initiatePayment(call: ActionCall<"initiatePayment">): Promise<ActionAnswer> {
  return orDelayed(call, async () => {
    const { htlcs, change } = call.params;
    const tipHeight = await tipHeightOf(call);
    // As after a long absence: what is about to be given back is not begun.
    if (!isInTime(call, tipHeight)) return { waitMs: POLL_MS, news: { type: "step.delayed", code: "NEAR_EXPIRY", tipHeight } };
    await registerVtxos(sourcesOf(htlcs), call);
    await registerChange(change, call);
    return (await initiate(call)) ?? { event: { type: "payment.initiated" } };
  });
}

function registerChange(change: readonly OwnVtxo[], call: ActionCall<"initiatePayment" | "revokeHtlcs">): Promise<void> {
  return orLogged(call, "change could not be registered; it is when it is spent", () => registerVtxos(sourcesOf(change), call));
}

/** Asks for the outcome; where the server knows of no attempt for a while, it is asked to pay once more (S12). */
async function watchPayment(call: ActionCall<"watchPayment">): Promise<ActionAnswer> {
  const { state, preimage } = await look(call);
  if (preimage !== undefined) return learned(preimage);
  if (state === "failed") return { event: { type: "payment.failed" } };
  if (state !== "missing" && state !== "unknown") missingSince.delete(call.params);
  const tipHeight = await tipHeightOf(call);
  // What is about to be given back is not begun again.
  if (state === "missing" && isOverdue(call) && isInTime(call, tipHeight)) {
    // Anything but a refusal says nothing: the next look does.
    const registered = registerVtxos(sourcesOf(call.params.htlcs), call);
    const refused = await registered.then(() => initiate(call)).catch(() => undefined);
    call.signal.throwIfAborted();
    if (refused !== undefined) return refused;
  }
  return { waitMs: POLL_MS, news: { type: "payment.pending", tipHeight } };
}

/** Has everything given back, unless the payment succeeded after all (lightning.md §8.6, §8.8). */
function revokeHtlcs(call: ActionCall<"revokeHtlcs">): Promise<ActionAnswer> {
  return orDelayed(call, async () => {
    const { htlcs, change, keyIndex } = call.params;
    const { preimage } = await look(call);
    if (preimage !== undefined) return learned(preimage);
    const refundIndex = keyIndex + 1;
    const policy: PubkeyPolicy = { kind: "pubkey", userPubkey: call.keyring.publicKey(refundIndex) };
    try {
      const results = await cosignPackage(call, {
        inputs: htlcs,
        destinations: [{ amountSats: sumOf(htlcs), policy }],
        request: (parts, options) => call.session.lightningSend.revoke(parts, options),
      });
      await orLogged(call, "what a revocation gave back could not be registered; it is when it is spent", () =>
        call.session.registerVtxoTransactions(results.map(encodeVtxo), { signal: call.signal }),
      );
      // Of a payment that was never asked for the server has no signatures: a restore would find its change without them.
      await registerChange(change, call);
      const kept = results.map((vtxo) => ownVtxo(vtxo, refundIndex, call.engine));
      return { event: { type: "htlcs.revoked", vtxos: kept.map(({ vtxo }) => vtxo) }, blobs: kept.map(({ blob }) => blob) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const proof = preimageInText(call, error.message);
      if (proof !== undefined) return learned(proof);
      const news = { type: "step.delayed", code: error.code, tipHeight: await tipHeightOf(call) };
      return { waitMs: REVOCATION_RETRY_MS, news };
    }
  });
}

/** The package of the payment, cosigned by whichever call: the same transactions every time. */
async function cosigned(
  call: ActionCall<"cosignHtlcs"> | ActionCall<"recoverHtlcs">,
  request: Package["request"],
  isMade?: (built: readonly ArkoorPart[]) => Promise<boolean>,
) {
  const { inputs, keyIndex } = call.params;
  const { htlcPolicy, changePolicy, destinations } = destinationsOf(call.params, call.keyring.publicKey(keyIndex));
  const results = await cosignPackage(call, { inputs, destinations, request: orSpentElsewhere(call, inputs, request, isMade) });
  const kept = (policy: UserPolicy) => vtxosOfPolicy(results, policy).map((vtxo) => ownVtxo(vtxo, keyIndex, call.engine));
  const [htlcs, change] = [kept(htlcPolicy), kept(changePolicy)];
  return {
    event: { type: "package.cosigned", htlcs: htlcs.map(({ vtxo }) => vtxo), change: change.map(({ vtxo }) => vtxo) },
    blobs: [...htlcs, ...change].map(({ blob }) => blob),
  };
}

/** Asks the server to pay; answers only if it refuses, after a look whether an attempt is there all the same (S8). */
async function initiate(call: ActionCall<"initiatePayment" | "watchPayment">): Promise<ActionAnswer | undefined> {
  const { invoice, htlcs, amountSats } = call.params;
  const { mailboxId } = call.keyring;
  try {
    const start = { invoice, htlcIds: idsOf(htlcs), amountSats, mailboxId };
    await orRefused(() => call.session.lightningSend.initiate(start, { signal: call.signal }));
    return undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const inText = preimageInText(call, error.message);
    if (inText !== undefined) return learned(inText);
    const { state, preimage } = await look(call);
    if (preimage !== undefined) return learned(preimage);
    // No attempt, or no answer: giving back at once is better than a wait for nothing.
    const isOpen = state === "pending";
    // Refused because the server lost a registration: it is made again, and the payment asked for again (S6).
    if (!isOpen && (await isUnregistered(call))) throw error;
    return { event: { type: "payment.refused", code: error.code, message: error.message, isOpen } };
  }
}

async function isUnregistered(call: ActionCall<"initiatePayment" | "watchPayment">): Promise<boolean> {
  const { keyring, params, session, signal } = call;
  for (const { id, keyIndex } of params.htlcs) {
    const asked = session.getVtxoStatus(id, keyring.statusAttestation(id, keyIndex), { signal });
    if ((await asked.catch(() => undefined)) === "unregistered") return true;
  }
  return false;
}

/** Since when the server knows of no attempt, by the command's parameters: forgotten with the process, as it may be. */
const missingSince = new WeakMap<object, number>();

function isOverdue({ engine, params }: ActionCall<"watchPayment">): boolean {
  const nowMs = engine.clock.nowMs();
  const since = missingSince.get(params);
  if (since !== undefined && nowMs - since <= MISSING_MS) return false;
  missingSince.set(params, nowMs);
  return since !== undefined;
}

function isInTime(call: ActionCall<"initiatePayment" | "watchPayment">, tipHeight: number): boolean {
  const context = contextOf(call);
  return context !== undefined && !isSendNearExpiry(context, tipHeight);
}

/** What the server says of the payment: `missing` if it knows of none, `unknown` without a usable answer. */
interface Look {
  readonly state: PaymentReport["state"] | "missing" | "unknown";
  /** Proof, checked. */
  readonly preimage?: string;
}

async function look(call: ActionCall<Command>): Promise<Look> {
  const { engine, instance, params, session, signal } = call;
  try {
    const report = await session.lightningSend.check(decodeHex(params.paymentHash), { signal });
    if (report.state !== "succeeded") return report;
    const preimage = encodeHex(report.preimage);
    if (isPreimageOf(params.paymentHash, preimage)) return { state: "succeeded", preimage };
    engine.ports.logger("error", "the server called a payment successful without its preimage; it counts as open", { instance });
    return { state: "unknown" };
  } catch (error) {
    signal.throwIfAborted();
    return { state: codeOf(error) === "SERVER_NOT_FOUND" ? "missing" : "unknown" };
  }
}

/** What a payment without HTLCs keeps, and then goes on. */
function evidence(preimage: string): ActionAnswer {
  return { waitMs: 0, news: { type: "preimage.learned", preimage } };
}

function preimageInText(call: ActionCall<Command>, text: string): string | undefined {
  const [, found = null] = PREIMAGE_IN_TEXT.exec(text) ?? [];
  return isPreimageOf(call.params.paymentHash, found) ? found : undefined;
}

function learned(preimage: string): ActionAnswer {
  return { event: { type: "preimage.learned", preimage } };
}

async function orLogged(call: ActionCall<Command>, what: string, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    call.signal.throwIfAborted();
    const { instance } = call;
    call.engine.ports.logger("warn", what, { instance, code: codeOf(error), message: messageOf(error) });
  }
}

/** An attempt that fails is repeated with a back-off; the machine hears of it, since time may run out. */
async function orDelayed(call: ActionCall<Command>, attempt: () => Promise<ActionAnswer>): Promise<ActionAnswer> {
  try {
    return await attempt();
  } catch (error) {
    call.signal.throwIfAborted();
    return { error, news: { type: "step.delayed", code: codeOf(error), tipHeight: await tipHeightOf(call) } };
  }
}

/** Height of the tip; 0, at which nothing runs out, where the chain source does not tell it. */
async function tipHeightOf({ engine, signal }: ActionCall<Command>): Promise<number> {
  const tip = await engine.chain.tip({ signal });
  return tip.kind === "found" ? tip.value.height : 0;
}

function contextOf({ engine, instance }: ActionCall<Command>): LightningSendContext | undefined {
  return engine.loop.pending.contextOf(instance) as LightningSendContext | undefined;
}

function sourcesOf<T>(vtxos: readonly { readonly source: T }[]): T[] {
  return vtxos.map(({ source }) => source);
}

import { checkAddressPayable, parseAddress } from "../ark/address.ts";
import { vtxosOfPolicy } from "../ark/arkoor-result.ts";
import type { PubkeyPolicy } from "../ark/policy.ts";
import type { ActionAnswer, ActionCall } from "./action-driver.ts";
import { cosignPackage, foreignVtxo, orRefused, orSpentElsewhere, ownVtxo, Refused } from "./cosign-package.ts";
import { codeOf, messageOf } from "./errors.ts";
import { checkInputs, postToMailbox, registerVtxos } from "./server-calls.ts";

/** Wait before a payment that no mailbox took is posted again (lightning.md §3). */
const DELIVERY_RETRY_MS = 60_000;

/** Commands of `arkoor-send` (arkoor.md §11.2). */
export const arkoorSendExecutors = { cosignPayment, registerPayment, deliverPayment };

async function cosignPayment(call: ActionCall<"cosignPayment">): Promise<ActionAnswer> {
  const { inputs, address, amountSats, changeKeyIndex, changePieces } = call.params;
  const { policy } = parseAddress(address);
  const changePolicy: PubkeyPolicy = { kind: "pubkey", userPubkey: call.keyring.publicKey(changeKeyIndex) };
  const change = changePieces.map((piece) => ({ amountSats: piece, policy: changePolicy }));
  const cosign = () =>
    cosignPackage(call, {
      inputs,
      destinations: [{ amountSats, policy }, ...change],
      request: orSpentElsewhere(call, inputs, (parts, options) => call.session.requestArkoorCosign(parts, options)),
    });
  try {
    const results = await cosign().catch(async (error: unknown) => {
      // A refusal after an attempt that may have been carried out: the same package again, if it was (arkoor.md §11.3).
      const isAsked = error instanceof Refused && call.isRepeated;
      if (!isAsked || (await checkInputs(inputs, call)).spent.length === 0) throw error;
      return cosign();
    });
    const paid = vtxosOfPolicy(results, policy).map(foreignVtxo);
    const returned = vtxosOfPolicy(results, changePolicy).map((vtxo) => ownVtxo(vtxo, changeKeyIndex, call.engine));
    const blobs = [...paid, ...returned].map(({ blob }) => blob);
    const [paidVtxos, changeVtxos] = [paid.map(({ vtxo }) => vtxo), returned.map(({ vtxo }) => vtxo)];
    return { event: { type: "package.cosigned", paid: paidVtxos, change: changeVtxos }, blobs };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // Also after a first attempt, that carried nothing out: an input may be spent by another copy of this wallet.
    const checked = await checkInputs(inputs, call);
    return { event: { type: "package.refused", code: error.code, message: error.message, ...checked } };
  }
}

async function registerPayment(call: ActionCall<"registerPayment">): Promise<ActionAnswer> {
  const refusal = await refusalOf(() => registerVtxos(call.params.sources, call));
  return { event: { type: "package.registered", refusal } };
}

/** The code of a refusal, or null. */
async function refusalOf(step: () => Promise<void>): Promise<string | null> {
  try {
    await orRefused(step);
    return null;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.code;
  }
}

/** Every mailbox of the address gets all VTXOs; one that took them is enough. Posting again does no harm. */
async function deliverPayment(call: ActionCall<"deliverPayment">): Promise<ActionAnswer> {
  const { address, sources } = call.params;
  const { engine, session, signal } = call;
  const parsed = parseAddress(address);
  const mailboxes = checkAddressPayable(parsed, { network: parsed.network, serverPubkey: session.info.serverPubkey });
  let delivered = false;
  let failure: unknown;
  for (const mailbox of mailboxes) {
    try {
      await postToMailbox(mailbox, sources, call);
      delivered = true;
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  if (delivered) return { event: { type: "package.delivered" } };
  const details = { instance: call.instance, code: codeOf(failure), message: messageOf(failure) };
  engine.ports.logger("warn", "no mailbox took a payment; it is posted again", details);
  return { waitMs: DELIVERY_RETRY_MS, news: { type: "delivery.failed", code: codeOf(failure) } };
}

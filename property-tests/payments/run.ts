import { sha256 } from "../../ark/crypto.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { type Clock, codeOf, type Payment } from "../../engine/index.ts";
import { type NetworkInvoice, type PaymentOutcome, type Simulator, startSimulator } from "../../simulator/index.ts";
import type { Fate } from "../../test/engine/payments/boundaries.ts";
import { type Life, MortalWallet } from "../../test/engine/payments/mortal-wallet.ts";

/** What happens while payments are under way. */
export type Step =
  | { readonly kind: "pay"; readonly invoice: number }
  | { readonly kind: "mine"; readonly blocks: number }
  | { readonly kind: "notices"; readonly dropped: boolean }
  | { readonly kind: "kill" }
  | { readonly kind: "wait" };

/** A life of a wallet that pays: each of its calls has a fate, until there are no more. */
export interface Story {
  readonly outcomes: readonly PaymentOutcome[];
  /** How what never ends by itself is ended at last. */
  readonly endings: readonly ("success" | "failure")[];
  readonly steps: readonly Step[];
  readonly fates: readonly Fate[];
}

/** What pays no invoice, and may be. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  "INSUFFICIENT_FUNDS",
  "INVOICE_PAID",
  "NOT_CONNECTED",
  "WALLET_FAILED",
  "VTXOS_EXPIRE",
]);
const INPUTS_SATS = [9_000n, 9_000n, 9_000n, 9_000n, 700n, 500n];
const AMOUNTS_SATS = [4_000n, 650n];
/** For what hangs: others have the machine as well. */
const WITHIN_MS = 60_000;
const SPEED = 100;

/** Waits that pass fast, and a time, the wallet's and the server's, that leaps when it is told to. */
class LeapingClock implements Clock {
  #leaptMs = 0;

  nowMs(): number {
    return Date.now() + this.#leaptMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs / SPEED);
    return () => clearTimeout(timer);
  }

  leap(byMs: number): void {
    this.#leaptMs += byMs;
  }
}

/** Lives through a story, lets all faults stop, and says what is wrong with how it ended. */
export async function complaintsAbout(story: Story): Promise<string[]> {
  const clock = new LeapingClock();
  await using simulator = await startSimulator({ seed: "payments", network: "regtest", now: () => clock.nowMs() });
  const mortal = new MortalWallet(simulator, clock);
  await fund(mortal, simulator);
  const invoices = AMOUNTS_SATS.map((amountSats) => simulator.lightning.invoice({ amountSats, expirySeconds: 100_000 }));
  for (const [i, { paymentHash }] of invoices.entries())
    simulator.lightning.setOutcome(story.outcomes[i] ?? "success", paymentHash);
  await live(story, mortal, simulator, invoices);
  // The server lives as long as this.
  return await settleDown(story, mortal, simulator, { invoices, clock });
}

async function fund(mortal: MortalWallet, simulator: Simulator): Promise<void> {
  const { wallet, end } = await mortal.live();
  await simulator.pay(await wallet.address(), { amountsSats: INPUTS_SATS });
  await until(() => wallet.balance().spendableSats > 0n && wallet.status().openCommands === 0);
  await end();
}

async function live(
  story: Story,
  mortal: MortalWallet,
  simulator: Simulator,
  invoices: readonly NetworkInvoice[],
): Promise<void> {
  const fates = [...story.fates];
  const begin = () => mortal.live(() => fates.shift() ?? "through");
  let life: Life | undefined;
  for (const step of story.steps) {
    if (life?.isDead()) {
      await life.end();
      life = undefined;
    }
    life ??= await begin();
    await take(step, life, simulator, invoices);
  }
  await life?.end();
}

async function take(step: Step, life: Life, simulator: Simulator, invoices: readonly NetworkInvoice[]): Promise<void> {
  switch (step.kind) {
    case "pay":
      await life.wallet.pay(invoices[step.invoice]?.bolt11 ?? "").catch((error: unknown) => {
        if (!life.isDead() && !REFUSALS.has(codeOf(error))) throw error;
      });
      break;
    case "mine":
      simulator.mine(step.blocks);
      break;
    case "notices":
      simulator.faults.lightning.dropNotices = step.dropped;
      break;
    case "kill":
      life.die();
      break;
    case "wait":
      await new Promise((resolve) => setTimeout(resolve, 40));
      break;
  }
}

/** No more faults: every payment has to end, each as the server's books say. */
async function settleDown(
  story: Story,
  mortal: MortalWallet,
  simulator: Simulator,
  { invoices, clock }: { readonly invoices: readonly NetworkInvoice[]; readonly clock: LeapingClock },
): Promise<string[]> {
  const complaints: string[] = [];
  const { wallet, end } = await mortal.live();
  for (const [i, { paymentHash }] of invoices.entries()) {
    const how = story.endings[i] ?? "success";
    // What is not known to the server is begun again before long (S12), and ended then.
    simulator.lightning.setOutcome(how, paymentHash);
    if (simulator.lightning.payments(paymentHash).at(-1)?.status === "submitted") simulator.lightning.finish(paymentHash, how);
  }
  // A server that knows of no attempt is asked again after half a minute (S12).
  const leaping = setInterval(() => clock.leap(31_000), 250);
  const isOver = await until(() => wallet.payments().length === 0);
  clearInterval(leaping);
  if (!isOver) complaints.push(`never ended: ${wallet.payments().map(describe).join()}`);
  let spentSats = 0n;
  for (const { paymentHash } of invoices) {
    const attempts = wallet.movements().filter(({ metadata }) => metadata.payment_hash === paymentHash);
    const paid = attempts.filter(({ status }) => status === "successful");
    const served = simulator.lightning.payments(paymentHash).filter(({ status }) => status === "succeeded");
    if (paid.length > 1) complaints.push(`${paymentHash} was paid ${paid.length} times`);
    if (paid.length !== served.length) complaints.push(`${paymentHash}: paid ${paid.length}, served ${served.length}`);
    for (const { metadata, effectiveBalanceSats } of paid) {
      spentSats -= effectiveBalanceSats;
      const preimage = String(metadata.payment_preimage);
      if (encodeHex(sha256(decodeHex(preimage))) !== paymentHash) complaints.push(`${preimage} is no proof of ${paymentHash}`);
    }
    const effects = attempts.filter(({ status, effectiveBalanceSats }) => status === "failed" && effectiveBalanceSats !== 0n);
    if (effects.length > 0) complaints.push(`a failed payment of ${paymentHash} cost something`);
  }
  const { totalSats, spendableSats } = wallet.balance();
  const expected = INPUTS_SATS.reduce((total, sats) => total + sats, 0n) - spentSats;
  if (totalSats !== expected) complaints.push(`expected ${expected} sat, got ${totalSats}`);
  if (isOver && spendableSats !== totalSats) complaints.push(`of ${totalSats} sat only ${spendableSats} can be spent`);
  await end();
  if (mortal.nonces.reused.length > 0) complaints.push("a nonce was sent twice");
  if (mortal.unbalanced.length > 0) complaints.push(`the books did not balance after ${mortal.unbalanced.join()}`);
  return complaints;
}

function describe(payment: Payment): string {
  return `${payment.id} (${payment.status})`;
}

async function until(holds: () => boolean): Promise<boolean> {
  const deadline = Date.now() + WITHIN_MS;
  while (!holds()) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

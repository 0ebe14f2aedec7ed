import { setTimeout as sleep } from "node:timers/promises";
import type { Wallet } from "heartwood";
import type { Simulator } from "heartwood/simulator";
import { CliError } from "../errors.ts";
import { formatSats } from "../format.ts";
import type { Narrator } from "./narrator.ts";
import type { Tally } from "./tally.ts";

const PATIENCE_MS = 45_000;
const LOOK_MS = 10;

/** What the Lightning part of the story needs: the wallet is open and connected in this process. */
export interface LightningStage {
  readonly simulator: Simulator;
  readonly wallet: Wallet;
  readonly narrator: Narrator;
  readonly tally: Tally;
  readonly address: string;
}

/** A payment out that succeeds, one that fails, and one in. */
export async function lightning(stage: LightningStage): Promise<void> {
  await payOut(stage);
  await payInVain(stage);
  await getPaid(stage);
}

/** The payee takes the money only once nothing but a notice can tell the wallet of it. */
async function payOut(stage: LightningStage): Promise<void> {
  const { simulator, wallet, narrator, tally } = stage;
  const amountSats = 10_000n;
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats, description: "a lamp" });
  simulator.lightning.setOutcome("never", paymentHash);
  const { feeSats } = await wallet.quote(bolt11);
  narrator.say(`an invoice of ${formatSats(amountSats)}, quoted with a fee of ${formatSats(feeSats)}`);
  narrator.wait("the HTLC is cosigned, and the server pays");
  const before = simulator.calls("CheckLightningPayment");
  const payment = await wallet.pay(bolt11, { maxFeeSats: feeSats });
  await becomes("a first question for the payment", () => simulator.calls("CheckLightningPayment") > before);
  const asked = simulator.calls("CheckLightningPayment");
  simulator.lightning.finish(paymentHash, "success");
  const { movement } = await payment.settled({ signal: AbortSignal.timeout(PATIENCE_MS) });
  const questions = simulator.calls("CheckLightningPayment") - asked;
  noteNotice(stage);
  tally.balanceSats -= amountSats + feeSats;
  const proof = String(movement.metadata.payment_preimage).slice(0, 16);
  const how = questions === 0 ? "settled by the notice alone" : "settled";
  narrator.done("a payment out", `−${formatSats(amountSats + feeSats)}, ${how}, preimage ${proof}…`);
}

async function payInVain(stage: LightningStage): Promise<void> {
  const { simulator, wallet, narrator } = stage;
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 9_000n, description: "out of stock" });
  simulator.lightning.setOutcome("failure", paymentHash);
  const before = wallet.balance().spendableSats;
  narrator.wait("the payment fails, and the HTLC is revoked");
  const payment = await wallet.pay(bolt11);
  const code = await payment.settled({ signal: AbortSignal.timeout(PATIENCE_MS) }).then(
    () => "none",
    (error: unknown) => String((error as { readonly code?: unknown }).code),
  );
  noteNotice(stage);
  const lost = before - wallet.balance().spendableSats;
  narrator.done("a payment out that fails", `${code}; revoked, ${formatSats(lost)} lost, not even the fee`);
}

async function getPaid(stage: LightningStage): Promise<void> {
  const { simulator, wallet, narrator, tally } = stage;
  const { bolt11, amountSats, feeSats, payment } = await wallet.invoice({ amountSats: 12_000n, description: "a song" });
  narrator.wait("somebody pays the invoice, the wallet prepares and claims");
  simulator.lightning.pay(bolt11);
  const { movement } = await payment.settled({ signal: AbortSignal.timeout(PATIENCE_MS) });
  noteNotice(stage);
  tally.balanceSats += amountSats - feeSats;
  const { status } = simulator.lightning.incoming(bolt11);
  narrator.done(
    "a payment in",
    `+${formatSats(movement.effectiveBalanceSats)} after the server's fee; for the payer it is ${status}`,
  );
}

/** Waits for something that the simulator sees. */
async function becomes(what: string, isSo: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadlineMs) throw new CliError("DEMO_STUCK", `expected ${what}, got none for ${PATIENCE_MS / 1000} s`);
    await sleep(LOOK_MS);
  }
}

/** Each payment leaves one notice in the mailbox. */
function noteNotice({ simulator, tally, address }: LightningStage): void {
  tally.messages++;
  tally.checkpoint = simulator.mailbox(address).at(-1)?.checkpoint ?? tally.checkpoint;
}

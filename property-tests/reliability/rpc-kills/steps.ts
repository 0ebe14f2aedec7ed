import { Status } from "nice-grpc-common";
import type { Simulator } from "../../../simulator/index.ts";
import type { Action, Goal } from "./job.ts";
import { addressOf } from "./keys.ts";

/** A piece of the scenario: what happens in the world, and how the wallet comes out of it. */
export interface Step {
  readonly name: string;
  /** What happens once the step has begun, and what the owner does. `payment`: the hash of the payment that is open. */
  readonly begin?: (simulator: Simulator, payment: string | undefined) => Promise<Action | null> | Action | null;
  /** What is added to the money, in sats; 0 unless given, null where fees make it what it is. */
  readonly sats?: number | null;
  /** How many items are in quarantine afterwards; as many as before unless given, null for any. */
  readonly held?: number | null;
  /** Payments that are open afterwards; none unless given. */
  readonly open?: number;
  /** Whether one of them has HTLCs on their way out. */
  readonly isOut?: true;
  readonly isStopped?: true;
  /** Whether it is lived by a wallet that is made of the seed alone. */
  readonly isRestore?: true;
}

/** A life of a wallet: each way in which money comes, waits, fails to come, goes, comes back, and is found again. */
export const steps: readonly Step[] = [
  { name: "first connection" },
  {
    name: "a package to be registered",
    begin: (at) => paid(at, { amountsSats: [20_000n, 3_000n], register: false }),
    sats: 23_000,
  },
  {
    name: "a package of which the server has the good copy",
    begin: (at) => paid(at, { amountsSats: [4_000n, 5_000n], corrupt: [{ index: 0, how: "signature" }] }),
    sats: 9_000,
  },
  { name: "a package that halts, with others behind it", begin: halt, sats: 13_000 },
  {
    name: "a package under an unconfirmed anchor, and one that nobody can repair",
    async begin(at) {
      await paid(at, { amountsSats: [8_000n], unconfirmedAnchor: true });
      at.deliver(addressOf(at, "own"), [Uint8Array.of(1, 2, 3)]);
      return null;
    },
    held: 2,
  },
  {
    name: "the anchor's block",
    begin(at) {
      at.mine();
      return null;
    },
    sats: 8_000,
    held: 1,
  },
  { name: "the end of the connection", begin: () => ({ kind: "stop" }), isStopped: true },
  {
    name: "a sync",
    async begin(at) {
      await paid(at, { amountsSats: [2_000n], register: false });
      await paid(at, { amountsSats: [1_000n] });
      return { kind: "sync" };
    },
    sats: 3_000,
    isStopped: true,
  },
  { name: "a connection behind a sync" },
  { name: "a payment", begin: (at) => ({ kind: "send", to: addressOf(at, "other"), sats: 2_500 }), sats: -2_500 },
  { name: "a payment over Lightning", begin: (at) => pay(at, "success"), sats: null },
  {
    name: "a payment over Lightning that takes its time",
    begin: (at) => pay(at, "late-success"),
    sats: null,
    open: 1,
    isOut: true,
  },
  {
    name: "the end of the payment that takes its time",
    begin(at) {
      at.mine();
      return null;
    },
    sats: null,
  },
  {
    name: "a payment over Lightning that is refused",
    begin(at) {
      at.faults.failNext("RequestLightningPayHtlcCosign", Status.INVALID_ARGUMENT, Number.POSITIVE_INFINITY);
      return pay(at, "success");
    },
  },
  { name: "a payment over Lightning that fails and is given back", begin: (at) => pay(at, "failure") },
  { name: "an invoice", begin: () => ({ kind: "invoice", sats: 6_000 }), open: 1 },
  { name: "another process while an invoice is open", begin: () => ({ kind: "reopen" }), open: 1 },
  { name: "the payment of the invoice", begin: (at, payment) => payInvoice(at, payment), sats: null },
  { name: "an invoice that nobody pays", begin: () => ({ kind: "invoice", sats: 7_000 }), open: 1 },
  { name: "the end of that invoice", begin: (_, payment = "") => ({ kind: "cancel", paymentHash: payment }) },
  { name: "the seed alone", isRestore: true, held: null },
];

/** What a step is reached with, after what was reached before it. */
export function goalOf(simulator: Simulator, step: Step, before: { readonly totalSats: number; readonly held: number }): Goal {
  const { sats = 0, held = before.held, open = 0, isOut = false, isStopped } = step;
  const checkpoint = simulator.mailbox(addressOf(simulator, "own")).at(-1)?.checkpoint ?? 0n;
  const totalSats = sats === null ? null : String(before.totalSats + sats);
  return { connection: isStopped ? "Stopped" : "Live", totalSats, checkpoint: String(checkpoint), held, open, isOut };
}

async function halt(at: Simulator): Promise<null> {
  at.faults.failNext("GetVtxoStatus", Status.UNAVAILABLE, 3);
  at.deliverUnknown(addressOf(at, "own"));
  await paid(at, { amountsSats: [6_000n] });
  const notice = { paymentHashes: [new Uint8Array(32).fill(7)], unlockHash: new Uint8Array(32).fill(8) };
  at.deliverMessage(addressOf(at, "own"), { $case: "roundParticipationCompleted", value: notice });
  return paid(at, { amountsSats: [7_000n] });
}

async function paid(simulator: Simulator, request: Parameters<Simulator["pay"]>[1]): Promise<null> {
  await simulator.pay(addressOf(simulator, "own"), request);
  return null;
}

function pay({ lightning }: Simulator, outcome: Parameters<typeof lightning.setOutcome>[0]): Action {
  const { bolt11, paymentHash } = lightning.invoice({ amountSats: 1_500n });
  lightning.setOutcome(outcome, paymentHash);
  return { kind: "pay", to: bolt11 };
}

function payInvoice({ lightning }: Simulator, payment: string | undefined): null {
  const receive = lightning.receives().find(({ paymentHash }) => paymentHash === payment);
  if (receive === undefined) throw new Error(`expected an invoice of the wallet at the server, got ${payment}`);
  lightning.pay(receive.bolt11);
  return null;
}

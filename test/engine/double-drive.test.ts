import { expect, test } from "vitest";
import type { Wallet } from "../../engine/index.ts";
import { isAction } from "../../machines/books.ts";
import { Record } from "../../proto/generated/log.ts";
import type { Simulator, SimulatorMethod } from "../../simulator/index.ts";
import { addressOf, eventually, expectBooksToBalance, OTHER_MNEMONIC, simulate } from "./helpers.ts";
import type { Fate } from "./payments/boundaries.ts";
import { losingCosign } from "./payments/funded.ts";
import { type Life, MortalWallet } from "./payments/mortal-wallet.ts";

// lightning.md §4.6 and scenario 3: every command is carried out by two processes, all its calls included. The first one dies
// as it writes down what came of it; the second one finds the command in the outbox, and what it comes to is kept. All that
// is left to tell the two lives apart is the number of calls.

/** A payment, and how it comes to its end. */
interface Scenario {
  readonly begin: (wallet: Wallet, simulator: Simulator) => Promise<{ readonly id: string }>;
  /** What happens to its calls. */
  readonly fates?: () => (method: string, simulator: Simulator) => Fate;
  /** Told of every state that is reached, once. */
  readonly on?: (state: string, simulator: Simulator, paymentHash: string) => void;
  readonly states: readonly string[];
  /** Calls of its commands: made once at least, and twice as often by two. */
  readonly calls: readonly SimulatorMethod[];
}

const AMOUNT_SATS = 4_000n;

const finishing =
  (how: "success" | "failure"): NonNullable<Scenario["on"]> =>
  (state, { lightning }, paymentHash) => {
    if (state === "PaymentInitiated") lightning.finish(paymentHash, how);
  };

/** A payment whose outcome is open until the server is asked for it. */
const paid = async (wallet: Wallet, { lightning }: Simulator) => {
  lightning.setOutcome("never");
  return wallet.pay(lightning.invoice({ amountSats: AMOUNT_SATS }).bolt11);
};

const received =
  (destination?: (simulator: Simulator) => string): Scenario["begin"] =>
  async (wallet, simulator) => {
    const more = destination === undefined ? {} : { destination: destination(simulator) };
    const { bolt11, payment } = await wallet.invoice({ amountSats: AMOUNT_SATS, ...more });
    simulator.lightning.pay(bolt11);
    return payment;
  };

const scenarios: { readonly [name: string]: Scenario } = {
  "a Lightning payment that succeeds": {
    begin: paid,
    on: finishing("success"),
    states: ["Start", "HtlcReceived", "PaymentInitiated", "Settled"],
    calls: ["RegisterVtxoTransactions", "RequestLightningPayHtlcCosign", "InitiateLightningPayment", "PostRecoveryVtxoIds"],
  },
  "a Lightning payment that fails and is given back": {
    begin: paid,
    on: finishing("failure"),
    states: ["Start", "HtlcReceived", "PaymentInitiated", "RevocableHtlcs", "Revoked"],
    calls: [
      "RequestLightningPayHtlcCosign",
      "InitiateLightningPayment",
      "RequestLightningPayHtlcRevocation",
      "PostRecoveryVtxoIds",
    ],
  },
  "a Lightning payment whose package is refused after its answer was lost": {
    begin: paid,
    fates: losingCosign,
    states: ["Start", "Recovering", "RevocableHtlcs", "Revoked"],
    calls: ["RequestArkoorCosign", "RequestLightningPayHtlcRevocation", "PostRecoveryVtxoIds"],
  },
  "a payment that comes in over Lightning": {
    begin: received(),
    states: ["Requesting", "AwaitingPayment", "HtlcsReady", "PreimageRevealed", "Claimed", "Completed"],
    calls: ["PrepareLightningReceiveClaim", "ClaimLightningReceive", "PostRecoveryVtxoIds"],
  },
  "a payment that comes in over Lightning for another address": {
    begin: received((simulator) => addressOf(simulator, OTHER_MNEMONIC, 0)),
    states: ["Requesting", "AwaitingPayment", "HtlcsReady", "PreimageRevealed", "Delivering", "Delivered"],
    calls: ["PrepareLightningReceiveClaim", "ClaimLightningReceive", "PostArkoorMessage"],
  },
  "an invoice that is cancelled": {
    begin: async (wallet) => {
      const { payment, paymentHash } = await wallet.invoice({ amountSats: AMOUNT_SATS });
      await wallet.cancelInvoice(paymentHash);
      return payment;
    },
    states: ["Requesting", "AwaitingPayment", "Cancelling", "Cancelled"],
    calls: ["CancelLightningReceive"],
  },
  "a payment to an Ark address": {
    begin: (wallet, simulator) => wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), AMOUNT_SATS),
    states: ["Cosigning", "Registering", "Delivering", "Delivered"],
    calls: ["RequestArkoorCosign", "RegisterVtxoTransactions", "PostArkoorMessage", "PostRecoveryVtxoIds"],
  },
};

test.each(Object.entries(scenarios))(
  "%s ends as it does when every command is carried out twice",
  { timeout: 120_000 },
  async (_, scenario) => {
    const [once, twice] = [await livedThrough(scenario, false), await livedThrough(scenario, true)];
    expect(once.states).toEqual(scenario.states);
    expect(twice.states).toEqual(once.states);
    expect(twice.told).toEqual(once.told);
    // Otherwise this says nothing.
    expect([once.results, once.deaths]).toEqual([0, 0]);
    expect(twice.results).toBeGreaterThanOrEqual(scenario.calls.length);
    expect(twice.nonces > once.nonces).toBe(once.nonces > 0);
    for (const method of scenario.calls) {
      expect(once.calls.get(method), method).toBeGreaterThan(0);
      expect(twice.calls.get(method), method).toBeGreaterThanOrEqual(2 * (once.calls.get(method) ?? 0));
    }
  },
);

/** Lives through a scenario: in one process, or in one more for every result of a command that is written down. */
async function livedThrough({ begin, fates = () => () => "through", on = () => {}, calls }: Scenario, isDoubled: boolean) {
  const simulator = await simulate();
  // Polls find what becomes of it: the calls are the same each time.
  simulator.faults.lightning.dropNotices = true;
  const mortal = new MortalWallet(simulator);
  const lost = new LostResults();
  const states: string[] = [];
  mortal.onEvent = (event) => {
    if (event.type !== "payment.changed" || event.state === states.at(-1)) return;
    states.push(event.state);
    on(event.state, simulator, event.payment.split("/")[1] ?? "");
  };
  const fateOf = fates();
  const live = (): Promise<Life> =>
    mortal.live(
      (method) => fateOf(method, simulator),
      (bodies) => lost.take(bodies),
    );
  let life = await live();
  await simulator.pay(await life.wallet.address(), { amountsSats: [3_000n, 6_000n] });
  const isOver = () => life.wallet.payments().length === 0 && life.wallet.status().openCommands === 0;
  await eventually(() => life.wallet.balance().spendableSats === 9_000n && isOver(), "the money");
  const before = new Map(calls.map((method) => [method, simulator.calls(method)]));
  lost.isArmed = isDoubled;
  const { id } = await begin(life.wallet, simulator);
  let deaths = 0;
  for (;;) {
    await eventually(() => life.isDead() || isOver(), "an end", 60_000);
    if (!life.isDead()) break;
    deaths++;
    await life.end();
    life = await live();
  }
  const { wallet } = life;
  expectBooksToBalance(wallet.status());
  expect([mortal.nonces.reused, mortal.unbalanced]).toEqual([[], []]);
  const { vtxos } = simulator.counters();
  const told = anonymous({
    status: wallet.payment(id).status,
    // But for the one that brought the money: its checkpoint is a time.
    movements: wallet
      .movements()
      .slice(1)
      .map(({ createdAtMs, updatedAtMs, seq, ...movement }) => movement),
    balance: wallet.balance(),
    coins: wallet.vtxos().map(({ amountSats, state, policy }) => [amountSats, state, policy]),
    backedUp: wallet.vtxos().every((vtxo) => simulator.recoveryIds().includes(vtxo.id)),
    server: { vtxos, payments: simulator.lightning.payments(), receives: simulator.lightning.receives() },
    delivered: simulator.mailbox(addressOf(simulator, OTHER_MNEMONIC, 0)).length,
  });
  await life.end();
  const made = new Map(calls.map((method) => [method, simulator.calls(method) - (before.get(method) ?? 0)]));
  return { states, told, deaths, results: lost.count, nonces: mortal.nonces.count, calls: made };
}

/** Results of commands that are lost the first time, with everything of their commit. */
class LostResults {
  isArmed = false;
  readonly #effects = new Set<string>();

  get count(): number {
    return this.#effects.size;
  }

  /** Whether a commit is lost. An invoice is asked for once: nobody else has it yet, and another one is as good (§9.2). */
  take(bodies: readonly Uint8Array[]): boolean {
    if (!this.isArmed) return false;
    const results = bodies.map((body) => Record.decode(body)).filter(({ effectId }) => effectId !== "");
    const fresh = results.filter(
      ({ effectId, type, machine }) =>
        !this.#effects.has(effectId) && type !== "invoice.issued" && (isAction(machine) || machine === "backup"),
    );
    for (const { effectId } of fresh) this.#effects.add(effectId);
    return fresh.length > 0;
  }
}

/** Every hash, id and invoice replaced by its number in the order of appearance: chance makes them, not the payment. */
function anonymous(told: object): unknown {
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    if (!names.has(text)) names.set(text, `#${names.size}`);
    return names.get(text) ?? "";
  };
  const text = JSON.stringify(told, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
  return JSON.parse(text.replaceAll(/lnbcrt[0-9a-z]{50,}|[0-9a-f]{32,}(:\d+)?/g, nameOf));
}

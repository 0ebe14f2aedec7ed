import { getEventListeners } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import type { ChainSource } from "../../engine/index.ts";
import { fastChain, fastOptions, freshDirectory, goLive, openWallet, simulate } from "./helpers.ts";

/** More than Node takes for no leak, and more than are asked about at the same time. */
const MANY = 12;

/** What Node says of listeners on signals from now on. */
function warnings(): readonly string[] {
  const told: string[] = [];
  const listen = ({ name, message }: Error) => void (name === "MaxListenersExceededWarning" && told.push(message));
  process.on("warning", listen);
  onTestFinished(() => void process.off("warning", listen));
  return told;
}

/** A source that remembers which signals it was asked with. */
function remembering(chain: ChainSource, signals: Set<AbortSignal>): ChainSource {
  const remember = (options?: { readonly signal?: AbortSignal }) => {
    if (options?.signal !== undefined) signals.add(options.signal);
    return options;
  };
  return {
    blockHash: (height, options) => chain.blockHash(height, remember(options)),
    tip: (options) => chain.tip(remember(options)),
    transaction: (txid, options) => chain.transaction(txid, remember(options)),
    status: (txid, options) => chain.status(txid, remember(options)),
    outspend: (txid, vout, options) => chain.outspend(txid, vout, remember(options)),
  };
}

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

test("many calls wait for one signal at once, none of them longer than it takes, and nothing is said of a leak", async () => {
  const told = warnings();
  const simulator = await simulate();
  const signals = new Set<AbortSignal>();
  const options = { ...fastOptions(simulator, await freshDirectory()), chain: remembering(fastChain(simulator), signals) };
  const wallet = await openWallet(options);
  const { signal } = new AbortController();
  await wallet.sync({ signal });
  for (let paid = 0; paid < MANY; paid++) await simulator.pay(await wallet.address(), { amountsSats: [1_000n] });
  await wallet.sync({ signal });
  expect(wallet.vtxos()).toHaveLength(MANY);
  await goLive(wallet);
  const each = Array.from({ length: MANY });
  const invoices = await Promise.all(each.map(() => wallet.invoice({ amountSats: 2_000n, signal })));
  const stop = new AbortController();
  const settled = Promise.allSettled(invoices.map(({ payment }) => payment.settled({ signal: stop.signal })));
  const asked = [...each.map(() => wallet.sync({ signal })), ...each.map(() => wallet.expiring({ signal }))];
  simulator.mine();
  await Promise.all(asked);
  expect(listenersOf(stop.signal)).toBe(MANY);
  stop.abort();
  await settled;
  expect([listenersOf(signal), listenersOf(stop.signal)]).toEqual([0, 0]);
  await wallet.close();
  expect([...signals].map(listenersOf)).toEqual(Array(signals.size).fill(0));
  expect(told).toEqual([]);
});

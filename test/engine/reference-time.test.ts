import { expect, test } from "vitest";
import { ChainError } from "../../chain/errors.ts";
import type { Answer, ChainSource } from "../../chain/source.ts";
import { ReferenceTime } from "../../engine/reference-time.ts";
import { encodeMessage } from "../../simulator/index.ts";
import { eventually, FastClock, fastOptions, freshDirectory, goLive, openWallet, simulate } from "./helpers.ts";

const DAY_MS = 86_400_000;
const TIP_MS = 1_700_000_000_000;
const never = new AbortController().signal;
const at = (timeMs: number): bigint => BigInt(timeMs) << 20n;

/** A reference time with a clock that is set by hand and a chain that answers so. */
function timeOf(nowMs: number, answer: Answer<number> | undefined) {
  const clock = { time: nowMs, nowMs: () => clock.time, after: () => () => {} };
  let asked = 0;
  const tipTime = async (): Promise<Answer<number>> => {
    asked++;
    return answer as Answer<number>;
  };
  const chain = (answer === undefined ? {} : { tipTime }) as ChainSource;
  return { clock, time: new ReferenceTime(clock, chain), asked: () => asked };
}

test("a place is believed up to a day after the later of clock and tip, and the chain is asked only for what the clock doubts", async () => {
  const { clock, time, asked } = timeOf(TIP_MS - 30 * DAY_MS, { kind: "found", value: TIP_MS });
  expect(await time.isPlausible(at(TIP_MS - 29 * DAY_MS), never)).toBe(true);
  expect(asked()).toBe(0);
  expect(await time.isPlausible(at(TIP_MS + DAY_MS), never)).toBe(true);
  expect(await time.isPlausible(at(TIP_MS + DAY_MS + 1), never)).toBe(false);
  expect(await time.isPlausible(2n ** 63n, never)).toBe(false);
  expect([time.nowMs(), asked()]).toEqual([TIP_MS, 1]);
  clock.time = TIP_MS + 5;
  expect(time.nowMs()).toBe(TIP_MS + 5);
  clock.time = Number.NaN;
  expect(time.nowMs()).toBe(TIP_MS);
});

test("a chain that has no answer leaves it to the clock, and is asked again after a minute", async () => {
  const down: Answer<number> = { kind: "unknown", error: new ChainError("CHAIN_TIMEOUT", "no answer") };
  const { clock, time, asked } = timeOf(TIP_MS, down);
  for (let second = 0; second < 60; second++) {
    expect(await time.isPlausible(at(TIP_MS + 2 * DAY_MS), never)).toBe(false);
    clock.time += 1_000;
  }
  expect(asked()).toBe(1);
  await time.isPlausible(at(TIP_MS + 2 * DAY_MS), never);
  expect(asked()).toBe(2);
  expect(await timeOf(TIP_MS, undefined).time.isPlausible(at(TIP_MS + 2 * DAY_MS), never)).toBe(false);
});

/** A clock that is behind by days, and can fall back farther. */
class SlowClock extends FastClock {
  daysBack = 0;
  override nowMs(): number {
    return super.nowMs() - this.daysBack * DAY_MS;
  }
}

test.each([0, 30])(
  "a clock that is %i days behind, and falls back 30 more, keeps no checkpoint back where the chain knows better (mailbox.md W-11)",
  async (daysBack) => {
    const simulator = await simulate();
    const { chain } = simulator;
    chain.mine(Math.floor((Date.now() / 1_000 - chain.blockTime(chain.tip)) / 600));
    const clock = new SlowClock();
    clock.daysBack = daysBack;
    const wallet = await openWallet(fastOptions(simulator, await freshDirectory(), clock));
    await wallet.sync();
    const address = await wallet.address();
    await goLive(wallet);
    clock.daysBack += 30;
    const { checkpoint } = await simulator.pay(address, { amountsSats: [1_000n] });
    await eventually(() => wallet.balance().totalSats === 1_000n, "the payment");
    expect(wallet.checkpoint()).toBe(checkpoint);
    // What lies ahead of the tip too does not move it.
    const lie = at(Date.now() + 2 * DAY_MS);
    simulator.deliverRaw(address, () => encodeMessage({ checkpoint: lie, message: { $case: "arkoor", value: { vtxos: [] } } }));
    await eventually(() => wallet.status().counters.ignored === 1, "the lie");
    expect(wallet.checkpoint()).toBe(checkpoint);
  },
);

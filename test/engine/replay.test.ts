import { expect, test } from "vitest";
import { Heartwood } from "../../engine/index.ts";
import { replay } from "../../engine/replay.ts";
import { encodeState } from "../../engine/state-snapshot.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { Record as LogRecord } from "../../proto/generated/log.ts";
import { openLevelLog } from "../../store/index.ts";
import { codeOfRefusal, eventually, expectBooksToBalance, fastOptions, goLive, nextEvent, type Setup, setUp } from "./helpers.ts";
import { decoded, encoded, first, outcome, rewritten } from "./rewritten.ts";

/** A wallet through which a bit of everything went, still open. */
async function livedIn(): Promise<Setup> {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n], corrupt: [{ index: 1, how: "truncate" }] });
  await simulator.pay(address, { amountsSats: [4_000n], unconfirmedAnchor: true });
  const { checkpoint } = await simulator.pay(await wallet.address({ fresh: true }), { amountsSats: [8_000n] });
  simulator.redeliver(checkpoint ?? 0n);
  simulator.deliverUnknown(address);
  await wallet.sync();
  await goLive(wallet);
  const released = nextEvent(wallet, "payment.received", ({ fromQuarantine }) => fromQuarantine);
  simulator.mine();
  await released;
  simulator.chain.setFault("down");
  const halted = nextEvent(wallet, "package.halted");
  await simulator.pay(address, { amountsSats: [16_000n] });
  await halted;
  simulator.chain.setFault(null);
  await eventually(() => wallet.balance().spendableSats === 29_000n && wallet.status().openCommands === 0, "all money");
  await wallet.stop();
  return setup;
}

test("the committed state of a wallet that lived is what a replay of its log says", async () => {
  const { wallet, directory, options } = await livedIn();
  const live = wallet.status();
  expectBooksToBalance(live);
  expect(live.counters).toEqual({
    messages: 6,
    packages: 3,
    ignored: 3,
    halts: expect.any(Number),
    redeliveries: expect.any(Number),
    quarantined: 2,
    released: 1,
  });
  await wallet.close();
  const read = await Heartwood.read(directory);
  expect(read).toEqual(live);

  const again = await Heartwood.open(options);
  const reopened = again.status();
  await again.close();
  expect(reopened).toEqual({ ...live, epoch: live.epoch + 1n, records: read.records + 1n });
});

test("a replay twice over comes to the same state, entry for entry", async () => {
  const { wallet, directory } = await livedIn();
  await wallet.close();
  await using log = await openLevelLog(directory, { readOnly: true });
  const [one, two] = [new WalletState(), new WalletState()];
  await replay(log, one);
  await replay(log, two);
  expect(two).toEqual(one);
  expect([...encodeState(two)]).toEqual([...encodeState(one)]);
  expect(one.instances.size).toBeLessThan(6);
});

test("a replay says how far it is and ends at its signal", async () => {
  const { wallet, directory } = await setUp();
  await wallet.close();
  const progress: bigint[] = [];
  await Heartwood.read(directory, { onProgress: ({ seq }) => void progress.push(seq) });
  expect(progress.at(-1)).toBeGreaterThan(0n);
  await expect(Heartwood.read(directory, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

const rewritings: readonly [string, string, (record: LogRecord) => LogRecord | undefined][] = [
  ["a raised revision", "LOG_UNREADABLE", first("package.vetted", (record) => ({ ...record, revision: record.revision + 1 }))],
  ["a machine of another build", "LOG_UNREADABLE", first("message.received", (record) => ({ ...record, machine: "round" }))],
  ["a schema of another build", "LOG_UNREADABLE", first("message.received", (record) => ({ ...record, schema: 2 }))],
  [
    "a state of another build",
    "LOG_UNREADABLE",
    first(
      "message.received",
      outcome((was) => ({ ...was, state: "Pondering" })),
    ),
  ],
  [
    "an effect of another build",
    "LOG_UNREADABLE",
    first(
      "package.vetted",
      outcome((was) => ({ ...was, effects: was.effects.map((effect) => ({ ...effect, type: "buyIcecream" })) })),
    ),
  ],
  ["no outcome", "LOG_UNREADABLE", first("package.vetted", (record) => ({ ...record, outcome: undefined }))],
  [
    "an event that is no canonical text",
    "LOG_UNREADABLE",
    first("package.vetted", (record) => ({ ...record, event: encoded("{") })),
  ],
  [
    "another digest",
    "LOG_MISMATCH",
    first(
      "package.vetted",
      outcome((was) => ({ ...was, stateDigest: new Uint8Array(16) })),
    ),
  ],
  [
    "another state",
    "LOG_MISMATCH",
    first(
      "package.vetted",
      outcome((was) => ({ ...was, state: "Ignored" })),
    ),
  ],
  [
    "more money",
    "LOG_MISMATCH",
    first(
      "package.vetted",
      outcome((was) => ({ ...was, contextChange: encoded(decoded(was.contextChange).replaceAll('"1000"', '"9000"')) })),
    ),
  ],
  [
    "an effect less",
    "LOG_MISMATCH",
    first(
      "package.vetted",
      outcome((was) => ({ ...was, effects: was.effects.slice(1) })),
    ),
  ],
  ["another version", "LOG_MISMATCH", first("package.vetted", (record) => ({ ...record, version: record.version + 1n }))],
  ["another event", "LOG_MISMATCH", first("package.vetted", (record) => ({ ...record, type: "vtxos.registered" }))],
];

test("a log with all that a replay checks is refused wherever it is rewritten, and taken as it is", async () => {
  const { simulator, wallet, directory, address } = await setUp();
  await simulator.pay(address, { amountsSats: [1_000n] });
  await wallet.sync();
  await wallet.close();
  const open = async (change: (record: LogRecord) => LogRecord | undefined) => {
    const { directory: _, ...options } = fastOptions(simulator, "none");
    return (await Heartwood.openOn(await rewritten(directory, change), options)).close();
  };
  const codes: unknown[] = [];
  for (const [what, , change] of rewritings) codes.push([what, await codeOfRefusal(open(change))]);
  expect(codes).toEqual(rewritings.map(([what, code]) => [what, code]));
  // The same for a record that is missing altogether.
  let missing = false;
  const without = (record: LogRecord): LogRecord | undefined => {
    if (missing || record.type !== "message.received") return record;
    missing = true;
    return undefined;
  };
  expect(await codeOfRefusal(open(without))).toBe("LOG_MISMATCH");
  expect(await codeOfRefusal(open((record) => record))).toBe("no refusal");
});

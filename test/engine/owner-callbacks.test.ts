import { expect, test } from "vitest";
import { Heartwood, type Logger } from "../../engine/index.ts";
import { encodeMessage } from "../../simulator/index.ts";
import { addressOf, fastOptions, freshDirectory, goLive, MNEMONIC, openWallet, simulate } from "./helpers.ts";

const DAY_MS = 24 * 60 * 60_000;

/** As loggers are written: it cannot print a checkpoint, since that is a bigint. */
const asJson: Logger = (level, message, details) => {
  JSON.stringify({ level, message, ...details });
};

test("a logger that fails keeps no message back, and ends no connection", async () => {
  const simulator = await simulate();
  const open = fastOptions(simulator, await freshDirectory());
  const wallet = await openWallet({ ...open, ports: { ...open.ports, logger: asJson } });
  await wallet.sync();
  const address = await wallet.address();
  // Its place cannot be believed, which the logger is told.
  const checkpoint = BigInt(Date.now() + 2 * DAY_MS) << 20n;
  const vtxos = (await simulator.createPackage(address, { amountsSats: [1_000n] })).map(({ bytes }) => bytes);
  simulator.deliverRaw(address, () => encodeMessage({ checkpoint, message: { $case: "arkoor", value: { vtxos } } }));
  expect(await wallet.sync()).toMatchObject({ applied: 1, caughtUp: true });
  simulator.chain.setFault("down");
  await simulator.pay(address, { amountsSats: [2_000n] });
  expect((await wallet.sync()).halted).not.toBeNull();
  simulator.chain.setFault(null);
  await goLive(wallet);
  expect(wallet.balance().totalSats).toBe(3_000n);
});

test("a restore goes on whatever becomes of who is told how far it is", async () => {
  const simulator = await simulate();
  await simulator.pay(addressOf(simulator, MNEMONIC, 0), { amountsSats: [1_000n] });
  const onRestore = () => {
    throw new Error("a progress bar that fails");
  };
  const wallet = await Heartwood.restore({
    ...fastOptions(simulator, await freshDirectory()),
    restoreLookAhead: 1_000,
    onRestore,
  });
  expect(wallet.status()).toMatchObject({ balance: { totalSats: 1_000n }, restore: { isComplete: true } });
  await wallet.close();
});

import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import type { Logger } from "../../engine/index.ts";
import { eventually, fastOptions, freshDirectory, goLive, openWallet, setUp, simulate } from "./helpers.ts";

test.each([30, 2 * 60, 20 * 60, 12 * 60 * 60])(
  "a wallet whose clock is %i s behind the server's reads, follows and backs up all the same, and says so once (mailbox.md W-31)",
  async (behindS) => {
    const simulator = await simulate();
    simulator.faults.skewMs = behindS * 1_000;
    const told: string[] = [];
    const logger: Logger = (_level, message) => void told.push(message);
    const fast = fastOptions(simulator, await freshDirectory());
    const wallet = await openWallet({ ...fast, ports: { ...fast.ports, logger } });
    await wallet.sync();
    const address = await wallet.address();
    await goLive(wallet);
    await simulator.pay(address, { amountsSats: [1_000n] });
    await eventually(() => wallet.balance().totalSats === 1_000n && wallet.status().openCommands === 0, "a payment, backed up");
    expect(simulator.recoveryIds()).toHaveLength(1);
    expect(wallet.status().connection).toBe("Live");
    expect(told.filter((message) => message.includes("seems to be behind"))).toHaveLength(1);
  },
);

test("a refusal that a longer authorization does not help is reported, after one more try", async () => {
  const { simulator, wallet } = await setUp();
  simulator.faults.failNext("ReadMailbox", Status.INVALID_ARGUMENT, 2);
  const before = simulator.calls("ReadMailbox");
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_REJECTED" });
  expect(simulator.calls("ReadMailbox") - before).toBe(2);
  expect(await wallet.sync()).toMatchObject({ caughtUp: true });
});

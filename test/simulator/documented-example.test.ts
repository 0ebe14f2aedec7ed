import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Heartwood } from "heartwood";
import { startSimulator } from "heartwood/simulator";
import { expect, test } from "vitest";

test("a payment halts while the chain source is down, and is credited once it is back", async () => {
  await using simulator = await startSimulator({ seed: "my test" });
  await using wallet = await Heartwood.open({
    directory: await mkdtemp(join(tmpdir(), "wallet-")),
    create: true,
    seed: () => new Uint8Array(64).fill(7),
    server: simulator.serverUrl,
    chain: simulator.chainUrl,
    network: "regtest",
  });
  await wallet.sync();

  simulator.chain.setFault("down");
  await simulator.pay(await wallet.address(), { amountsSats: [21_000n] });
  expect((await wallet.sync()).halted).not.toBeNull();
  expect(wallet.balance().totalSats).toBe(0n);

  simulator.chain.setFault(null);
  await wallet.sync();
  expect(wallet.balance().totalSats).toBe(21_000n);
});

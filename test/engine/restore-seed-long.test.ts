import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import { Heartwood } from "../../engine/index.ts";
import { createMemoryLog, type EventLog } from "../../store/index.ts";
import { wrapLog } from "./golden/wrapped-log.ts";
import { addressOf, eventually, expectBooksToBalance, FastClock, MNEMONIC, OTHER_MNEMONIC } from "./helpers.ts";

import { backUp, elsewhere, keys, restored, world } from "./restoring.ts";

const programPath = fileURLToPath(new URL("./wallet-process.mjs", import.meta.url));

test("a restore reads until a page is empty, whatever have_more and the kinds of its messages say, and takes no cut message", async () => {
  const { simulator, options } = await world();
  const ids: VtxoId[] = [];
  for (const amount of [1n, 2n, 4n, 8n, 16n, 32n, 64n]) ids.push(await elsewhere(simulator, 1_000n * amount));
  await backUp(simulator, ...ids.slice(0, 3));
  for (let i = 0; i < 4; i++) simulator.deliverUnknown(Buffer.from(keys.recoveryMailboxId).toString("hex"));
  await backUp(simulator, ...ids.slice(3));
  simulator.faults.pageLimit = 5;
  simulator.faults.haveMore = "never";
  const wallet = await restored(await options());
  expect(wallet.status()).toMatchObject({ balance: { totalSats: 127_000n }, restore: { isComplete: true } });
  await wallet.close();
});

test("while VTXOs are unmatched keys are looked for farther ahead, and found from there on (mailbox.md W-50)", async () => {
  const { simulator, options } = await world();
  await backUp(simulator, await elsewhere(simulator, 1_000n, {}, 1_010), await elsewhere(simulator, 2_000n, {}, 1_100));
  const wallet = await restored({ ...(await options()), restoreLookAhead: 2_000 });
  expect(wallet.status()).toMatchObject({ balance: { totalSats: 3_000n }, nextKeyIndex: 1_101, restore: { isComplete: true } });
  await wallet.close();
});

test("a restore that is killed at any commit goes on where it was, to the same balance", async () => {
  const { simulator, options } = await world();
  const ids = [await elsewhere(simulator, 1_000n), await elsewhere(simulator, 2_000n, {}, 3)];
  await backUp(simulator, ...ids);
  await simulator.pay(addressOf(simulator, MNEMONIC, 0), { amountsSats: [4_000n] });
  const { directory: _, ...open } = await options();
  const restoring = { ...open, create: true, restore: true, ports: { clock: new FastClock() } };
  let died = 0;
  for (let commits = 2; ; commits += 4) {
    const memory = createMemoryLog();
    const isKilled = await restoreAndDie(await memory.open(), restoring, commits);
    const wallet = await Heartwood.openOn(await memory.open(), restoring);
    await wallet.sync();
    expect([commits, wallet.status()]).toMatchObject([
      commits,
      { balance: { totalSats: 7_000n }, restore: { isComplete: true } },
    ]);
    expectBooksToBalance(wallet.status());
    await wallet.close();
    if (!isKilled) break;
    died++;
  }
  expect(died).toBeGreaterThan(2);
});

test.each(["AWAITING_VETTING", "NOT_PUBKEY_POLICY", "payment.restored", "htlcs.revoked"])(
  "a restore that dies right after the record of %s gives an open payment back once, when it goes on (mailbox.md W-48)",
  async (last) => {
    const { simulator, options } = await world();
    const policy = {
      kind: "server-htlc-send-v1",
      userPubkey: keys.vtxoPublicKey(0),
      paymentHash: new Uint8Array(32).fill(9),
      htlcExpiryHeight: simulator.chain.tip + 100,
    } as const;
    await backUp(simulator, await elsewhere(simulator, 500n, { policy }));
    const { directory: _, ...open } = await options();
    const restoring = { ...open, create: true, restore: true, ports: { clock: new FastClock() } };
    const memory = createMemoryLog();
    const log = await memory.open();
    let isDead = false;
    const append: EventLog["append"] = async (request) => {
      if (isDead) throw new Error("killed");
      isDead = request.bodies.some((body) => Buffer.from(body).includes(last));
      return log.append(request);
    };
    const first = await Heartwood.openOn(wrapLog(log, { append }), restoring);
    await first.sync().catch(() => {});
    await first.close().catch(() => {});
    expect(isDead).toBe(true);
    const wallet = await Heartwood.openOn(await memory.open(), restoring);
    await wallet.sync();
    expect(wallet.status()).toMatchObject({
      balance: { totalSats: 500n, spendableSats: 500n },
      quarantine: [],
      restore: { isComplete: true },
    });
    expectBooksToBalance(wallet.status());
    await wallet.close();
  },
);

test("a process that is killed at any step of a restore leaves a directory in which it goes on", async () => {
  const { simulator, options } = await world();
  const ids = [await elsewhere(simulator, 1_000n), await elsewhere(simulator, 2_000n, {}, 3)];
  await backUp(simulator, ...ids);
  await simulator.pay(addressOf(simulator, MNEMONIC, 0), { amountsSats: [4_000n] });
  const open = await options();
  for (const method of ["GetVtxo", "GetVtxoStatus", "PostRecoveryVtxoIds"] as const) {
    const calls = simulator.calls(method);
    simulator.faults.delay(method, 60_000);
    const arguments_ = [programPath, "restore", open.directory, simulator.serverUrl, simulator.chainUrl];
    const child = spawn(process.execPath, arguments_, { stdio: ["pipe", "ignore", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    child.stdin.write("begin\n");
    await eventually(() => simulator.calls(method) > calls, `a call of ${method}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    simulator.faults.delay(method, 0);
  }
  const wallet = await restored(open);
  expect(wallet.status()).toMatchObject({ balance: { totalSats: 7_000n }, restore: { state: "restored", isComplete: true } });
  expectBooksToBalance(wallet.status());
  await wallet.close();
});

/** Whether the process died: after so many commits nothing is written any more. */
async function restoreAndDie(log: EventLog, options: Parameters<typeof Heartwood.openOn>[1], commits: number): Promise<boolean> {
  let left = commits;
  const append: EventLog["append"] = async (request) => {
    if (--left < 0) throw new Error("killed");
    return log.append(request);
  };
  try {
    await using wallet = await Heartwood.openOn(wrapLog(log, { append }), options);
    await wallet.sync();
  } catch {
    // The wallet failed, as it does when its log cannot be written.
  }
  return left < 0;
}

test("a VTXO of another seed is no money, is not kept, and a restore that names it is not complete", async () => {
  const { simulator, options } = await world();
  const [foreign] = await simulator.createPackage(addressOf(simulator, OTHER_MNEMONIC, 0), { amountsSats: [8_000n] });
  await backUp(simulator, foreign?.id ?? "", await elsewhere(simulator, 1_000n));
  const wallet = await restored(await options());
  expect(wallet.quarantine()).toEqual([]);
  expect(wallet.status()).toMatchObject({
    balance: { totalSats: 1_000n },
    restore: { state: "restored", isComplete: false, report: { unresolvedIds: [{ id: foreign?.id, code: "NOT_OWNED" }] } },
  });
  await wallet.close();
});

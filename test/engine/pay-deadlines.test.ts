import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { Heartwood } from "../../engine/index.ts";
import {
  addressOf,
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  goLive,
  nextEvent,
  OTHER_MNEMONIC,
  recorded,
  setUp,
  simulate,
} from "./helpers.ts";
import { losingCosign, states } from "./payments/funded.ts";
import { MortalWallet } from "./payments/mortal-wallet.ts";

test("a payment that gets no answer ends when its inputs are near their expiry: an exit is required, and its end is said once", async () => {
  const { simulator, wallet, address, directory } = await setUp({ terms: { vtxoLifetime: 300 } });
  await simulator.pay(address, { amountsSats: [5_000n] });
  await wallet.sync();
  await goLive(wallet);
  simulator.faults.failNext("RequestArkoorCosign", Status.UNAVAILABLE, 100_000);
  const required = nextEvent(wallet, "exit.required");
  const payment = await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 2_000n);
  simulator.mine(285);
  await expect(payment.settled()).rejects.toMatchObject({ cause: { code: "NEAR_EXPIRY" } });
  const { vtxos, byHeight } = await required;
  expect(byHeight).toBeLessThan(simulator.chain.tip + 15);
  for (const id of vtxos) expect((await wallet.exitTransactions(id)).length).toBeGreaterThan(0);
  // An attempt that was under way as the payment ended may ask once more.
  const asked = () => simulator.calls("RequestArkoorCosign");
  let calls = -1;
  while (calls !== asked()) {
    calls = asked();
    await wallet.sync();
  }
  simulator.faults.clear();
  expect(wallet.balance()).toMatchObject({ totalSats: 5_000n, exitingSats: 5_000n, lockedSats: 0n });
  expect(wallet.status().openCommands).toBe(0);
  await wallet.sync();
  expect(asked()).toBe(calls);
  expectBooksToBalance(wallet.status());

  // What is left is the owner's to exit elsewhere, and to say so, once.
  const ended = nextEvent(wallet, "exit.ended");
  await wallet.payment(payment.id).giveUp();
  const movement = `exit.${payment.id.replaceAll("/", ".")}`;
  expect(await ended).toMatchObject({ movement, amountSats: -5_000n, vtxos });
  expect(wallet.balance()).toMatchObject({ totalSats: 0n, exitingSats: 0n });
  expect(wallet.movements().at(-1)).toMatchObject({
    id: movement,
    subsystem: { name: "heartwood.exit", kind: "withdrawal" },
    status: "successful",
    effectiveBalanceSats: -5_000n,
    feeSats: 0n,
    inputVtxos: vtxos,
    exitedVtxos: vtxos,
    metadata: { payment: payment.id },
  });
  expectBooksToBalance(wallet.status());
  expect(await codeOfRefusal(payment.giveUp())).toBe("NOT_CANCELLABLE");
  expect([payment.status, await codeOfRefusal(payment.settled())]).toEqual(["failed", "PAYMENT_FAILED"]);
  const [story, ofMovement] = [await wallet.explain(vtxos[0] ?? ""), await wallet.explain(movement)];
  expect([story.now, story.steps.at(-1)?.event]).toEqual(["exited, or given up", "exit.ended"]);
  expect(ofMovement.now).toBe("successful, -5000 sat");
  const status = wallet.status();
  await wallet.close();
  expect((await Heartwood.read(directory)).movements).toEqual(status.movements);
});

test("nothing of a payment that goes on, or that left nothing to be exited, can be given up", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [5_000n] });
  await wallet.sync();
  await goLive(wallet);
  simulator.faults.failNext("RequestArkoorCosign", Status.UNAVAILABLE, 100_000);
  const payment = await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 2_000n);
  const before = wallet.status();
  expect(await codeOfRefusal(payment.giveUp())).toBe("NOT_CANCELLABLE");
  simulator.faults.clear();
  await payment.settled();
  expect(await codeOfRefusal(payment.giveUp())).toBe("NOT_CANCELLABLE");
  expect([before.balance.lockedSats, wallet.balance().spendableSats]).toEqual([5_000n, 3_000n]);
});

test("a refused package of which the server says nothing ends near the expiry of its inputs, and with it a salvage", async () => {
  const simulator = await simulate({ terms: { vtxoLifetime: 300 } });
  const mortal = new MortalWallet(simulator);
  const fateOf = losingCosign();
  const first = await mortal.live((method) => fateOf(method, simulator));
  await simulator.pay(await first.wallet.address(), { amountsSats: [10_000n] });
  await eventually(() => first.wallet.balance().spendableSats === 10_000n, "the money");
  // The package was carried out, and whether the invoice is paid is not told: it is neither completed nor let go (S7).
  simulator.faults.failNext("CheckLightningPayment", Status.UNAVAILABLE, 100_000);
  const recovering = nextEvent(first.wallet, "payment.changed", ({ state }) => state === "Recovering");
  const { id } = await first.wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  await recovering;
  await first.end();
  await mortal.salvage();
  const { wallet, end } = await mortal.live();
  expect(wallet.status().reconciling).not.toBeNull();
  const events = recorded(wallet);
  const required = nextEvent(wallet, "exit.required");
  simulator.mine(285);
  await expect(wallet.payment(id).settled()).rejects.toMatchObject({ cause: { code: "SERVER_REJECTED" } });
  expect((await required).vtxos).toHaveLength(1);
  expect(states(events)).toEqual(["Failed"]);
  await eventually(() => wallet.status().reconciling === null, "the end of the reconciling");
  expect(wallet.balance()).toMatchObject({ totalSats: 10_000n, exitingSats: 10_000n, lockedSats: 0n, pendingOutSats: 0n });
  expectBooksToBalance(wallet.status());
  await end();
});

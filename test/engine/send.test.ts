import { Status } from "nice-grpc-common";
import { filter, firstValueFrom } from "rxjs";
import { expect, test } from "vitest";
import { decodeVtxo } from "../../ark/vtxo.ts";
import type { Wallet } from "../../engine/index.ts";
import {
  addressOf,
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  FastClock,
  freshDirectory,
  goLive,
  MNEMONIC,
  nextEvent,
  OTHER_MNEMONIC,
  openWallet,
  type Setup,
  setUp,
  simulate,
  walletOptions,
} from "./helpers.ts";

/** A wallet with money, and another one on the same server, both live. */
async function twoWallets(amountsSats: readonly bigint[]): Promise<Setup & { readonly other: Wallet }> {
  const setup = await setUp();
  await setup.simulator.pay(setup.address, { amountsSats });
  await setup.wallet.sync();
  const directory = await freshDirectory();
  const options = { ...walletOptions(setup.simulator, directory, OTHER_MNEMONIC), ports: { clock: new FastClock() } };
  const other = await openWallet(options);
  await Promise.all([goLive(setup.wallet), goLive(other)]);
  return { ...setup, other };
}

test("two wallets pay each other: the sum moves, the change comes back in two pieces, and both books balance", async () => {
  const { wallet, other } = await twoWallets([10_000n, 3_000n]);
  const payment = await wallet.send(await other.address(), 4_000n);
  const { movement } = await payment.settled();
  expect(payment.status).toBe("successful");
  expect(movement).toMatchObject({
    subsystem: { name: "bark.arkoor", kind: "send" },
    status: "successful",
    intendedBalanceSats: -4_000n,
    effectiveBalanceSats: -4_000n,
    feeSats: 0n,
    sentTo: [{ destination: await other.address(), amountSats: 4_000n }],
  });
  expect(wallet.balance()).toMatchObject({ totalSats: 9_000n, spendableSats: 9_000n, lockedSats: 0n });
  await eventually(() => other.balance().spendableSats === 4_000n, "the payment");

  // Below dust: it arrives in pieces that are isolated with the change.
  const back = await other.send(await wallet.address({ fresh: true }), 100n);
  await back.settled();
  await eventually(() => wallet.balance().spendableSats === 9_100n, "what was paid back");
  expect(other.balance()).toMatchObject({ totalSats: 3_900n, spendableSats: 3_900n });
  for (const one of [wallet, other]) expectBooksToBalance(one.status());
});

/** A live wallet with VTXOs of these amounts, and an address of somebody else. */
async function liveWallet(amountsSats: readonly bigint[]): Promise<Setup & { readonly payee: string }> {
  const setup = await setUp();
  if (amountsSats.length > 0) await setup.simulator.pay(setup.address, { amountsSats });
  await goLive(setup.wallet);
  return { ...setup, payee: addressOf(setup.simulator, OTHER_MNEMONIC, 0) };
}

test("what cannot be paid is refused with a code, and nothing is recorded or locked", async () => {
  const { wallet, payee } = await liveWallet([1_000n]);
  const elsewhere = addressOf(await simulate({ seed: "elsewhere" }), MNEMONIC, 0);
  const records = wallet.status().records;
  expect(await codeOfRefusal(wallet.send("tark1nonsense", 1n))).toBe("BAD_ADDRESS");
  expect(await codeOfRefusal(wallet.send(elsewhere, 1n))).toBe("BAD_ADDRESS");
  expect(await codeOfRefusal(wallet.send(payee, 0n))).toBe("BAD_AMOUNT");
  expect(await codeOfRefusal(wallet.send(payee, 1_001n))).toBe("INSUFFICIENT_FUNDS");
  expect(await codeOfRefusal(wallet.send(payee, 1n, { signal: AbortSignal.abort(new Error("no")) }))).toEqual(new Error("no"));
  expect([wallet.status().records, wallet.balance().spendableSats]).toEqual([records, 1_000n]);
  await wallet.stop();
  expect(await codeOfRefusal(wallet.send(payee, 1n))).toBe("NOT_CONNECTED");
});

test("payments that are asked for at once never have one coin, and what is left for none is refused", async () => {
  const { wallet, payee } = await liveWallet([1_000n, 1_000n]);
  const [first, second, third] = await Promise.allSettled([600n, 700n, 800n].map((amountSats) => wallet.send(payee, amountSats)));
  if (first?.status !== "fulfilled" || second?.status !== "fulfilled") throw new Error("expected two payments");
  expect(third).toMatchObject({ status: "rejected", reason: { code: "INSUFFICIENT_FUNDS" } });
  expect(wallet.payments().length).toBeGreaterThan(0);
  const ends = await Promise.all([first.value.settled(), second.value.settled()]);
  expect(new Set(ends.flatMap(({ movement }) => movement.inputVtxos)).size).toBe(2);
  expect(wallet.balance()).toMatchObject({ totalSats: 700n, lockedSats: 0n });
  expect(wallet.payments()).toEqual([]);
  expectBooksToBalance(wallet.status());
});

test("a payment to an own address goes out and comes in; what it spent is never credited again", async () => {
  const { simulator, wallet, address } = await liveWallet([5_000n]);
  const spent = await wallet.vtxoBytes(wallet.vtxos()[0]?.id ?? "");
  await (await wallet.send(address, 2_000n)).settled();
  await eventually(() => wallet.movements().length === 3, "what comes in");
  expect(wallet.movements().map(({ effectiveBalanceSats }) => effectiveBalanceSats)).toEqual([5_000n, -2_000n, 2_000n]);
  await eventually(() => wallet.balance().spendableSats === 5_000n, "its registration");

  const ignored = nextEvent(wallet, "message.ignored");
  simulator.deliver(address, [spent]);
  expect(await ignored).toMatchObject({ rule: "NOTHING_NEW" });
  expect((await wallet.importVtxo(spent)).status).toBe("known");
  expect([wallet.balance().totalSats, wallet.quarantine()]).toEqual([5_000n, []]);
});

test("what no mailbox takes is posted again, its change can be spent meanwhile, and its bytes can be handed over", async () => {
  const { simulator, wallet, payee, directory } = await liveWallet([5_000n]);
  simulator.faults.failNext("PostArkoorMessage", Status.INVALID_ARGUMENT, 1_000);
  const payment = await wallet.send(payee, 2_000n);
  const waiting = await firstValueFrom(payment.events$.pipe(filter(({ code }) => code !== null)));
  expect(waiting).toMatchObject({ state: "Delivering", status: "pending", code: "SERVER_REJECTED" });
  const [bytes] = await payment.undelivered();
  expect(decodeVtxo(bytes ?? new Uint8Array()).amountSats).toBe(2_000n);
  expect(wallet.balance()).toMatchObject({ totalSats: 3_000n, spendableSats: 3_000n });
  await wallet.close();

  simulator.faults.clear();
  const again = await openWallet({ ...walletOptions(simulator, directory), ports: { clock: new FastClock() } });
  const resumed = again.payment(payment.id);
  expect(resumed.status).toBe("pending");
  await again.sync();
  expect((await resumed.settled()).movement).toMatchObject({ status: "successful" });
  expect(await resumed.undelivered()).toEqual([]);
  expect(() => again.payment("arkoor-send/unknown")).toThrow(/expected a payment/);
});

test("a refusal frees the inputs, and its code is the cause", async () => {
  const { simulator, wallet, payee } = await liveWallet([5_000n]);
  simulator.faults.failNext("RequestArkoorCosign", Status.INVALID_ARGUMENT);
  const payment = await wallet.send(payee, 2_000n);
  await expect(payment.settled()).rejects.toMatchObject({ code: "PAYMENT_FAILED", cause: { code: "SERVER_REJECTED" } });
  expect([payment.status, wallet.balance().spendableSats]).toEqual(["failed", 5_000n]);
  await expect(wallet.payment(payment.id).settled()).rejects.toMatchObject({ code: "PAYMENT_FAILED" });
});

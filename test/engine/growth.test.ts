import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { packageOf } from "../../property-tests/deliveries/compose.ts";
import { buildSmallPool, type Pool } from "../../property-tests/deliveries/pool.ts";
import { breaking, DAY_MS, HOUR_MS, halted, idle, MINUTE_MS, offline, received, redelivered } from "./growth/days.ts";
import { GrowingWallet, type Written } from "./growth/world.ts";
import { addressOf, eventually, OTHER_MNEMONIC, simulate } from "./helpers.ts";
import { MortalWallet } from "./payments/mortal-wallet.ts";

const NOTHING: Written = { records: 0, bytes: 0 };

let pool: Pool;

beforeAll(async () => {
  pool = await buildSmallPool();
});

test("a received package takes what the documentation says", async () => {
  expectDocumented("a package of two VTXOs, received and credited", await received(await GrowingWallet.live(pool)));
});

test("a day in which nothing is posted is not in the log", async () => {
  expect(await idle(await GrowingWallet.live(pool), DAY_MS)).toEqual(NOTHING);
});

test("a stream that breaks every minute is opened again without a record", async () => {
  expect(await breaking(await GrowingWallet.live(pool), 2 * HOUR_MS)).toEqual(NOTHING);
});

test("what is posted while a good connection is broken arrives", async () => {
  const world = await GrowingWallet.live(pool);
  await world.advance(MINUTE_MS);
  world.server.endStreams("STREAM_RESET");
  const vtxos = pool.vtxos.map(({ bytes }) => bytes);
  world.server.keep(packageOf(vtxos, 5n));
  await world.settle();
  await world.advance(1_000);
  expect(world.wallet.status()).toMatchObject({ checkpoint: 5n, connection: "Live" });
});

test("a wallet that is stopped while a broken connection is about to be opened again stays stopped", async () => {
  const world = await GrowingWallet.live(pool);
  await world.advance(MINUTE_MS);
  world.server.endStreams("STREAM_RESET");
  await world.settle();
  await world.wallet.stop();
  expect(await idle(world, HOUR_MS)).toEqual(NOTHING);
  expect(world.wallet.status().connection).toBe("Stopped");
});

test("a package that was credited may be delivered again and again: nothing is written", async () => {
  expect(await redelivered(await GrowingWallet.live(pool), 100)).toEqual(NOTHING);
});

test("a day offline takes what the documentation says, and less than 100 KB", async () => {
  const written = await offline(await GrowingWallet.live(pool), DAY_MS);
  expectDocumented("a day without a server", written);
  expect(written.bytes).toBeLessThan(100_000);
});

test("a day halted takes what the documentation says beside the package, and less than 250 KB", async () => {
  const packageBytes = 10_000;
  const written = await halted(await GrowingWallet.live(pool), DAY_MS, packageBytes);
  expectDocumented("a day halted on a package, beside its bytes", { ...written, bytes: written.bytes - packageBytes });
  expect(written.bytes).toBeLessThan(250_000);
});

test("a package of 4 MB that halts for hours is stored once", async () => {
  const packageBytes = 4_000_000;
  const { bytes } = await halted(await GrowingWallet.live(pool), 2 * HOUR_MS, packageBytes);
  expect(bytes).toBeGreaterThan(packageBytes);
  expect(bytes).toBeLessThan(packageBytes + 50_000);
});

test("payments take what the documentation says", async () => {
  const simulator = await simulate();
  simulator.faults.lightning.dropNotices = true;
  const mortal = new MortalWallet(simulator);
  const { wallet, end } = await mortal.live();
  await simulator.pay(await wallet.address(), { amountsSats: [50_000n] });
  await eventually(() => wallet.balance().spendableSats === 50_000n, "the money");
  const written = async (happening: () => Promise<{ settled(): Promise<unknown> }>): Promise<Written> => {
    await eventually(() => wallet.status().openCommands === 0, "every result");
    const { records, bytes } = mortal.written;
    await (await happening()).settled().catch(() => {});
    await eventually(() => wallet.status().openCommands === 0, "every result");
    return { records: mortal.written.records - records, bytes: mortal.written.bytes - bytes };
  };
  const invoice = () => simulator.lightning.invoice({ amountSats: 4_000n });
  const payee = addressOf(simulator, OTHER_MNEMONIC, 0);
  expectDocumented("a payment to an Ark address", await written(() => wallet.send(payee, 4_000n)));
  expectDocumented("a Lightning payment out", await written(() => wallet.pay(invoice().bolt11)));
  const failing = invoice();
  simulator.lightning.setOutcome("failure", failing.paymentHash);
  expectDocumented("a Lightning payment out that is given back", await written(() => wallet.pay(failing.bolt11)));
  const receive = async () => {
    const { bolt11, payment } = await wallet.invoice({ amountSats: 4_000n });
    simulator.lightning.pay(bolt11);
    return payment;
  };
  expectDocumented("a Lightning payment in, from its invoice on", await written(receive));
  const cancelled = async () => {
    const { paymentHash, payment } = await wallet.invoice({ amountSats: 4_000n });
    await wallet.cancelInvoice(paymentHash);
    return payment;
  };
  expectDocumented("an invoice that is cancelled", await written(cancelled));
  await end();
});

test("what waits for somebody else is asked for again and again without a record: an open payment, an unpaid invoice", async () => {
  const simulator = await simulate();
  simulator.faults.lightning.dropNotices = true;
  const mortal = new MortalWallet(simulator);
  const { wallet, end } = await mortal.live();
  await simulator.pay(await wallet.address(), { amountsSats: [50_000n] });
  await eventually(() => wallet.balance().spendableSats === 50_000n, "the money");
  simulator.lightning.setOutcome("never");
  await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  await wallet.invoice({ amountSats: 4_000n });
  const looks = () => Math.min(simulator.calls("CheckLightningPayment"), simulator.calls("CheckLightningReceive"));
  await eventually(() => wallet.status().openCommands === 2 && looks() > 2, "two that wait");
  const [before, { records, bytes }] = [looks(), { ...mortal.written }];
  await eventually(() => looks() > before + 30, "polls");
  expect([mortal.written.records - records, mortal.written.bytes - bytes]).toEqual([0, 0]);
  await end();
});

/** The figures of docs/growth.md, within a tenth. */
function expectDocumented(what: string, { records, bytes }: Written): void {
  const row = readFileSync(new URL("../../docs/growth.md", import.meta.url), "utf8")
    .split("\n")
    .find((line) => line.startsWith(`| ${what} |`));
  const [documentedRecords = 0, documentedBytes = 0] = [...(row ?? "").matchAll(/\| ([\d,]+)(?= )/g)].map(([, digits]) =>
    Number(digits?.replaceAll(",", "")),
  );
  const told = `docs/growth.md says: ${row ?? "nothing"}; measured: ${records} records, ${bytes} bytes`;
  expect(Math.abs(records - documentedRecords), told).toBeLessThanOrEqual(records / 10);
  expect(Math.abs(bytes - documentedBytes), told).toBeLessThanOrEqual(bytes / 10);
}

import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { packageOf } from "../../property-tests/deliveries/compose.ts";
import { buildSmallPool, type Pool } from "../../property-tests/deliveries/pool.ts";
import { breaking, DAY_MS, HOUR_MS, halted, idle, MINUTE_MS, offline, received, redelivered } from "./growth/days.ts";
import { GrowingWallet, type Written } from "./growth/world.ts";

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

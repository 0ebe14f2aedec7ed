import { expect, test } from "vitest";
import { codeOfRefusal, expectBooksToBalance, goLive, openWallet, setUp } from "./helpers.ts";

test("without a quote or a limit no fee above 100 sat and 1 % is paid; with one, any that it allows", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [20_000n] });
  await wallet.sync();
  await goLive(wallet);
  simulator.lightning.raiseFees(120n);
  await wallet.stop();
  await goLive(wallet);
  const invoice = () => simulator.lightning.invoice({ amountSats: 4_000n }).bolt11;
  const dear = invoice();
  const { feeSats } = await wallet.quote(invoice());
  expect(feeSats).toBeGreaterThan(140n);
  const error: unknown = await wallet.pay(dear).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "FEE_TOO_HIGH", message: `expected a fee of at most 140 sat, got ${feeSats}` });
  expect(wallet.payments()).toEqual([]);
  await (await wallet.pay(dear, { maxFeeSats: feeSats })).settled();
  const quoted = invoice();
  await wallet.quote(quoted);
  await (await wallet.pay(quoted)).settled();
});

test("a quote that the caller kept holds in a later process, or is refused as stale", async () => {
  const { simulator, wallet, options, address } = await setUp();
  await simulator.pay(address, { amountsSats: [5_000n, 5_000n] });
  await wallet.sync();
  await goLive(wallet);
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 2_000n });
  const quote = await wallet.quote(bolt11);
  await wallet.close();

  const again = await openWallet(options);
  await goLive(again);
  const other = simulator.lightning.invoice({ amountSats: 2_000n }).bolt11;
  expect(await codeOfRefusal(again.pay(other, { quote }))).toBe("QUOTE_STALE");
  expect(await codeOfRefusal(again.pay(bolt11, { quote: { ...quote, feeSats: quote.feeSats - 1n } }))).toBe("QUOTE_STALE");
  const { movement } = await (await again.pay(bolt11, { quote })).settled();
  expect(movement).toMatchObject({ feeSats: quote.feeSats, inputVtxos: quote.inputs });

  // Its input is spent now.
  const late = await again.quote(other);
  await (await again.send(await again.address({ fresh: true }), 7_000n)).settled();
  expect(await codeOfRefusal(again.pay(other, { quote: late }))).toBe("QUOTE_STALE");
  expectBooksToBalance(again.status());
});

test("a deep VTXO that is the next to expire is passed over for one that lasts; VTXOS_EXPIRE only where none suffices", async () => {
  const { simulator, wallet, address } = await setUp();
  const height = simulator.mine(1);
  const deep = await simulator.pay(address, { amountsSats: [5_000n], depth: 41, expiryHeight: height + 170 });
  const lasting = await simulator.pay(address, { amountsSats: [5_000n] });
  await wallet.sync();
  expect(wallet.vtxos().map(({ id }) => id)).toEqual([deep, lasting].flatMap(({ vtxos }) => vtxos.map(({ id }) => id)));
  simulator.mine(118);
  await goLive(wallet);
  const { inputs } = await wallet.quote(simulator.lightning.invoice({ amountSats: 2_000n }).bolt11);
  expect(inputs).toEqual(lasting.vtxos.map(({ id }) => id));
  expect(await codeOfRefusal(wallet.quote(simulator.lightning.invoice({ amountSats: 7_000n }).bolt11))).toBe("VTXOS_EXPIRE");
  expect(await codeOfRefusal(wallet.quote(simulator.lightning.invoice({ amountSats: 70_000n }).bolt11))).toBe(
    "INSUFFICIENT_FUNDS",
  );
});

test("a server of release 0.6.0 is paid through as well: its fee goes by the order of the HTLCs (S11)", async () => {
  const { simulator, wallet, address } = await setUp({ terms: { release: "0.6.0" } });
  const height = simulator.mine(1);
  // The later one came first: by arrival it would be charged 2,900 sat at the higher rate.
  await simulator.pay(address, { amountsSats: [3_000n] });
  await simulator.pay(address, { amountsSats: [3_000n], expiryHeight: height + 190 });
  await wallet.sync();
  await goLive(wallet);
  const { movement } = await (await wallet.pay(simulator.lightning.invoice({ amountSats: 3_500n }).bolt11)).settled();
  expect(movement.inputVtxos).toHaveLength(2);
  const gone = -movement.effectiveBalanceSats;
  await (await wallet.send(await wallet.address({ fresh: true }), 500n)).settled();
  await expect.poll(() => wallet.balance().spendableSats).toBe(6_000n - gone);
  expectBooksToBalance(wallet.status());
});

test("a server that would lock money for more than 1008 blocks is not paid through (S5)", async () => {
  const { simulator, wallet } = await setUp({ terms: { htlcSendExpiryDelta: 1_009 } });
  await goLive(wallet);
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 4_000n });
  expect(await codeOfRefusal(wallet.pay(bolt11))).toBe("LIGHTNING_UNAVAILABLE");
  expect(wallet.payments()).toEqual([]);
});

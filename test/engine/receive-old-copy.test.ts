import { cp } from "node:fs/promises";
import { expect, test } from "vitest";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { noteSalvage } from "../../engine/note-salvage.ts";
import { openLevelLog } from "../../store/index.ts";
import { expectBooksToBalance, goLive, nextEvent, openWallet, setUp } from "./helpers.ts";

test("an old copy of a directory does not give the preimage to a server that says it has it; one that lost records claims (R8)", async () => {
  const { simulator, wallet, directory, options } = await setUp();
  await goLive(wallet);
  const invoice = await wallet.invoice({ amountSats: 10_000n });
  await wallet.close();
  const copy = `${directory}-copy`;
  await cp(directory, copy, { recursive: true });

  const claiming = await openWallet(options);
  await goLive(claiming);
  simulator.lightning.pay(invoice.bolt11);
  await claiming.payment(invoice.payment.id).settled();
  await claiming.close();
  // Too late to leave on chain, were the claim refused.
  simulator.mine(25);
  const old = await openWallet({ ...options, directory: copy });
  const waiting = nextEvent(old, "payment.changed", ({ code }) => code !== null);
  await goLive(old);
  expect(await waiting).toMatchObject({ payment: invoice.payment.id, state: "AwaitingPayment", code: "SETTLED_ELSEWHERE" });
  expect(old.payment(invoice.payment.id).status).toBe("pending");
  const claims = simulator.calls("ClaimLightningReceive");
  await old.close();

  const log = await openLevelLog(copy);
  await noteSalvage(log, { keptSeq: log.head().seq, lostTo: null, damage: [], keyGap: 20 }, defaultPorts);
  await log.close();
  const salvaged = await openWallet({ ...options, directory: copy });
  await goLive(salvaged);
  const { movement } = await salvaged.payment(invoice.payment.id).settled();
  expect(movement).toMatchObject({ status: "successful", effectiveBalanceSats: 9_880n });
  expect(simulator.calls("ClaimLightningReceive")).toBe(claims + 1);
  await expect.poll(() => salvaged.balance().spendableSats).toBe(9_880n);
  expect(salvaged.status().reconciling).toBeNull();
  expectBooksToBalance(salvaged.status());
});

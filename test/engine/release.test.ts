import { expect, test } from "vitest";
import { setUp } from "./helpers.ts";

test("a wallet lives on a server of exactly release 0.6.0: its older information is enough, and a posted HTLC is no money (mailbox.md §3.12)", async () => {
  const { simulator, wallet, address } = await setUp({ terms: { release: "0.6.0" } });
  expect(simulator.arkInfo).toMatchObject({ vtxoLifetime: 0, vtxoExpiryDelta: 4_320 });
  await simulator.pay(address, { amountsSats: [1_000n] });
  await wallet.sync();
  const owner = simulator.vtxo(wallet.vtxos()[0]?.id ?? "")?.vtxo.policy;
  if (owner?.kind !== "pubkey") throw new Error("expected the wallet's VTXO, got another");
  const policy = {
    kind: "server-htlc-send-v1",
    userPubkey: owner.userPubkey,
    paymentHash: new Uint8Array(32).fill(5),
    htlcExpiryHeight: simulator.chain.tip + 100,
  } as const;
  await simulator.pay(address, { amountsSats: [2_000n], policy });
  await wallet.sync();
  expect(wallet.balance().totalSats).toBe(1_000n);
  expect(wallet.quarantine()).toMatchObject([{ code: "NOT_PUBKEY_POLICY", amountSats: 2_000n }]);
});

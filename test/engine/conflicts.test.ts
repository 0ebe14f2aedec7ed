import { expect, test } from "vitest";
import { ArkoorCosignSession } from "../../ark/arkoor-cosign.ts";
import { buildArkoorPart } from "../../ark/arkoor-transactions.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { decodeVtxo, encodeVtxo, vtxoId } from "../../ark/vtxo.ts";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { settleVerdicts } from "../../engine/settle-verdicts.ts";
import { decodeState, encodeState } from "../../engine/state-snapshot.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { AcceptedVtxo, Verdict } from "../../machines/package.ts";
import { readCosignResponse, writeCosignRequest } from "../../simulator/arkoor-wire.ts";
import type { Simulator } from "../../simulator/index.ts";
import { accepted, idOf } from "../machines/fixtures.ts";
import { connect } from "../simulator/support.ts";
import { addressOf, expectBooksToBalance, goLive, MNEMONIC, OTHER_MNEMONIC, recorded, setUp } from "./helpers.ts";
import { elsewhere, idsOf, keys, sendToSelf } from "./restoring.ts";

const bytesOf = (simulator: Simulator, id: VtxoId): Uint8Array => simulator.vtxo(id)?.bytes ?? new Uint8Array();

/** Spends a VTXO of another seed to keys of the wallet; a server that lies lets that happen twice. */
async function payFrom(simulator: Simulator, id: VtxoId, keyIndexes: readonly number[]): Promise<VtxoId[]> {
  using client = connect(simulator);
  const vtxo = decodeVtxo(bytesOf(simulator, id));
  const amountSats = vtxo.amountSats / BigInt(keyIndexes.length);
  const normal = keyIndexes.map((index) => {
    const policy = { kind: "pubkey", userPubkey: keys.vtxoPublicKey(index) } as const;
    return { amountSats, policy };
  });
  const part = buildArkoorPart(vtxo, { normal, isolated: [] }, "checkpoint");
  const secretKeys = [WalletKeys.fromMnemonic(OTHER_MNEMONIC).vtxoSecretKey(0)];
  const { randomness } = defaultPorts;
  const session = ArkoorCosignSession.start({ parts: [part], secretKeys, randomBytes: (length) => randomness.bytes(length) });
  const answer = await client.ark.requestArkoorCosign({ parts: session.requests.map(writeCosignRequest) });
  const created = session.finish(answer.parts.map(readCosignResponse), secretKeys);
  await client.ark.registerVtxoTransactions({ vtxos: created.map((each) => encodeVtxo(each)) });
  return created.map((each) => vtxoId(each));
}

test("a VTXO gives way to one that was made of it elsewhere (mailbox.md W-47)", async () => {
  const { simulator, wallet, address } = await setUp();
  const first = await elsewhere(simulator, 5_000n);
  await simulator.post(address, [bytesOf(simulator, first)]);
  await wallet.sync();
  expect(idsOf(wallet)).toEqual([first]);

  const second = await sendToSelf(simulator, first);
  simulator.setSpendState(first, "spendable");
  const events = recorded(wallet);
  await simulator.post(addressOf(simulator, MNEMONIC, 1), [bytesOf(simulator, second)]);
  await wallet.sync();
  expect(idsOf(wallet)).toEqual([second]);
  expect(wallet.movements().at(-1)).toMatchObject({ effectiveBalanceSats: 0n, inputVtxos: [first], outputVtxos: [second] });
  expect(events).toContainEqual(expect.objectContaining({ type: "payment.received", replaced: [first], vtxos: [second] }));
  expectBooksToBalance(wallet.status());
  expect((await wallet.explain(first)).now).toBe("spent elsewhere with this seed");
  expect((await wallet.explain(second)).now).toBe("spendable");
});

test("of a VTXO and one that was made of it in one package, only the latter is money, for good (mailbox.md W-47)", async () => {
  const { simulator, wallet, address } = await setUp();
  const first = await elsewhere(simulator, 5_000n);
  const second = await sendToSelf(simulator, first);
  simulator.setSpendState(first, "spendable");
  simulator.deliver(address, [bytesOf(simulator, first), bytesOf(simulator, second)]);
  await wallet.sync();
  expect(idsOf(wallet)).toEqual([second]);
  expect(wallet.quarantine()).toMatchObject([{ id: first, code: "SUPERSEDED", permanent: true }]);
  expectBooksToBalance(wallet.status());

  // Whatever the server posts and says afterwards, also once the descendant is gone.
  await goLive(wallet);
  await (await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 5_000n)).settled();
  await wallet.stop();
  simulator.deliver(address, [bytesOf(simulator, first)]);
  expect(await wallet.sync()).toMatchObject({ applied: 0 });
  expect(wallet.balance().totalSats).toBe(0n);
  expectBooksToBalance(wallet.status());
});

test("of two VTXOs that need one output to be spent in two ways, the first is money and the other is held (mailbox.md W-47)", async () => {
  const { simulator, wallet, address } = await setUp();
  const [source] = await simulator.createPackage(addressOf(simulator, OTHER_MNEMONIC, 0), { amountsSats: [6_000n] });
  const [mine, beside] = (await payFrom(simulator, source?.id ?? "", [0, 0])) as [VtxoId, VtxoId];
  simulator.setSpendState(source?.id ?? "", "spendable");
  const [rival] = (await payFrom(simulator, source?.id ?? "", [0])) as [VtxoId];
  for (const id of [mine, rival, beside]) simulator.deliver(address, [bytesOf(simulator, id)]);
  await wallet.sync();
  expect(idsOf(wallet)).toEqual([mine, beside].sort());
  expect(wallet.quarantine()).toMatchObject([{ id: rival, code: "CONFLICTING", permanent: false }]);
  // Looked at again, and refused again.
  await wallet.sync();
  expect(wallet.balance().totalSats).toBe(6_000n);
  expect((await wallet.explain(rival)).now).toContain("CONFLICTING");
  expectBooksToBalance(wallet.status());
});

test("what was held beside a VTXO is no money once that is paid away (mailbox.md W-47)", async () => {
  const { simulator, wallet } = await setUp();
  const [source] = await simulator.createPackage(addressOf(simulator, OTHER_MNEMONIC, 0), { amountsSats: [6_000n] });
  const [mine, beside] = (await payFrom(simulator, source?.id ?? "", [0, 0])) as [VtxoId, VtxoId];
  simulator.setSpendState(source?.id ?? "", "spendable");
  const [rival] = (await payFrom(simulator, source?.id ?? "", [0])) as [VtxoId];
  const address = addressOf(simulator, MNEMONIC, 0);
  for (const id of [mine, rival]) simulator.deliver(address, [bytesOf(simulator, id)]);
  await goLive(wallet);
  await (await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 1), 3_000n)).settled();
  await wallet.stop();
  await wallet.sync();
  expect(wallet.quarantine()).toMatchObject([{ id: rival, code: "CONFLICTING", permanent: false }]);
  expect(wallet.balance().totalSats).toBe(0n);

  // An output of the same transactions is money all the same.
  simulator.deliver(address, [bytesOf(simulator, beside)]);
  await wallet.sync();
  expect(idsOf(wallet)).toEqual([beside]);
  expectBooksToBalance(wallet.status());
});

/** A verdict on a VTXO whose chain spends these outputs. */
function madeOf(n: number, ...points: readonly number[]): Verdict & { readonly vtxo: AcceptedVtxo } {
  const lineage = points.map((each) => `${idOf(each).slice(0, 32)}:0`);
  return accepted(n, { lineage, exitDepth: points.length }) as Verdict & { readonly vtxo: AcceptedVtxo };
}

test("what a payment has locked gives way to nothing: its descendant is held until the payment ends", () => {
  const state = new WalletState();
  const coin = { ...madeOf(2, 1).vtxo, checkpoint: 0n, seq: 1n };
  state.putCoin({ ...coin, holder: "arkoor-send/01" });
  const [verdict] = settleVerdicts([madeOf(3, 1, 2)], 9n, state).verdicts;
  expect(verdict).toMatchObject({ kind: "refused", item: { code: "CONFLICTING", permanent: false, checkpoint: 9n } });
  state.spend(coin.id, 2n);
  expect(settleVerdicts([madeOf(3, 1, 2)], 9n, state)).toMatchObject({ verdicts: [{ kind: "accepted" }] });
});

test("the way of a spent VTXO's chain is known to a state that was read from a snapshot", () => {
  const state = new WalletState();
  const { vtxo } = madeOf(3, 1, 2);
  state.putCoin({ ...vtxo, checkpoint: 0n, seq: 1n });
  state.spend(vtxo.id, 7n);
  const again = decodeState({ seq: 0n, parts: [...encodeState(state)] });
  for (const each of [state, state.clone(), again ?? new WalletState()]) {
    const verdictOn = (verdict: Verdict) => settleVerdicts([verdict], 9n, each).verdicts[0];
    expect(verdictOn(madeOf(5, 1, 4))).toMatchObject({
      kind: "refused",
      item: { code: "CONFLICTING", message: expect.stringContaining("record 7 spent") },
    });
    expect([verdictOn(madeOf(6, 1, 2, 3)), verdictOn(madeOf(5, 4))]).toMatchObject([{ kind: "accepted" }, { kind: "accepted" }]);
  }
});

test("a VTXO that became two is taken out once", () => {
  const state = new WalletState();
  const { vtxo } = madeOf(2, 1);
  state.putCoin({ ...vtxo, checkpoint: 0n, seq: 1n });
  const settled = settleVerdicts([madeOf(4, 1, 2), madeOf(5, 1, 2, 3)], 9n, state);
  // Not siblings: 5 hangs from 3, which another transaction than 4's made of 2.
  expect(settled).toMatchObject({
    verdicts: [{ kind: "refused" }, { kind: "accepted" }],
    replaced: [{ id: vtxo.id, amountSats: 1_000n }],
  });
});

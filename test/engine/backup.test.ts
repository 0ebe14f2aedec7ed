import { expect, test } from "vitest";
import { readableVtxoId } from "../../ark/accept.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { encodeVtxoId, type VtxoId } from "../../ark/vtxo-id.ts";
import { Heartwood, type Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { StreamError } from "../../streams/errors.ts";
import { connect } from "../simulator/support.ts";
import { FastClock, fastOptions, freshDirectory, OTHER_MNEMONIC, openWallet, recorded, setUp, simulate } from "./helpers.ts";

const DAY_MS = 86_400_000;

/** A clock that goes on by whole days on request. */
class DayClock extends FastClock {
  days = 0;
  override nowMs(): number {
    return super.nowMs() + this.days * DAY_MS;
  }
}

test("one VTXO that the server refuses keeps no other one from being registered, backed up and money (mailbox.md W-34)", async () => {
  const simulator = await simulate();
  let bad: VtxoId = "";
  const asked: (readonly VtxoId[])[] = [];
  const transport: Transport = async (given) => {
    const session = await defaultPorts.transport(given);
    const { registerVtxoTransactions, postRecoveryVtxoIds } = session;
    session.registerVtxoTransactions = async (vtxos, call) => {
      asked.push(vtxos.map((bytes) => readableVtxoId(bytes) ?? ""));
      if (vtxos.some((bytes) => readableVtxoId(bytes) === bad)) throw new StreamError("SERVER_NOT_FOUND", "refused");
      return registerVtxoTransactions.call(session, vtxos, call);
    };
    session.postRecoveryVtxoIds = async (post, call) => {
      asked.push(post.ids);
      if (post.ids.includes(bad)) throw new StreamError("SERVER_FAILED", "refused");
      return postRecoveryVtxoIds.call(session, post, call);
    };
    return session;
  };
  const fast = fastOptions(simulator, await freshDirectory());
  const open = { ...fast, ports: { ...fast.ports, transport } };
  let wallet = await openWallet(open);
  await wallet.sync();
  const amountsSats = Array<bigint>(22).fill(1_000n);
  const { vtxos } = await simulator.pay(await wallet.address(), { amountsSats, register: false });
  const ids = vtxos.map(({ id }) => id);
  bad = ids[5] ?? "";
  await wallet.sync();
  const others = ids.filter((id) => id !== bad);
  expect(simulator.recoveryIds().toSorted()).toEqual(others.toSorted());
  expect(others.map((id) => simulator.vtxo(id)?.state)).toEqual(others.map(() => "spendable"));
  const waiting = () => wallet.vtxos().filter(({ state }) => state !== "spendable");
  expect(waiting()).toMatchObject([{ id: bad, state: "awaiting-registration" }]);
  expect(wallet.balance()).toMatchObject({ spendableSats: 21_000n, totalSats: 22_000n });
  expect((await wallet.explain(bad)).now).toBe("credited, awaiting registration");
  expect((await wallet.explain(others[0] ?? "")).now).toBe("spendable");

  // Commands stay open for the one that is left alone, also when the wallet is opened again, and end with it.
  await wallet.close();
  asked.length = 0;
  wallet = await openWallet({ ...open, create: false });
  expect(wallet.status().openCommands).toBe(2);
  expect(waiting()).toMatchObject([{ id: bad }]);
  await wallet.sync();
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((ids) => ids.length !== 1 || ids[0] !== bad)).toEqual([]);
  expect(waiting()).toMatchObject([{ id: bad }]);
  bad = "";
  await wallet.sync();
  expect(wallet.status().openCommands).toBe(0);
  expect(waiting()).toEqual([]);
  expect(simulator.recoveryIds()).toHaveLength(22);
});

test("a backup that somebody else took the place of is noticed when it is read back, once a day (mailbox.md W-42)", async () => {
  const setup = await setUp();
  const { simulator, wallet: first, options, address } = setup;
  await first.close();
  const clock = new DayClock();
  const wallet = await openWallet({ ...options, ports: { clock } });
  const events = recorded(wallet);
  const [squatted] = await simulator.createPackage(address, { amountsSats: [1_000n] });
  using client = connect(simulator);
  const { recoveryMailboxId: mailboxId } = WalletKeys.fromMnemonic(OTHER_MNEMONIC);
  const vtxoIds = [encodeVtxoId(squatted?.id ?? "")];
  await client.mailbox.postRecoveryVtxoIds({ mailboxId, vtxoIds, authorization: undefined });
  await simulator.post(address, [squatted?.bytes ?? new Uint8Array()]);
  await simulator.pay(address, { amountsSats: [2_000n] });
  await wallet.sync();
  // Its own post was a silent success, and nobody looked yet.
  expect(wallet.status()).toMatchObject({ openCommands: 0, backup: null, balance: { totalSats: 3_000n } });

  clock.days = 2;
  await wallet.sync();
  expect(wallet.status().backup).toMatchObject({ missing: 1, missingIds: [squatted?.id] });
  expect(events.filter(({ type }) => type === "backup.checked")).toMatchObject([{ missing: 1, missingIds: [squatted?.id] }]);
  const records = wallet.status().records;
  const reads = simulator.calls("ReadMailbox");
  await wallet.sync();
  expect(simulator.calls("ReadMailbox") - reads).toBe(1); // the main mailbox alone
  clock.days = 4;
  await wallet.sync();
  expect(events.filter(({ type }) => type === "backup.checked")).toHaveLength(1);
  expect(wallet.status().records).toBeGreaterThan(records);
  const { backup } = await Heartwood.read(setup.directory);
  expect(backup?.missing).toBe(1);

  // Nor does a clock that was ahead keep it from being read for as long as that.
  clock.days = 0;
  const counts: number[] = [];
  for (let i = 0; i < 2; i++) {
    const before = simulator.calls("ReadMailbox");
    await wallet.sync();
    counts.push(simulator.calls("ReadMailbox") - before);
  }
  expect(counts).toEqual([4, 1]);
});

import { Status } from "nice-grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeVtxoId } from "../../ark/vtxo-id.ts";
import type { Simulator } from "../../simulator/index.ts";
import { connect, NOON_MS, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
let ids: Uint8Array[];
const recovery = new TestWallet("recovery");
beforeAll(async () => {
  ({ simulator } = await startTestSimulator());
  await simulator.createPackage(recovery.address(simulator), { amountsSats: [1n, 2n, 3n, 4n], perCoin: 4 });
  ids = simulator.vtxos().map(({ id }) => encodeVtxoId(id));
});
afterAll(() => simulator.stop());

async function post(change: {
  vtxoIds?: Uint8Array[];
  mailboxId?: Uint8Array;
  authorization?: Uint8Array | undefined;
}): Promise<void> {
  using client = connect(simulator);
  const { mailboxId } = recovery;
  await client.mailbox.postRecoveryVtxoIds({
    mailboxId,
    vtxoIds: ids.slice(0, 1),
    authorization: recovery.authorization(),
    ...change,
  });
}

const unknown = new Uint8Array(36).fill(9);
const refused: readonly [string, Parameters<typeof post>[0], RegExp][] = [
  ["more than 20 ids, even malformed ones", { vtxoIds: Array(21).fill(new Uint8Array(3)) }, /at most 20/],
  [
    "an id of another length, before a bad mailbox id",
    { vtxoIds: [new Uint8Array(35)], mailboxId: new Uint8Array(1) },
    /invalid vtxo id/,
  ],
  ["none at all, before a bad mailbox id", { vtxoIds: [], mailboxId: new Uint8Array(1) }, /at least one/],
  [
    "a bad mailbox id, before a bad authorization",
    { mailboxId: new Uint8Array(33), authorization: new Uint8Array() },
    /invalid mailbox id/,
  ],
  [
    "an authorization that does not decode, before an unknown id",
    { authorization: new Uint8Array(), vtxoIds: [unknown] },
    /invalid mailbox authorization/,
  ],
  ["another mailbox's authorization", { authorization: new TestWallet("thief").authorization() }, /MISMATCH/],
  ["an expired authorization", { authorization: recovery.authorization(BigInt(NOON_MS / 1_000) - 6n) }, /EXPIRED/],
];

test.each(refused)("%s is refused with INVALID_ARGUMENT", async (_, change, details) => {
  expect(await refusal(post(change), Status.INVALID_ARGUMENT)).toMatch(details);
  expect(simulator.recoveryIds()).toEqual([]);
});

test("one unknown id fails the whole call with INTERNAL and stores nothing", async () => {
  await refusal(post({ vtxoIds: [...ids.slice(0, 2), unknown] }), Status.INTERNAL);
  expect(simulator.recoveryIds()).toEqual([]);
});

test("ids become one message, without an authorization too, and repeated ones are left out", async () => {
  await post({ vtxoIds: ids.slice(0, 2), authorization: undefined });
  await post({ vtxoIds: ids.slice(0, 2) });
  await post({ vtxoIds: [...ids.slice(1, 3), ...ids.slice(2, 3)] });
  expect(simulator.recoveryIds().map((id) => Buffer.from(encodeVtxoId(id)))).toEqual(
    ids.slice(0, 3).map((id) => Buffer.from(id)),
  );
  using client = connect(simulator);
  const { messages } = await client.mailbox.readMailbox(recovery.request());
  expect(messages.map(({ message }) => (message?.$case === "recoveryVtxoIds" ? message.value.vtxoIds.length : 0))).toEqual([
    2, 1,
  ]);
});

test("an id that is in any recovery mailbox is not stored in another one, and the call succeeds", async () => {
  const owner = new TestWallet("owner");
  await post({ mailboxId: owner.mailboxId, authorization: owner.authorization() });
  expect(simulator.mailbox(owner.mailboxHex)).toEqual([]);
});

test("an id in a recovery mailbox does not keep its VTXO out of a main mailbox", async () => {
  const { checkpoint } = await simulator.pay(recovery.address(simulator), { amountsSats: [1_000n] });
  expect(checkpoint).not.toBeNull();
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeHex } from "../../ark/hex.ts";
import { decodeVtxo } from "../../ark/vtxo.ts";
import {
  CORRUPTIONS,
  corruptVtxo,
  type PackageRequest,
  type SimulatedVtxo,
  type Simulator,
  startSimulator,
} from "../../simulator/index.ts";
import { connect, startTestSimulator, TestWallet, validateOverChain } from "./support.ts";

let simulator: Simulator;
const wallet = new TestWallet("recipient");
let address: string;
beforeAll(async () => {
  ({ simulator } = await startTestSimulator());
  address = wallet.address(simulator);
});
afterAll(() => simulator.stop());

describe("a payment", () => {
  test("delivers one message of VTXOs that are the wallet's, registered, and valid against the chain", async () => {
    const { checkpoint, mailboxId, vtxos } = await simulator.pay(address, { amountsSats: [21_000n, 1n] });
    expect(mailboxId).toBe(wallet.mailboxHex);
    expect(vtxos.map(({ amountSats, depth }) => [amountSats, depth])).toEqual([
      [21_000n, 3],
      [1n, 3],
    ]);
    using client = connect(simulator);
    const page = await client.mailbox.readMailbox(wallet.request((checkpoint ?? 0n) - 1n));
    const [message] = page.messages;
    expect(message?.checkpoint).toBe(checkpoint);
    const received = message?.message?.$case === "arkoor" ? message.message.value.vtxos : [];
    expect(received.map(encodeHex)).toEqual(vtxos.map(({ bytes }) => encodeHex(bytes)));
    for (const bytes of received) {
      await validateOverChain(simulator, bytes);
      expect(decodeVtxo(bytes).policy).toEqual({ kind: "pubkey", userPubkey: wallet.userPubkey });
    }
    expect(vtxos.map(({ id }) => simulator.vtxo(id)?.state)).toEqual(["spendable", "spendable"]);
  });

  test("can give several VTXOs one anchor, with change that makes siblings", async () => {
    const { vtxos } = await simulator.pay(address, {
      amountsSats: [1_000n, 2_000n, 3_000n, 4_000n],
      perCoin: 3,
      changeSats: 777n,
    });
    expect(vtxos.map(({ amountSats }) => amountSats)).toEqual([1_000n, 2_000n, 3_000n, 4_000n]);
    expect(new Set(vtxos.map(({ anchorTxid }) => anchorTxid)).size).toBe(2);
    const [first] = vtxos.map(({ bytes }) => decodeVtxo(bytes));
    expect(first?.genesis[1]?.siblings.map(({ amountSats }) => amountSats)).toEqual([777n, 2_000n, 3_000n]);
    for (const { bytes } of vtxos) await validateOverChain(simulator, bytes);
  });

  test("can have a chain of depth 7", async () => {
    const depth = 7;
    const { vtxos } = await simulator.pay(address, { amountsSats: [5_000n], depth });
    expect(vtxos.map((vtxo) => vtxo.depth)).toEqual([depth]);
    for (const { bytes } of vtxos) await validateOverChain(simulator, bytes);
  });

  test("isolates dust beside change without cutting the payment", async () => {
    const { vtxos } = await simulator.pay(address, { amountsSats: [100n], changeSats: 5_000n });
    expect(vtxos.map(({ amountSats }) => amountSats)).toEqual([100n]);
    await validateOverChain(simulator, vtxos[0]?.bytes ?? new Uint8Array());
  });

  test("refuses amounts that dust isolation would cut", async () => {
    const request = { amountsSats: [900n, 100n], perCoin: 2 };
    await expect(simulator.pay(address, request)).rejects.toMatchObject({ code: "AMOUNT_INVALID" });
  });

  test("can hang from a transaction that is only in the mempool until a block is mined", async () => {
    const { vtxos } = await simulator.pay(address, { amountsSats: [1_000n], unconfirmedAnchor: true });
    const txid = vtxos[0]?.anchorTxid ?? "";
    expect(simulator.chain.transaction(txid)?.height).toBeNull();
    const tip = simulator.mine();
    expect(simulator.chain.transaction(txid)?.height).toBe(tip);
  });

  test("can make HTLC VTXOs, which a post refuses and a delivery does not", async () => {
    const policy = {
      kind: "server-htlc-receive-v1",
      userPubkey: wallet.userPubkey,
      paymentHash: new Uint8Array(32),
      htlcExpiryHeight: 300,
      htlcExpiryDelta: 40,
    } as const;
    await expect(simulator.pay(address, { amountsSats: [1_000n], policy })).rejects.toMatchObject({ code: "PAYMENT_REFUSED" });
    const created = await simulator.createPackage(address, { amountsSats: [1_000n], policy });
    const checkpoint = simulator.deliver(address, created);
    expect(simulator.mailbox(address).at(-1)).toMatchObject({ checkpoint, kind: "arkoor-receive" });
  });

  test("made ahead can be posted later, with every check of the server", async () => {
    const created = await simulator.createPackage(address, { amountsSats: [1_000n, 2_000n], perCoin: 2 });
    const checkpoint = await simulator.post(address, created);
    expect(simulator.mailbox(address).at(-1)).toMatchObject({ checkpoint, rows: created.map(({ id }) => ({ key: id })) });
    expect(await simulator.post(address, created)).toBeNull();
    await expect(simulator.post(address, [])).rejects.toMatchObject({ code: "PAYMENT_REFUSED" });
  });

  test("two at once do not disturb each other", async () => {
    const payments = await Promise.all([1n, 2n].map((amount) => simulator.pay(address, { amountsSats: [amount] })));
    expect(new Set(payments.map(({ checkpoint }) => checkpoint)).size).toBe(2);
    for (const { vtxos } of payments) await validateOverChain(simulator, vtxos[0]?.bytes ?? new Uint8Array());
  });
});

describe("bad requests are refused and leave nothing behind", () => {
  test.each([
    ["no amount", { amountsSats: [] }, "AMOUNT_INVALID"],
    ["an amount of 0", { amountsSats: [1n, 0n] }, "AMOUNT_INVALID"],
    ["negative change", { amountsSats: [1n], changeSats: -1n }, "AMOUNT_INVALID"],
    ["an even depth", { amountsSats: [1n], depth: 4 }, "OPTION_INVALID"],
    [
      "an index to spoil that there is not",
      { amountsSats: [1n], corrupt: [{ index: 1, how: "amount" as const }] },
      "OPTION_INVALID",
    ],
    ["too many VTXOs a coin", { amountsSats: [1n], perCoin: 5 }, "OPTION_INVALID"],
  ])("%s", async (_, request, code) => {
    const before = simulator.vtxos().length;
    await expect(simulator.pay(address, request)).rejects.toMatchObject({ name: "SimulatorError", code });
    expect(simulator.vtxos().length).toBe(before);
  });

  test.each([
    ["text that is no address", () => "tark1nonsense", "ADDRESS_INVALID"],
    ["a mailbox id of no point", () => "05".repeat(33), "ADDRESS_INVALID"],
    [
      "an address of another server",
      () => new TestWallet("x").address({ arkInfo: { ...simulator.arkInfo, serverPubkey: wallet.userPubkey } } as Simulator),
      "ADDRESS_FOREIGN",
    ],
  ])("%s", (_, target, code) => {
    expect(() => simulator.deliverUnknown(target())).toThrow(expect.objectContaining({ code }));
  });
});

describe("spoiled VTXOs", () => {
  let created: SimulatedVtxo;
  beforeAll(async () => {
    [created] = (await simulator.createPackage(address, { amountsSats: [1_000n] })) as [SimulatedVtxo];
  });

  test.each(CORRUPTIONS)("%s: the copy does not decode or does not validate, the original is left alone", async (how) => {
    const before = encodeHex(created.bytes);
    await expect(validateOverChain(simulator, corruptVtxo(created.bytes, how))).rejects.toMatchObject({ name: "ArkError" });
    expect(encodeHex(created.bytes)).toBe(before);
  });

  test("go into one message with good ones, past the checks of a post, and leave the server's copy whole", async () => {
    const request = { amountsSats: [1_000n, 2_000n], perCoin: 2, corrupt: [{ index: 1, how: "point" }] } as const;
    const { vtxos, checkpoint } = await simulator.pay(address, request);
    expect(simulator.mailbox(address).at(-1)).toMatchObject({ checkpoint, rows: vtxos.map(({ bytes }) => ({ bytes })) });
    await validateOverChain(simulator, vtxos[0]?.bytes ?? new Uint8Array());
    await expect(validateOverChain(simulator, vtxos[1]?.bytes ?? new Uint8Array())).rejects.toMatchObject({
      code: "POINT_MISMATCH",
    });
    await validateOverChain(simulator, simulator.vtxo(vtxos[1]?.id ?? "")?.bytes ?? new Uint8Array());
    expect(simulator.sent.at(-1)?.vtxos.map(({ corruption }) => corruption)).toEqual([null, "point"]);
  });
});

test("the same seed and the same calls give the same bytes, another seed gives others", async () => {
  const run = async (seed: string) => {
    await using twin = await startSimulator({ seed, now: () => 1_800_000_000_000 });
    const recipient = wallet.address(twin);
    const { checkpoint, vtxos } = await twin.pay(recipient, { amountsSats: [1_000n, 500n], perCoin: 2 });
    return [checkpoint, ...vtxos.map(({ bytes }) => encodeHex(bytes))];
  };
  const [first, again, other] = [await run("one"), await run("one"), await run("two")];
  expect(again).toEqual(first);
  expect(other.slice(1).filter((bytes) => first.includes(bytes))).toEqual([]);
});

test("the bytes of a package follow from seed, number and request, not from what went on before", async () => {
  const second = async (first: PackageRequest) => {
    await using twin = await startSimulator({ seed: "one" });
    await twin.createPackage(wallet.address(twin), first);
    const [created] = await twin.createPackage(wallet.address(twin), { amountsSats: [7n] });
    return encodeHex(created?.bytes ?? new Uint8Array());
  };
  expect(await second({ amountsSats: [1n, 2n], perCoin: 2 })).toBe(await second({ amountsSats: [3n] }));
});

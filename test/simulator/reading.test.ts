import { Status } from "nice-grpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MailboxMessage } from "../../proto/generated/mailbox_server.ts";
import type { Simulator } from "../../simulator/index.ts";
import { connect, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
beforeAll(async () => {
  ({ simulator } = await startTestSimulator({ pageLimit: 10 }));
});
afterAll(() => simulator.stop());

/** Encodings that decode as nothing, which reading does not look at. */
function blobs(count: number, tag = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Uint8Array.of(tag, i));
}

function items(message: MailboxMessage | undefined): number {
  return message?.message?.$case === "arkoor" ? message.message.value.vtxos.length : 0;
}

async function read(wallet: TestWallet, checkpoint = 0n) {
  using client = connect(simulator);
  return await client.mailbox.readMailbox(wallet.request(checkpoint));
}

test("a mailbox that nobody posted to is an empty page", async () => {
  expect(await read(new TestWallet("empty"))).toEqual({ messages: [], haveMore: false });
});

test("the VTXOs of one post are one message, and a page starts strictly after the position", async () => {
  const wallet = new TestWallet("strict");
  const [first, second] = [simulator.deliver(wallet.mailboxHex, blobs(3, 1)), simulator.deliver(wallet.mailboxHex, blobs(2, 2))];
  const page = await read(wallet);
  expect(page.messages.map(({ checkpoint }) => checkpoint)).toEqual([first, second]);
  expect(page.messages.map(items)).toEqual([3, 2]);
  expect((await read(wallet, first)).messages.map(({ checkpoint }) => checkpoint)).toEqual([second]);
  expect((await read(wallet, first - 1n)).messages.length).toBe(2);
  expect((await read(wallet, second)).messages).toEqual([]);
});

test("single-item messages fill a page exactly, and have_more counts them", async () => {
  const wallet = new TestWallet("singles");
  for (let i = 0; i < 10; i++) simulator.deliver(wallet.mailboxHex, blobs(1, i));
  const page = await read(wallet);
  expect([page.messages.length, page.haveMore]).toEqual([10, true]);
  expect(await read(wallet, page.messages.at(-1)?.checkpoint)).toEqual({ messages: [], haveMore: false });
});

test("consequence (a): a message of several items makes have_more false although rows remain", async () => {
  const wallet = new TestWallet("a");
  simulator.deliver(wallet.mailboxHex, blobs(2));
  for (let i = 0; i < 12; i++) simulator.deliver(wallet.mailboxHex, blobs(1, i));
  const page = await read(wallet);
  expect([page.messages.length, page.haveMore]).toEqual([9, false]);
  expect((await read(wallet, page.messages.at(-1)?.checkpoint)).messages.length).toBe(4);
});

describe("consequence (b): the last message of a full page is cut", () => {
  const wallet = new TestWallet("b");
  beforeAll(() => {
    simulator.deliver(wallet.mailboxHex, blobs(9, 1));
    simulator.deliver(wallet.mailboxHex, blobs(10, 2));
  });

  test("down to a single item, and the rest is behind no later position", async () => {
    const page = await read(wallet);
    expect(page.messages.map(items)).toEqual([9, 1]);
    expect((await read(wallet, page.messages.at(-1)?.checkpoint)).messages).toEqual([]);
  });

  test("and reading from just before it returns it whole", async () => {
    const cut = (await read(wallet)).messages.at(-1)?.checkpoint ?? 0n;
    expect((await read(wallet, cut - 1n)).messages.map(items)).toEqual([10]);
  });
});

test("a request with the top bit set reads as negative and returns everything", async () => {
  const wallet = new TestWallet("top bit");
  simulator.deliver(wallet.mailboxHex, blobs(1));
  expect((await read(wallet, 1n << 63n)).messages.length).toBe(1);
  expect((await read(wallet, (1n << 63n) - 1n)).messages.length).toBe(0);
});

test("one global sequence: positions of different mailboxes ascend and stay apart", async () => {
  const [a, b] = [new TestWallet("global a"), new TestWallet("global b")];
  const positions = [a, b, a, b].map((wallet) => simulator.deliver(wallet.mailboxHex, blobs(1)));
  expect((await read(a)).messages.map(({ checkpoint }) => checkpoint)).toEqual([positions[0], positions[2]]);
  expect((await read(b)).messages.map(({ checkpoint }) => checkpoint)).toEqual([positions[1], positions[3]]);
  expect(positions).toEqual(positions.toSorted((x, y) => (x < y ? -1 : 1)));
});

test("an unknown kind arrives with its position and no known member", async () => {
  const wallet = new TestWallet("unknown");
  const checkpoint = simulator.deliverUnknown(wallet.mailboxHex, 99);
  expect((await read(wallet)).messages).toEqual([{ checkpoint, message: undefined }]);
});

test("every known kind is delivered as it was given", async () => {
  const wallet = new TestWallet("kinds");
  const hash = new Uint8Array(32).fill(7);
  const messages: MailboxMessage["message"][] = [
    { $case: "roundParticipationCompleted", value: { unlockHash: hash, paymentHashes: [hash] } },
    { $case: "incomingLightningPayment", value: { paymentHash: hash, amountMsat: 1_000n } },
    { $case: "lightningSendFinished", value: { paymentHash: hash, preimage: hash } },
    { $case: "recoveryVtxoIds", value: { vtxoIds: [new Uint8Array(36)] } },
  ];
  for (const message of messages) simulator.deliverMessage(wallet.mailboxHex, message);
  const page = await read(wallet);
  expect(page.messages.map(({ message }) => message?.$case)).toEqual(messages.map((message) => message?.$case));
  expect([
    ...(page.messages[2]?.message?.$case === "lightningSendFinished" ? (page.messages[2].message.value.preimage ?? []) : []),
  ]).toEqual([...hash]);
});

test("an empty package is one message without items", async () => {
  const wallet = new TestWallet("empty package");
  const checkpoint = simulator.deliver(wallet.mailboxHex, []);
  expect((await read(wallet)).messages).toEqual([{ checkpoint, message: { $case: "arkoor", value: { vtxos: [] } } }]);
});

test("faults change the page limit and the word on more pages", async () => {
  const wallet = new TestWallet("faults");
  simulator.deliver(wallet.mailboxHex, blobs(5));
  simulator.faults.pageLimit = 2;
  simulator.faults.haveMore = "always";
  expect((await read(wallet)).messages.map(items)).toEqual([2]);
  expect((await read(wallet)).haveMore).toBe(true);
  simulator.faults.pageLimit = 1;
  simulator.faults.haveMore = "never";
  expect((await read(wallet)).haveMore).toBe(false);
  simulator.faults.clear();
  expect((await read(wallet)).messages.map(items)).toEqual([5]);
});

test("a refused read and a lost answer leave the mailbox as it was", async () => {
  const wallet = new TestWallet("lost");
  simulator.deliver(wallet.mailboxHex, blobs(1));
  simulator.faults.failNext("ReadMailbox", Status.INTERNAL);
  simulator.faults.loseNext("ReadMailbox", 1, Status.DEADLINE_EXCEEDED);
  await refusal(read(wallet), Status.INTERNAL);
  await refusal(read(wallet), Status.DEADLINE_EXCEEDED);
  expect((await read(wallet)).messages.length).toBe(1);
});

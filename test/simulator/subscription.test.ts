import { Status } from "nice-grpc";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { MailboxMessage } from "../../proto/generated/mailbox_server.ts";
import type { Simulator } from "../../simulator/index.ts";
import { connect, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
beforeAll(async () => {
  ({ simulator } = await startTestSimulator({ pageLimit: 10 }));
});
afterEach(async () => {
  simulator.faults.clear();
  await subscribed(0);
});
afterAll(() => simulator.stop());

function blobs(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Uint8Array.of(i));
}

/** An open subscription that is read message by message. */
class Reader implements Disposable {
  readonly #client: ReturnType<typeof connect>;
  readonly #stream: AsyncIterator<MailboxMessage, undefined>;
  readonly #abort = new AbortController();
  /** The stream opens with its first read, so that is made at once. */
  #ahead: Promise<IteratorResult<MailboxMessage, undefined>>;

  constructor(wallet: TestWallet, checkpoint = 0n) {
    this.#client = connect(simulator);
    const { signal } = this.#abort;
    this.#stream = this.#client.mailbox.subscribeMailbox(wallet.request(checkpoint), { signal })[Symbol.asyncIterator]();
    this.#ahead = this.#read();
  }

  next(): Promise<IteratorResult<MailboxMessage, undefined>> {
    const next = this.#ahead;
    this.#ahead = this.#read();
    return next;
  }

  #read(): Promise<IteratorResult<MailboxMessage, undefined>> {
    const next = this.#stream.next();
    next.catch(() => undefined);
    return next;
  }

  async take(count: number): Promise<bigint[]> {
    const checkpoints: bigint[] = [];
    while (checkpoints.length < count) checkpoints.push((await this.next()).value?.checkpoint ?? 0n);
    return checkpoints;
  }

  /** Whether nothing arrives while the server has every chance to send. */
  async isSilent(): Promise<boolean> {
    let arrived = false;
    this.#ahead.then(
      () => {
        arrived = true;
      },
      () => undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
    return !arrived;
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    this.#client.close();
  }
}

/** Waits until the server has registered the open streams. */
async function subscribed(count = 1): Promise<void> {
  await expect.poll(() => simulator.counters().openSubscriptions).toBe(count);
}

test("catches up over several pages, then goes live", async () => {
  const wallet = new TestWallet("catch up");
  const backlog = Array.from({ length: 25 }, () => simulator.deliver(wallet.mailboxHex, blobs(1)));
  using reader = new Reader(wallet);
  expect(await reader.take(25)).toEqual(backlog);
  const live = simulator.deliver(wallet.mailboxHex, blobs(2));
  expect(await reader.take(1)).toEqual([live]);
});

test("starts strictly after the requested position", async () => {
  const wallet = new TestWallet("strict");
  const [first, second] = [simulator.deliver(wallet.mailboxHex, blobs(1)), simulator.deliver(wallet.mailboxHex, blobs(1))];
  using reader = new Reader(wallet, first);
  expect(await reader.take(1)).toEqual([second]);
});

test("a burst while the client waits arrives whole and in order, although notices collapse", async () => {
  const wallet = new TestWallet("burst");
  using reader = new Reader(wallet);
  const first = reader.take(1);
  await subscribed();
  const burst = Array.from({ length: 30 }, () => simulator.deliver(wallet.mailboxHex, blobs(1)));
  expect([...(await first), ...(await reader.take(29))]).toEqual(burst);
});

test("consequence (a): a backlog behind a message of several items stalls until the next notice", async () => {
  const wallet = new TestWallet("stall");
  simulator.deliver(wallet.mailboxHex, blobs(2));
  const rest = Array.from({ length: 12 }, () => simulator.deliver(wallet.mailboxHex, blobs(1)));
  using reader = new Reader(wallet);
  expect((await reader.take(9)).slice(1)).toEqual(rest.slice(0, 8));
  expect(await reader.isSilent()).toBe(true);
  const wake = simulator.deliver(wallet.mailboxHex, blobs(1));
  expect(await reader.take(5)).toEqual([...rest.slice(8), wake]);
});

test("posts to another mailbox do not reach it", async () => {
  const wallet = new TestWallet("mine");
  using reader = new Reader(wallet);
  await subscribed();
  simulator.deliver(new TestWallet("theirs").mailboxHex, blobs(1));
  expect(await reader.isSilent()).toBe(true);
});

test("opened with the top bit set: everything that is there, or silence for ever", async () => {
  const wallet = new TestWallet("top bit");
  const silent = new TestWallet("top bit on an empty mailbox");
  const there = simulator.deliver(wallet.mailboxHex, blobs(1));
  using reader = new Reader(wallet, 1n << 63n);
  using silentReader = new Reader(silent, 1n << 63n);
  expect(await reader.take(1)).toEqual([there]);
  const later = simulator.deliver(wallet.mailboxHex, blobs(1));
  expect(await reader.take(1)).toEqual([later]);
  await subscribed(2);
  simulator.deliver(silent.mailboxHex, blobs(1));
  expect(await silentReader.isSilent()).toBe(true);
});

test("dropped notices leave a stream silent until the next one that is not dropped", async () => {
  const wallet = new TestWallet("dropped");
  using reader = new Reader(wallet);
  await subscribed();
  simulator.faults.dropNotices = true;
  const dropped = simulator.deliver(wallet.mailboxHex, blobs(1));
  expect(await reader.isSilent()).toBe(true);
  simulator.faults.dropNotices = false;
  const announced = simulator.deliver(wallet.mailboxHex, blobs(1));
  expect(await reader.take(2)).toEqual([dropped, announced]);
});

test("cut streams end with the status asked for, ended streams with OK", async () => {
  const wallet = new TestWallet("cut");
  using cut = new Reader(wallet);
  using cutLater = new Reader(wallet);
  const broken = [cut.next(), cutLater.next()];
  await subscribed(2);
  simulator.faults.cutStreams(Status.INTERNAL);
  for (const next of broken) await refusal(next, Status.INTERNAL);
  using ended = new Reader(wallet);
  const end = ended.next();
  await subscribed();
  simulator.faults.endStreams();
  expect(await end).toEqual({ done: true, value: undefined });
  await subscribed(0);
});

test("a client that goes away frees its stream", async () => {
  const reader = new Reader(new TestWallet("gone"));
  const next = reader.next().catch(() => "gone");
  await subscribed();
  reader[Symbol.dispose]();
  expect(await next).toBe("gone");
  await subscribed(0);
});

test("a message repeated with its old position reaches only the streams that are open", async () => {
  const wallet = new TestWallet("repeat");
  using reader = new Reader(wallet);
  const first = simulator.deliver(wallet.mailboxHex, blobs(3));
  const second = simulator.deliverUnknown(wallet.mailboxHex);
  expect(await reader.take(2)).toEqual([first, second]);
  expect(simulator.redeliver(first, { position: "same" })).toBeNull();
  expect(simulator.redeliver(second, { position: "same" })).toBeNull();
  expect(await reader.take(2)).toEqual([first, second]);
  using later = new Reader(wallet);
  expect(await later.take(2)).toEqual([first, second]);
});

test("a message repeated under a new position is a new message with the same content", async () => {
  const wallet = new TestWallet("repeat under a new position");
  const first = simulator.deliver(wallet.mailboxHex, blobs(3));
  const unknown = simulator.deliverUnknown(wallet.mailboxHex);
  const again = [simulator.redeliver(first), simulator.redeliver(unknown)];
  using reader = new Reader(wallet);
  expect(await reader.take(4)).toEqual([first, unknown, ...again]);
  expect(() => simulator.redeliver(5n)).toThrow(expect.objectContaining({ code: "UNKNOWN_MESSAGE" }));
});

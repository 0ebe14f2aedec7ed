import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { Heartwood, type History as Told } from "heartwood";
import { Subject } from "rxjs";
import { expect, onTestFinished, test, vi } from "vitest";
import { History } from "../../engine/history.ts";
import { createMemoryLog } from "../../store/index.ts";
import type { Hello } from "../../visualizer/feed.ts";
import { HistoryFeed } from "../../visualizer/history-feed.ts";
import { serve } from "../../visualizer/host.ts";
import { type InlineOptions, inlineLog } from "../../visualizer/inline-log.ts";
import type { Inlined } from "../../visualizer/inlined.ts";
import { Viewers } from "../../visualizer/viewers.ts";
import { rangeOf } from "../../visualizer/write-page.ts";
import { Talkative } from "./talkative.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));
const MIB = 1024 * 1024;

/** A feed that says nothing of itself until it may. */
class SlowFeed extends HistoryFeed {
  asked = 0;
  goOn = (): void => {};
  readonly #mayGoOn = new Promise<void>((resolve) => (this.goOn = resolve));

  override async hello(): Promise<Hello> {
    this.asked++;
    await this.#mayGoOn;
    return super.hello();
  }
}

async function served() {
  const feed = new SlowFeed(await Heartwood.history(GOLDEN), "x");
  const inspection = await serve(feed);
  onTestFinished(() => inspection.close());
  const { hash, origin } = new URL(inspection.url);
  const headers = { authorization: `Bearer ${hash.slice("#token=".length)}` };
  const ask = (more: Record<string, string> = {}) => fetch(`${origin}/api/hello`, { headers: { ...headers, ...more } });
  return { feed, port: inspection.port, ask };
}

test("16 questions are answered at once, and another one is told to come again", async () => {
  const { feed, ask } = await served();
  const answers = Array.from({ length: 16 }, () => ask());
  await vi.waitUntil(() => feed.asked === 16, 10_000);
  const refused = await ask();
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: "BUSY" }]);
  feed.goOn();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(new Array(16).fill(200));
  expect((await ask()).status).toBe(200);
});

test("64 connections are there at a time, and another one is closed unanswered", async () => {
  const { port } = await served();
  const connected = async (): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket.resume();
  };
  const sockets = await Promise.all(Array.from({ length: 64 }, connected));
  const another = await connected();
  if (!another.closed) await once(another, "close");
  expect([another.bytesRead, sockets.filter(({ closed }) => closed).length]).toEqual([0, 0]);
});

test("8 KiB of headers are read, and no more", async () => {
  const { feed, ask } = await served();
  feed.goOn();
  expect((await ask({ x: "x".repeat(7_800) })).status).toBe(200);
  await expect(ask({ x: "x".repeat(8_192) })).rejects.toThrow("fetch failed");
});

test("a question is for 500 records and 2,000 points of a line at most", async () => {
  await using history = await Heartwood.history(GOLDEN);
  await history.over();
  const feed = new HistoryFeed(history, "x");
  const about = (members: Record<string, number>) => new Map(Object.entries(members).map(([name, value]) => [name, `${value}`]));
  await expect(feed.records(about({ from: 1, to: 501 }))).rejects.toThrow("expected at most 500 records");
  await expect(feed.records(about({ from: 1, to: 500 }))).rejects.not.toThrow("expected at most 500 records");
  await expect(feed.series(about({ from: 1, to: 2, points: 2_001 }))).rejects.toThrow("expected 1 to 2000 points");
  expect((await feed.series(about({ from: 1, to: 2, points: 2_000 }))).points.length).toBeGreaterThan(0);
});

/** Of a log of so many messages. */
async function historyOf(messages: number): Promise<History> {
  const log = await createMemoryLog().open();
  await new Talkative(log).receive(messages);
  const grown = async () => false;
  const history = History.of({ log: () => log, isLive: false, isShared: false, grown, [Symbol.asyncDispose]: () => log.close() });
  await history.over();
  return history;
}

/** What a page takes along. */
async function inlined(feed: HistoryFeed, options: InlineOptions): Promise<Inlined> {
  let text = "";
  for await (const piece of inlineLog(feed, options)) text += piece;
  return JSON.parse(text);
}

test("a page takes along 250,000,000 characters of records at most, and the refusal says which would fit", async () => {
  await using history = await historyOf(20);
  const feed = new HistoryFeed(history, "x");
  const records = await inlined(feed, { from: 1n, to: 20n }).then((page) => page.records);
  const three = records.slice(0, 3).reduce((sum, record) => sum + JSON.stringify(record).length + 1, 0);
  await expect(inlined(feed, { from: 1n, to: 20n, mostCharacters: three })).rejects.toMatchObject({
    code: "BAD_OPTION",
    message: `expected records with ${three} characters in all at most, which a page can hold, got more in 1 to 20: 1 to 3 fit`,
  });
});

test("a page takes along the stories of the 200 things that were mentioned last", async () => {
  await using history = await historyOf(201);
  const { stories } = await inlined(new HistoryFeed(history, "x"), { from: 1n, to: history.progress.head });
  expect([stories.length, stories[0]?.id, stories.at(-1)?.id]).toEqual([200, "201", "2"]);
});

test("a page in one file has 100,000 records at most, and the last 20,000 unless others are asked for", () => {
  expect(rangeOf({}, 200_000n)).toEqual({ from: 180_001n, to: 200_000n });
  expect(rangeOf({ from: 1n, to: 100_000n }, 200_000n)).toEqual({ from: 1n, to: 100_000n });
  expect(() => rangeOf({ from: 1n, to: 100_001n }, 200_000n)).toThrow(expect.objectContaining({ code: "BAD_OPTION" }));
});

/** A page that listens, for which so much waits. */
function listener(writableLength = 0) {
  const heard: string[] = [];
  const write = (text: string) => heard.push(text);
  const page = { writableLength, heard, isGone: false, write, on: () => {}, destroy: () => (page.isGone = true) };
  return page;
}

test("four pages listen, 1 MiB may wait for each, and they hear at most every 100 ms how far reading has come", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const grew$ = new Subject<void>();
  const progress = { head: 0n, checked: 0n, total: 0n, differing: [], differingCount: 0, failure: null, isOver: false };
  const viewers = new Viewers({ progress, grew$ } as unknown as Told);
  onTestFinished(() => viewers.close());
  const pages = [listener(), listener(), listener(MIB), listener(MIB + 1)];
  for (const page of pages) {
    expect(viewers.isFull).toBe(false);
    viewers.add(page as unknown as ServerResponse);
  }
  expect(viewers.isFull).toBe(true);
  for (let head = 1n; head <= 20n; head++) {
    Object.assign(progress, { head, total: head });
    grew$.next();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(pages.map(({ isGone }) => isGone)).toEqual([false, false, false, true]);
  expect(viewers.count).toBe(3);
  expect(pages.map(({ heard }) => heard.length)).toEqual([3, 3, 3, 2]);
  expect(pages[0]?.heard.at(-1)).toMatch(/^event: progress\ndata: .*"head":"20",.*\n\n$/);
});

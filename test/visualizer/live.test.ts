import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { inspect } from "heartwood/visualizer";
import { expect, test } from "vitest";
import { History } from "../../engine/history.ts";
import { createMemoryLog } from "../../store/index.ts";
import type { Progress } from "../../visualizer/feed.ts";
import type { RecordRow } from "../../visualizer/feed-record.ts";
import { HttpFeed } from "../../visualizer/sources/http-feed.ts";
import { Viewers } from "../../visualizer/viewers.ts";
import { setUp } from "../engine/helpers.ts";
import { Talkative } from "./talkative.ts";

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
};

test("a page follows a running wallet, sees its money arrive, and hears that it was closed", async () => {
  const { simulator, wallet, address } = await setUp();
  const inspection = await inspect(wallet);
  const { hash, origin } = new URL(inspection.url);
  const feed = new HttpFeed(hash.slice("#token=".length), origin);
  const hello = await feed.hello();
  expect(hello).toMatchObject({ source: "live", network: "regtest" });
  const seen: RecordRow[] = [];
  const statuses: string[] = [];
  let progress: Progress = hello.progress;
  feed.follow({
    records: (rows) => seen.push(...rows),
    progress: (now) => (progress = now),
    status: (status) => statuses.push(status),
  });
  await until(() => statuses.length > 0);
  await simulator.pay(address, { amountsSats: [7_000n] });
  await wallet.sync();
  await until(() => progress.head === String(wallet.status().records));
  await until(() => seen.at(-1)?.seq === progress.head);
  expect(seen.map(({ seq }) => Number(seq))).toEqual(seen.map((_, at) => Number(hello.progress.head) + at + 1));
  expect(seen.find(({ type }) => type === "package.vetted")).toMatchObject({ after: "Applied", marks: ["received"] });
  const moment = await feed.moment(progress.head, ["vtxos"]);
  expect(moment.balance.total).toBe(String(wallet.balance().totalSats));
  expect(moment.vtxos?.rows.map(({ amountSats }) => amountSats)).toEqual(["7000"]);
  await wallet.close();
  await until(() => statuses.includes("ended"));
  expect(statuses).toEqual(["connected", "ended"]);
  await inspection.close();
  await expect(feed.hello()).rejects.toMatchObject({ code: "LOST" });
});

async function listening(viewers: Viewers): Promise<Server> {
  const server = createServer((_, response) => viewers.add(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

test("a page that does not take what is sent is let go, and the others go on", async () => {
  const log = await createMemoryLog().open();
  const life = new Talkative(log, 20_000);
  let known = 0n;
  const grown = async (signal: AbortSignal) => {
    await until(() => signal.aborted || log.head().seq > known);
    known = log.head().seq;
    return !signal.aborted;
  };
  const history = History.of({ log: () => log, isLive: true, isShared: false, grown, [Symbol.asyncDispose]: () => log.close() });
  const viewers = new Viewers(history);
  const server = await listening(viewers);
  const { port } = server.address() as AddressInfo;
  const ask = () =>
    connect(port, "127.0.0.1")
      .on("error", () => {})
      .setEncoding("utf8");
  const [slow, quick] = [ask(), ask()];
  let told = "";
  quick.on("data", (text: string) => (told = `${told}${text}`.slice(-200)));
  for (const socket of [slow, quick]) socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  slow.pause();
  await until(() => viewers.count === 2);
  for (let batch = 0; viewers.count === 2; batch++) {
    expect(batch, "batches until the slow one was let go").toBeLessThan(60);
    await life.receive(40);
    const { seq } = log.head();
    await until(() => told.includes(`"head":"${seq}"`));
  }
  expect(viewers.count).toBe(1);
  expect(quick.destroyed).toBe(false);
  viewers.close();
  slow.destroy();
  quick.destroy();
  server.close();
  await history[Symbol.asyncDispose]();
});

test("an answer that breaks off is told as a lost host, not as bad text", async () => {
  const host = createServer((_request, response) => {
    response.writeHead(200, { "Content-Length": "100" }).write('{"seq":');
    setTimeout(() => response.destroy(), 10);
  });
  await once(host.listen(0, "127.0.0.1"), "listening");
  try {
    const source = new HttpFeed("token", `http://127.0.0.1:${(host.address() as AddressInfo).port}`);
    await expect(source.record("1")).rejects.toMatchObject({ code: "LOST" });
  } finally {
    host.close();
  }
});

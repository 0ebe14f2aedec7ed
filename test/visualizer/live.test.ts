import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "heartwood/visualizer";
import { expect, test } from "vitest";
import type { Progress } from "../../visualizer/feed.ts";
import { HttpFeed } from "../../visualizer/sources/http-feed.ts";
import { setUp } from "../engine/helpers.ts";

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
  const statuses: string[] = [];
  let progress: Progress = hello.progress;
  feed.follow({
    progress: (now) => (progress = now),
    status: (status) => statuses.push(status),
  });
  await until(() => statuses.length > 0);
  await simulator.pay(address, { amountsSats: [7_000n] });
  await wallet.sync();
  await until(() => progress.head === String(wallet.status().records));
  const seen = await feed.records(String(Number(hello.progress.head) + 1), progress.head);
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

import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Heartwood, type History } from "heartwood";
import { writePage } from "heartwood/visualizer";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FeedSource } from "../../visualizer/feed.ts";
import type { Moment } from "../../visualizer/feed-moment.ts";
import type { RecordDetail, RecordRow } from "../../visualizer/feed-record.ts";
import { HistoryFeed } from "../../visualizer/history-feed.ts";
import { FileFeed } from "../../visualizer/sources/file-feed.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));
const FROM = 41;

let directory: string;
let history: History;
let feed: HistoryFeed;
let page: string;
let file: FeedSource;
let head: number;

const about = (members: Record<string, string | number>) =>
  new Map(Object.entries(members).map(([name, value]) => [name, String(value)] as const));

/** Records before the range are not in the file. */
function withoutWhatIsBefore(detail: RecordDetail): RecordDetail {
  return { ...detail, previous: Number(detail.previous ?? 0) < FROM ? null : detail.previous };
}

const ALL = ["instances", "vtxos", "movements", "quarantine", "outbox"] as const;
const momentOf = async (seq: number) => (await feed.moment(about({ seq, tables: ALL.join() }))) as Moment;
const momentInFile = async (seq: number) => (await file.moment(String(seq), ALL)) as Moment;

/** Rows in any order, and without the places of pages, which are the source's own. */
function comparable(moment: Moment) {
  const sorted = ({ total, rows }: Moment["vtxos"] | Moment["instances"] | Moment["movements"]) => ({
    total,
    rows: rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort(),
  });
  const { instances, vtxos, movements, quarantine, outbox, last: _, ...rest } = moment;
  const others = { quarantine: quarantine.rows, outbox: outbox.rows };
  return { ...rest, instances: sorted(instances), vtxos: sorted(vtxos), movements: sorted(movements), ...others };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "heartwood-page-"));
  history = await Heartwood.history(GOLDEN);
  await history.over();
  head = Number(history.progress.head);
  feed = new HistoryFeed(history, "wallet.export");
  const path = join(directory, "page.html");
  expect(await writePage(GOLDEN, path, { from: BigInt(FROM) })).toEqual({ from: BigInt(FROM), to: BigInt(head) });
  page = await readFile(path, "utf8");
  const [, data = ""] = /<script type="application\/octet-stream" id="heartwood-data">([^<]*)</.exec(page) ?? [];
  file = new FileFeed(data);
});

afterAll(async () => {
  await history[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

test("one file says of every record and every moment of its range what the log says", async () => {
  for (let seq = FROM; seq <= head; seq++) {
    const asked = about({ seq });
    expect(withoutWhatIsBefore(await file.record(String(seq))), `record ${seq}`).toEqual(
      withoutWhatIsBefore(await feed.record(asked)),
    );
    expect(comparable(await momentInFile(seq)), `moment ${seq}`).toEqual(comparable(await momentOf(seq)));
  }
  expect((await momentInFile(head)).last).toEqual((await momentOf(head)).last);
  expect(comparable(await momentInFile(FROM - 1))).toEqual(comparable(await momentOf(FROM - 1)));
  const { instances, vtxos } = await file.moment(String(head), ["vtxos"]);
  expect([instances, vtxos], "only the tables that were asked for, which a long file works out from all its records").toEqual([
    undefined,
    (await momentInFile(head)).vtxos,
  ]);
});

test("jumps, series, lists and stories are the same as from the log", async () => {
  expect(await file.hello()).toMatchObject({ source: "file", first: String(FROM), progress: { head: String(head) } });
  const rows = await file.records(String(FROM), String(head));
  expect(rows).toEqual(await feed.records(about({ from: FROM, to: head })));
  for (const mark of ["halt", "received", "redelivery", "finished"] as const) {
    const search = { from: String(head), direction: "backward", mark } as const;
    const found = (await feed.find(about(search))) as RecordRow | null;
    if (found === null || Number(found.seq) >= FROM) expect(await file.find(search), mark).toEqual(found);
  }
  const range = { from: FROM, to: head, points: 20 };
  expect(await file.series(String(FROM), String(head), 20)).toEqual(await feed.series(about(range)));
  const mentioned: string[] = [];
  for (let seq = FROM; seq <= head; seq++) mentioned.push(...(await file.record(String(seq))).mentions.map(({ id }) => id));
  const id = mentioned.at(-1) ?? "";
  expect(await file.explain(id)).toEqual(await feed.explain(about({ id })));
  await expect(file.explain("nothing of the kind")).rejects.toMatchObject({ code: "NOT_IN_FILE" });
  await expect(file.record(String(FROM - 1))).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
});

test("the file is the owner's, loads nothing, and lets no script run but its own", async () => {
  expect(((await stat(join(directory, "page.html"))).mode & 0o777).toString(8)).toBe("600");
  expect(page).not.toMatch(/<link|src=|https?:\/\/(?!www\.w3\.org)/);
  const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^']*'; style-src 'sha256-[^']*';/);
  const hashOf = (text = "") => createHash("sha256").update(text).digest("base64");
  expect(policy).toContain(hashOf(/<script type="module">([\s\S]*?)<\/script>/.exec(page)?.[1]));
  expect(policy).toContain(hashOf(/<style>([\s\S]*?)<\/style>/.exec(page)?.[1]));
  expect(page.match(/<\/script>/g)).toHaveLength(2);
});

test("a file that is there, a folder that is not, and each wrong range are named in the refusal", async () => {
  const other = join(directory, "other.html");
  const refusals: readonly (readonly [string, { from?: bigint; to?: bigint }, string])[] = [
    [join(directory, "page.html"), {}, "one that is there already"],
    [join(directory, "none", "page.html"), {}, "one in a folder that is not there"],
    [other, { from: 0n }, "a first record from 1 on, got 0"],
    [other, { to: 999_999n }, `a last record up to ${head}, the end of the log, got 999999`],
    [other, { from: 999_999n }, `a first record up to ${head}, the end of the log, got 999999`],
    [other, { from: 9n, to: 2n }, "a first record that is not behind the last, got 9 to 2"],
  ];
  for (const [path, range, words] of refusals) {
    const refused = await writePage(GOLDEN, path, range).catch((error: unknown) => error);
    expect(refused, words).toMatchObject({ code: "BAD_OPTION", message: expect.stringContaining(words) });
  }
  expect((await readdir(directory)).sort()).toEqual(["page.html"]);
});

test("damaged data is said to be so", async () => {
  await expect(new FileFeed("AAAA").hello()).rejects.toMatchObject({ code: "BAD_FILE" });
});

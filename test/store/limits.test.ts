import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Record } from "../../proto/generated/log.ts";
import { linesOf } from "../../store/export-lines.ts";
import { createLevelLog, measureLog, openLevelLog } from "../../store/index.ts";
import { collect } from "../../store/owner-client.ts";
import { OwnerService } from "../../store/owner-service.ts";
import { addressOf } from "../../store/owner-socket.ts";
import { Stranded } from "../../store/salvage-report.ts";
import { freshDirectory, refusal } from "./helpers.ts";

const MIB = 1024 * 1024;

test("a line of an export has 256 MiB at most", async () => {
  const piece = Buffer.alloc(16 * MIB, 0x78);
  const read = async (more: string): Promise<void> => {
    async function* content() {
      for (let i = 0; i < 16; i++) yield piece;
      yield Buffer.from(more);
    }
    for await (const _ of linesOf(content())) throw new Error("expected no line without an end");
  };
  expect((await refusal(read(""))).message).toBe("expected an export that ends with a line feed, got a cut one");
  expect((await refusal(read("x"))).message).toBe("expected lines of at most 268435456 bytes, got a longer one");
});

test("an answer of an owner has 512 MiB at most", async () => {
  const piece = Buffer.alloc(16 * MIB);
  const read = async (more: number): Promise<unknown> => {
    async function* answer() {
      for (let i = 0; i < 32; i++) yield piece;
      yield piece.subarray(0, more);
      throw new Error("read to its end");
    }
    return collect(answer()).catch((error: Error) => error.message);
  };
  expect(await read(0)).toBe("read to its end");
  expect(await read(1)).toBe("expected an answer of at most 536870912 bytes, got more");
});

test("a log's growth is told in 24 periods at most, longer ones where there are more", async () => {
  const directory = join(await freshDirectory(), "wallet");
  await createLevelLog(directory);
  const minute = (seq: bigint, epoch: bigint) =>
    Record.encode(
      Record.fromPartial({ seq, epoch, machine: "test", instance: "test/1", type: "x", atMs: seq * 60_000n }),
    ).finish();
  const append = async (...seqs: bigint[]): Promise<void> => {
    await using log = await openLevelLog(directory);
    const { epoch } = log.head();
    await log.append({ epoch, expectedSeq: seqs[0] ?? 0n, bodies: seqs.map((seq) => minute(seq, epoch)) });
  };
  const measured = async () => {
    const { periodMs, growth } = await measureLog(directory);
    return [periodMs / 60_000, growth.length];
  };
  await append(...Array.from({ length: 24 }, (_, i) => BigInt(i) + 1n));
  expect(await measured()).toEqual([1, 24]);
  await append(25n);
  expect(await measured()).toEqual([10, 3]);
});

test("what is stranded is told in 1,000 ranges, the last of which takes in all others", () => {
  const stranded = new Stranded();
  const record = Record.fromPartial({ machine: "test", type: "x" });
  for (let range = 1n; range <= 1_000n; range++) stranded.note(range * 10n, record);
  expect(stranded.ranges()).toHaveLength(1_000);
  stranded.note(20_000n, record);
  const ranges = stranded.ranges();
  expect([ranges.length, ranges.at(-1)]).toEqual([
    1_000,
    { from: 10_000n, to: 20_000n, kinds: [{ machine: "test", type: "x", records: 2 }] },
  ]);
});

test("a path of 100 bytes is the address of its socket, and a longer one is led to by a link", async () => {
  const directory = await freshDirectory();
  const nameOf = (bytes: number): string => "s".repeat(bytes - Buffer.byteLength(directory) - 1);
  const fits = await addressOf(directory, nameOf(100));
  expect(fits.path).toBe(join(directory, nameOf(100)));
  const linked = await addressOf(directory, nameOf(101));
  expect([linked.path.startsWith(directory), basename(linked.path)]).toEqual([false, nameOf(101)]);
  await linked.release();
});

test("an owner has 32 connections at a time, and closes another one unanswered", async () => {
  const directory = await freshDirectory();
  const service = await OwnerService.offer(directory, {});
  onTestFinished(() => service.close());
  const address = await addressOf(directory);
  const connected = async (): Promise<Socket> => {
    const socket = createConnection({ path: address.path }).on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket.resume();
  };
  const sockets = await Promise.all(Array.from({ length: 32 }, connected));
  const another = await connected();
  await once(another, "close");
  expect([another.bytesRead, sockets.filter(({ closed }) => closed).length]).toEqual([0, 0]);
  await address.release();
});

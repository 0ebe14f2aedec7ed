import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  createLevelLog,
  exportLog,
  type FramedLog,
  importLog,
  measureLog,
  openLevelLog,
  salvageStore,
  verifyStore,
} from "../../store/index.ts";
import { logRoutes } from "../../store/log-routes.ts";
import { LiveLog, openToRead } from "../../store/open-to-read.ts";
import { OwnerClient } from "../../store/owner-client.ts";
import { OwnerService, type Routes } from "../../store/owner-service.ts";
import { addressOf } from "../../store/owner-socket.ts";
import { appendRecords, contents, freshDirectory, freshLog, recordBody, refusal, startOpener } from "./helpers.ts";

interface Live {
  readonly directory: string;
  readonly log: FramedLog;
  readonly service: OwnerService;
}

/** Longer than any test takes: who waits for that long waits for ever. */
const FOR_EVER_MS = 600_000;
/** Others have the machine as well: until all who are idle are cut off, a reader may have to come again for a while. */
const PATIENCE_MS = 20_000;
/** More records than one answer holds. */
const MANY = 1_100;

/** Appends many records in few commits. */
async function fill(log: FramedLog, count: number): Promise<void> {
  const { epoch, seq } = log.head();
  const bodies = Array.from({ length: count }, (_, i) => recordBody(seq + BigInt(i) + 1n, epoch));
  await Promise.all(
    Array.from({ length: Math.ceil(count / 500) }, (_, i) =>
      log.append({ epoch, expectedSeq: seq + BigInt(i * 500) + 1n, bodies: bodies.slice(i * 500, (i + 1) * 500) }),
    ),
  );
}

/** A log with some records whose owner, this process, answers. */
async function live(count = 20, directory?: string): Promise<Live> {
  const path = directory ?? (await freshLog());
  const log = await openLevelLog(path);
  await fill(log, count);
  const service = await offer(path, logRoutes(log));
  onTestFinished(async () => {
    await service.close();
    await log.close();
  });
  return { directory: path, log, service };
}

/** A directory with some records that nobody has open. */
async function filled(count: number): Promise<string> {
  const directory = await freshLog();
  await using log = await openLevelLog(directory);
  await fill(log, count);
  return directory;
}

async function offer(directory: string, routes: Routes, idleMs?: number): Promise<OwnerService> {
  const service = await OwnerService.offer(directory, routes, idleMs);
  onTestFinished(() => service.close());
  return service;
}

/** A connection to the owner of a directory that sends what it is told and reads nothing by itself. */
async function connected(directory: string, allowHalfOpen = false): Promise<Socket> {
  const address = await addressOf(directory);
  const socket = createConnection({ path: address.path, allowHalfOpen });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  await address.release();
  return socket;
}

/** All that comes back for a piece of text. */
async function answerTo(directory: string, text: string): Promise<string> {
  const socket = await connected(directory);
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  socket.write(text);
  await once(socket, "close");
  return answer;
}

/** A page of frames that is larger than what a socket takes in on its own. */
const LARGE = 8 * 1024 * 1024;

test("only its user can open the socket, and it is gone once the owner is", async () => {
  const { directory, service } = await live();
  const { mode } = await lstat(join(directory, "SOCKET"));
  expect([(mode & 0o777).toString(8), (await lstat(directory)).mode & 0o777]).toEqual(["600", 0o700]);
  expect((await readdir(directory)).sort()).toEqual(["HEAD", "HEARTWOOD", "OWNER", "SOCKET", "log"]);
  await service.close();
  expect(await readdir(directory)).not.toContain("SOCKET");
});

test("what a live owner tells is what a reader of the directory finds afterwards", async () => {
  const { directory, log, service } = await live(MANY);
  const file = join(await freshDirectory(), "live.export");
  const told = await openToRead(directory);
  expect(told).toBeInstanceOf(LiveLog);
  const [records, verified, statistics] = [await contents(told), await verifyStore(directory), await measureLog(directory)];
  await exportLog(directory, file);
  await told.close();
  await service.close();
  await log.close();

  await using read = await openToRead(directory);
  expect(read).not.toBeInstanceOf(LiveLog);
  expect(records).toEqual(await contents(read));
  await read.close();
  expect(verified).toEqual(await verifyStore(directory));
  const { directoryBytes: _, ...same } = await measureLog(directory);
  expect(statistics).toMatchObject(same);
  const copy = join(await freshDirectory(), "copy");
  expect(await importLog(file, copy)).toEqual(told.head());
});

test("a reader sees what was committed when it asked, however much is written meanwhile", async () => {
  const { directory, log } = await live(MANY);
  await using told = await openToRead(directory);
  const seen: bigint[] = [];
  let writing: Promise<void> | undefined;
  for await (const { seq } of told.read()) {
    seen.push(seq);
    writing ??= appendRecords(log, 20);
  }
  await writing;
  expect([seen.length, seen.at(-1), told.head().seq]).toEqual([MANY, BigInt(MANY), BigInt(MANY)]);
  await using later = await openToRead(directory);
  expect(later.head()).toEqual(log.head());
});

test("a verification goes on while the log grows, and names a damaged snapshot", async () => {
  const { directory, log } = await live(MANY);
  await log.saveSnapshot({ seq: 1_000n, parts: [new Uint8Array(10)] });
  let isOver = false;
  const growing = (async () => {
    while (!isOver) {
      await appendRecords(log, 5);
      await log.saveSnapshot({ seq: log.head().seq, parts: [new Uint8Array(10)] });
    }
  })();
  const steps: bigint[] = [];
  const { head, borne } = await verifyStore(directory, { onProgress: ({ seq }) => void steps.push(seq) });
  isOver = true;
  await growing;
  expect(steps.length).toBeGreaterThan(1);
  expect(steps.at(-1)).toBe(head.seq);
  expect(borne).toEqual([]);
  await writeFile(join(directory, "snapshots", "00000000000000000700"), "no snapshot");
  const later = await verifyStore(directory);
  expect(later.borne).toEqual([expect.objectContaining({ code: "SNAPSHOT_UNUSABLE", place: { file: "snapshots", seq: 700n } })]);
});

test("what the owner's log refuses reaches the reader with code and place", async () => {
  const { directory, log } = await live(5);
  const service = await offer(directory, {
    ...logRoutes(log),
    "/v1/frames": async () => {
      await log.get(9n);
      return "";
    },
  });
  await using told = await openToRead(directory, { verify: "needed" });
  const message = "expected a record from 1 to 5, got 9";
  expect(await refusal(contents(told))).toMatchObject({ name: "StoreError", code: "STORE_OUT_OF_RANGE", message });
  await service.close();
});

test("a changed frame is noticed by the reader, whatever the owner says", async () => {
  const { directory, log } = await live(5);
  const routes = logRoutes(log);
  await offer(directory, {
    ...routes,
    async "/v1/frames"(query, signal) {
      const page = (await routes["/v1/frames"]?.(query, signal)) as Uint8Array;
      page[page.length - 1] = (page.at(-1) ?? 0) ^ 1;
      return page;
    },
  });
  await using told = await openToRead(directory, { verify: "needed" });
  expect(await refusal(contents(told))).toMatchObject({ code: "STORE_BAD_FRAME", place: { seq: 5n } });
});

test.each([
  ["garbage", "hello\r\n\r\n", "400", "OWNER_BAD_REQUEST"],
  ["a header without an end", `GET /v1/head HTTP/1.1\r\nX: ${"x".repeat(4_200)}`, "400", "OWNER_BAD_REQUEST"],
  ["another method", "POST /v1/head HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", "400", "OWNER_BAD_REQUEST"],
  ["an unknown path", "GET /v9/pay HTTP/1.1\r\nHost: x\r\n\r\n", "404", "OWNER_UNKNOWN_ROUTE"],
  ["a number that is none", "GET /v1/frames?from=-1&to=2 HTTP/1.1\r\nHost: x\r\n\r\n", "400", "OWNER_BAD_REQUEST"],
  [
    "a number beyond all",
    "GET /v1/frames?from=1&to=99999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n",
    "400",
    "OWNER_BAD_REQUEST",
  ],
])("%s is answered with a typed refusal, and the owner goes on", async (_, text, status, code) => {
  const { directory } = await live();
  const answer = await answerTo(directory, text);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toMatchObject({ error: { code, message: expect.any(String) } });
  await using told = await openToRead(directory);
  expect(await contents(told)).toHaveLength(20);
});

test("an unknown path, a refusal of another kind and a strange answer count as no answer", async () => {
  const { directory, log, service } = await live();
  const { pid } = process;
  await service.close();
  await offer(directory, {});
  expect(await refusal(openToRead(directory))).toMatchObject({ code: "STORE_LOCKED", holder: { pid } });
  await offer(directory, { "/v1/head": async () => '{"logId": 5}' });
  expect(await refusal(openToRead(directory))).toMatchObject({ code: "STORE_LOCKED", holder: { pid } });
  await offer(directory, { ...logRoutes(log), "/v1/frames": async () => new Uint8Array(11) });
  await using told = await openToRead(directory, { verify: "needed" });
  expect(await refusal(contents(told))).toMatchObject({ code: "STORE_OWNER_LOST", retryable: true });
});

test("eight requests are answered at a time, and the ninth is told to come again", async () => {
  const directory = await freshDirectory();
  let running = 0;
  let most = 0;
  await offer(directory, {
    async "/v1/slow"() {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 30));
      running--;
      return "{}";
    },
  });
  const client = await OwnerClient.in(directory);
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.get("/v1/slow")));
  expect([answers.length, most]).toEqual([20, 8]);
});

test("twenty readers at once each get the whole log", async () => {
  const { directory, log } = await live(MANY);
  const expected = await contents(log);
  const read = async () => {
    await using told = await openToRead(directory);
    return await contents(told);
  };
  for (const records of await Promise.all(Array.from({ length: 20 }, read))) expect(records).toEqual(expected);
});

test("clients that read nothing are cut off, and neither commits nor other readers wait for them", async () => {
  const { directory, log } = await live();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const large = async () => {
    await released;
    return new Uint8Array(LARGE);
  };
  await offer(directory, { ...logRoutes(log), "/v1/large": large });
  const stuck = await Promise.all(Array.from({ length: 12 }, () => connected(directory)));
  for (const socket of stuck) socket.pause().write("GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n");
  await appendRecords(log, 5);
  release();
  await using told = await openToRead(directory, { patienceMs: PATIENCE_MS });
  expect(await contents(told)).toHaveLength(25);
});

test("clients that connect and say nothing are cut off", async () => {
  const { directory } = await live();
  const silent = await Promise.all(Array.from({ length: 32 }, () => connected(directory)));
  await using told = await openToRead(directory, { patienceMs: PATIENCE_MS });
  expect(await contents(told)).toHaveLength(20);
  await Promise.all(silent.map((socket) => socket.closed || once(socket.resume(), "close")));
});

const ASK = "GET /v1/head HTTP/1.1\r\nHost: x\r\n\r\n";

/** Lets a client be as it likes, more often than there are places; then others are answered, and closing waits for nobody. */
async function bearing(client: (socket: Socket) => Promise<void> | void): Promise<void> {
  const { directory, log, service } = await live();
  const routes = { ...logRoutes(log), "/v1/large": async () => new Uint8Array(LARGE) };
  await service.close();
  const owner = await offer(directory, routes);
  for (let i = 0; i < 10; i++) await client(await connected(directory));
  const told = await openToRead(directory, { patienceMs: PATIENCE_MS });
  expect(await contents(told)).toHaveLength(20);
  await told.close();
  await owner.close();
  const patient = await offer(directory, routes, FOR_EVER_MS);
  await client(await connected(directory));
  await patient.close();
}

test.each([2, 20])("of %i requests in one piece the first is answered, and nothing waits for the others", async (count) => {
  const { directory } = await live();
  const answer = await answerTo(directory, ASK.repeat(count));
  expect(answer.split("HTTP/1.1 200 OK")).toHaveLength(2);
  await bearing((socket) => void socket.write(ASK.repeat(count)));
});

test("a client that resets in the middle of an answer holds nothing up", async () => {
  await bearing(async (socket) => {
    socket.write("GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    // With bytes unread that is a reset.
    socket.pause().destroy();
  });
});

test("a client that ends its side, or half a request, holds nothing up", async () => {
  await bearing((socket) => void socket.end(ASK));
  await bearing((socket) => void socket.end(ASK.slice(0, 20)));
  await bearing((socket) => void socket.write(ASK.slice(0, 20)));
});

test("a client that goes on after a refusal is cut off", async () => {
  const { directory } = await live();
  const socket = await connected(directory, true);
  const sending = setInterval(() => socket.write("x"), 100);
  socket.resume().write("hello\r\n\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(sending);
});

test("an abort ends a request on both sides", async () => {
  const directory = await freshDirectory();
  const controller = new AbortController();
  const reason = new Error("enough");
  let ended: Promise<unknown> | undefined;
  await offer(directory, {
    "/v1/long": (_, signal) => {
      const aborted = new Promise<string>((resolve) => signal.addEventListener("abort", () => resolve("{}"), { once: true }));
      ended = aborted;
      controller.abort(reason);
      return aborted;
    },
  });
  const client = await OwnerClient.in(directory, { signal: controller.signal });
  await expect(client.get("/v1/long")).rejects.toBe(reason);
  expect(await ended).toBe("{}");
});

test("an owner that listens and never answers is STORE_LOCKED, naming it", async () => {
  const directory = await freshLog();
  await using _log = await openLevelLog(directory);
  const hung = createServer(() => undefined).listen(join(directory, "SOCKET"));
  await once(hung, "listening");
  const error = await refusal(openToRead(directory, { patienceMs: 200 }));
  expect(error).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid, readOnly: false } });
  hung.close();
});

test("an owner that offers nothing is STORE_LOCKED, naming it, at once", async () => {
  const directory = await freshLog();
  await using _log = await openLevelLog(directory);
  const error = await refusal(openToRead(directory, { patienceMs: FOR_EVER_MS }));
  expect(error).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
});

test("an owner that closes while it is read is STORE_OWNER_LOST, and then the directory is read", async () => {
  const { directory, log, service } = await live(MANY);
  const told = await openToRead(directory);
  const reading = refusal(
    (async () => {
      for await (const { seq } of told.read()) {
        if (seq !== 1n) continue;
        await service.close();
        await log.close();
      }
    })(),
  );
  expect(await reading).toMatchObject({ code: "STORE_OWNER_LOST", retryable: true });
  await told.close();
  await using read = await openToRead(directory);
  expect(read).not.toBeInstanceOf(LiveLog);
  expect(await contents(read)).toHaveLength(MANY);
});

test("an owner that is killed while it is read is STORE_OWNER_LOST, and then the directory is read", async () => {
  const directory = await filled(MANY);
  const owner = startOpener("offer", directory);
  await owner.next();
  expect(await owner.next()).toEqual({ seq: String(MANY) });
  const told = await openToRead(directory);
  expect(told).toBeInstanceOf(LiveLog);
  const reading = async () => {
    for await (const { seq } of told.read()) if (seq === 1n) await owner.kill();
  };
  expect(await refusal(reading())).toMatchObject({ code: "STORE_OWNER_LOST" });
  await told.close();
  await using read = await openToRead(directory);
  expect(read).not.toBeInstanceOf(LiveLog);
  expect(await contents(read)).toHaveLength(MANY);
});

test("a stopped owner is STORE_LOCKED, answers when it goes on, and one killed while it is asked is no owner", async () => {
  const directory = await filled(10);
  const owner = startOpener("offer", directory);
  const { pid } = owner.process;
  await owner.next();
  await owner.next();
  owner.process.kill("SIGSTOP");
  expect(await refusal(openToRead(directory, { patienceMs: 200 }))).toMatchObject({ code: "STORE_LOCKED", holder: { pid } });
  const asking = openToRead(directory);
  setTimeout(() => owner.process.kill("SIGCONT"), 100);
  await using told = await asking;
  expect(told).toBeInstanceOf(LiveLog);
  expect(await contents(told)).toHaveLength(10);
  owner.process.kill("SIGSTOP");
  const again = openToRead(directory);
  setTimeout(() => void owner.kill(), 100);
  await using read = await again;
  expect(read).not.toBeInstanceOf(LiveLog);
  expect(await contents(read)).toHaveLength(10);
});

test("readers that come while an owner opens and closes its log get it, or STORE_LOCKED, or STORE_OWNER_LOST", async () => {
  const directory = await filled(50);
  let isOver = false;
  let opened = 0;
  const owner = (async () => {
    for (; !isOver; ) {
      const log = await openLevelLog(directory).catch(() => undefined);
      if (log === undefined) continue;
      opened++;
      const service = await OwnerService.offer(directory, logRoutes(log));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await service.close();
      await log.close();
    }
  })();
  const codes = new Map<string, number>();
  for (let round = 0; round < 40 || opened < 3 || !codes.has("whole"); round++) {
    const code = await (async () => {
      await using told = await openToRead(directory);
      return (await contents(told)).length === 50 ? "whole" : "cut";
    })().catch(({ code }: { code: string }) => code);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  isOver = true;
  await owner;
  expect([...codes.keys()].filter((code) => !["whole", "STORE_LOCKED", "STORE_OWNER_LOST"].includes(code))).toEqual([]);
});

test.each([20, 300])("a path of more than %i characters works, in which two owners answer at once", async (length) => {
  const parent = join(await freshDirectory(), ...Array.from({ length: length / 20 }, () => "d".repeat(20)));
  await mkdir(parent, { recursive: true });
  const owners: Live[] = [];
  for (const name of ["first", "second"]) {
    await createLevelLog(join(parent, name));
    owners.push(await live(name.length, join(parent, name)));
  }
  for (const { directory, log, service } of owners) {
    expect((await lstat(join(directory, "SOCKET"))).isSocket()).toBe(true);
    await using told = await openToRead(directory);
    expect(told).toBeInstanceOf(LiveLog);
    expect(await contents(told)).toEqual(await contents(log));
    await told.close();
    await service.close();
    expect(await readdir(directory)).not.toContain("SOCKET");
  }
});

test("a socket that an owner left behind is ignored by readers, replaced by the next owner, and harmless in a copy", async () => {
  const directory = await filled(2);
  const path = join(directory, "SOCKET");
  const listen = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  expect(spawnSync(process.execPath, ["-e", listen]).signal).toBe("SIGKILL");
  expect((await lstat(path)).isSocket()).toBe(true);
  const [copy, unpacked] = [`${directory}-copy`, await freshDirectory()];
  execFileSync("cp", ["-r", directory, copy]);
  const [damaged, salvaged] = [`${directory}-damaged`, `${directory}-salvaged`];
  execFileSync("cp", ["-r", directory, damaged]);
  await rm(join(damaged, "HEAD"));
  expect(await salvageStore(damaged, salvaged)).toMatchObject({ kept: { seq: 2n } });
  expect(await readdir(salvaged)).not.toContain("SOCKET");
  // tar says that it leaves the socket out, and is content.
  execFileSync("tar", ["-cf", `${unpacked}.tar`, "-C", directory, "."], { stdio: "ignore" });
  execFileSync("tar", ["-xf", `${unpacked}.tar`, "-C", unpacked]);
  for (const place of [directory, copy, unpacked]) {
    expect(await verifyStore(place)).toMatchObject({ head: { seq: 2n }, borne: [] });
    const { log } = await live(3, place);
    await using told = await openToRead(place);
    expect(told).toBeInstanceOf(LiveLog);
    expect(await contents(told)).toEqual(await contents(log));
  }
  await rm(`${unpacked}.tar`);
});

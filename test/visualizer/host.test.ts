import { request } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { type Inspection, inspectLog } from "heartwood/visualizer";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Hello } from "../../visualizer/feed.ts";
import type { RecordDetail, RecordRow } from "../../visualizer/feed-record.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));
const LAST_PORT = 65_535;

let inspection: Inspection;
let token: string;
let head: number;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Asks as any program can, with headers that a browser would not let a page set. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: inspection.port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on("error", reject).end();
  });
}

const authorized = () => ({ authorization: `Bearer ${token}` });

async function json<Body = { readonly [name: string]: unknown }>(path: string): Promise<Body> {
  return JSON.parse((await ask(path, authorized())).text) as Body;
}

async function code(path: string, headers: Record<string, string> = {}, method = "GET") {
  const { status, text } = await ask(path, headers, method);
  return `${status} ${(JSON.parse(text) as { code: string }).code}`;
}

beforeAll(async () => {
  inspection = await inspectLog(GOLDEN);
  token = new URL(inspection.url).hash.slice("#token=".length);
  for (;;) {
    const { progress } = await json<Hello>("/api/hello");
    head = Number(progress.head);
    if (progress.head === progress.total) break;
  }
});

afterAll(() => inspection.close());

test("the address is on loopback, at a free port, with 256 random bits behind the #", () => {
  expect(inspection.url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+\/#token=[A-Za-z0-9_-]{43}$/);
  expect(inspection.port).toBeGreaterThan(1_023);
  expect(inspection.port).toBeLessThanOrEqual(LAST_PORT);
});

test("a request under a foreign name is refused, whatever it carries", async () => {
  for (const host of ["evil.example", `evil.example:${inspection.port}`, "127.0.0.1", `127.0.0.1.nip.io:${inspection.port}`]) {
    expect(await code("/api/hello", { ...authorized(), host }), host).toBe("421 FOREIGN_HOST");
    expect(await code("/", { host }), host).toBe("421 FOREIGN_HOST");
  }
  expect((await ask("/api/hello", { ...authorized(), host: `localhost:${inspection.port}` })).status).toBe(200);
});

test("a request from another page is refused, also of one on another port of this machine", async () => {
  for (const origin of ["https://evil.example", "null", "http://127.0.0.1", `http://127.0.0.1:${inspection.port + 1}`]) {
    expect(await code("/api/hello", { ...authorized(), origin }), origin).toBe("403 FOREIGN_ORIGIN");
  }
  expect(await code("/api/hello", { ...authorized(), "sec-fetch-site": "cross-site" })).toBe("403 FOREIGN_ORIGIN");
  expect(await code("/main.js", { "sec-fetch-site": "same-site" })).toBe("403 FOREIGN_ORIGIN");
  const own = `http://127.0.0.1:${inspection.port}`;
  expect((await ask("/api/hello", { ...authorized(), origin: own, "sec-fetch-site": "same-origin" })).status).toBe(200);
});

test("without the token nothing of the log is told, and not whether an address exists", async () => {
  const wrong = token.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
  for (const headers of [
    {},
    { authorization: token },
    { authorization: `Bearer ${wrong}` },
    { authorization: `Basic ${token}` },
  ]) {
    for (const path of ["/api/hello", "/api/events", "/api/explain?id=1", "/api/nothing"]) {
      expect(await code(path, headers), path).toBe("401 UNAUTHORIZED");
    }
  }
  expect((await ask(`/api/hello?token=${token}`)).status).toBe(401);
});

test("nothing but GET is taken, and there is no route that sends or signs", async () => {
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    expect(await code("/api/hello", authorized(), method)).toBe("405 READ_ONLY");
  }
  for (const path of ["/api/pay", "/api/send", "/api/sign", "/../package.json", "/%2e%2e/package.json", "/favicon.ico"]) {
    expect((await ask(path, authorized())).status, path).toBe(404);
  }
});

test("the page loads nothing from elsewhere, runs its own script only, and every answer is under strict rules", async () => {
  const page = await ask("/");
  expect(page.text).toContain('src="main.js"');
  for (const path of ["/", "/main.js", "/style.css", "/api/hello", "/nothing"]) {
    const { headers } = await ask(path, authorized());
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/,
    );
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'; base-uri 'none'");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

test("records come by range, moments and rows by place, and what is asked wrongly is refused in words", async () => {
  const rows = await json<readonly RecordRow[]>(`/api/records?from=1&to=${head}`);
  expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, at) => String(at + 1)));
  expect(rows.every(({ verdict }) => verdict === "agrees" || verdict === "folded")).toBe(true);
  const moment = await json(`/api/moment?seq=${head}`);
  expect(moment).toMatchObject({ seq: String(head), balance: { total: expect.stringMatching(/^[0-9]+$/) } });
  const part = await json(`/api/moment?seq=${head}&tables=vtxos,outbox`);
  expect([...Object.keys(moment), "vtxos", "outbox"].sort()).toEqual(Object.keys(part).sort());
  const page = await json(`/api/rows?table=instances&seq=${head}`);
  expect(page).toMatchObject({ total: expect.any(Number), rows: expect.any(Array) });
  for (const path of [
    "/api/record?seq=x",
    "/api/records?from=1&to=501",
    "/api/rows?table=seeds&seq=1",
    "/api/moment?seq=1&tables=vtxos,seeds",
    `/api/rows?table=vtxos&seq=1&after=${"9".repeat(40)}`,
    "/api/series?from=1&to=2&points=100000",
    "/api/find?from=1&mark=nothing",
  ]) {
    expect(await code(path, authorized()), path).toBe("400 BAD_OPTION");
  }
  expect(await code(`/api/record?seq=${head + 1}`, authorized())).toBe("404 NOT_FOUND");
});

test("a record has its contexts, guard and mentions, and each mention can be explained", async () => {
  const found = await json("/api/find?from=0&direction=forward&type=package.vetted");
  const record = await json<RecordDetail>(`/api/record?seq=${found.seq}`);
  expect(record.guard).toMatch(/^(bringsMoney|else)$/);
  expect(record.changed.length).toBeGreaterThan(0);
  expect(record.contextAfter).not.toEqual(record.contextBefore);
  const [mention] = record.mentions;
  const story = await json(`/api/explain?id=${encodeURIComponent(mention?.id ?? "")}`);
  expect(story).toMatchObject({ id: mention?.id, now: expect.any(String) });
});

test("four pages may listen, a fifth is refused, and one that goes makes room", async () => {
  const listeners = await Promise.all(Array.from({ length: 4 }, () => listen()));
  expect(await code("/api/events", authorized())).toBe("503 TOO_MANY_VIEWERS");
  listeners[0]?.destroy();
  for (let tries = 0; ; tries++) {
    try {
      listeners.push(await listen());
      break;
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  for (const listener of listeners) listener.destroy();
});

/** Listens as a page does; resolves with the first piece that comes. */
function listen(): Promise<{ destroy(): void }> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: inspection.port, path: "/api/events", headers: authorized() };
    const asked = request(options, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`expected 200, got ${response.statusCode}`));
        return;
      }
      response.once("data", () => resolve({ destroy: () => asked.destroy() }));
      response.on("error", () => {});
    });
    asked.on("error", reject).end();
  });
}

test("bytes that are no request end their connection and nothing else", async () => {
  const socket = connect(inspection.port, "127.0.0.1");
  socket.write("GET // HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n\0\0\0");
  await new Promise((resolve) =>
    socket
      .once("close", resolve)
      .on("error", () => {})
      .resume(),
  );
  expect((await ask("//", authorized())).status).toBe(404);
  expect((await ask("/api/hello", authorized())).status).toBe(200);
});

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { HttpFeed } from "../../visualizer/sources/http-feed.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** The system's Chromium, or undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
}

let browser: Promise<Browser> | undefined;

/** One browser for all tests of a file: it takes longer to start than most of them. */
function launched(): Promise<Browser> {
  const executablePath = findChromium();
  // Chromium refuses its sandbox to root, which containers of CI are.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser ??= chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args });
  return browser;
}

/** Ends it. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/** Waits until a log is read to its end: its page is served before that where reading takes long. */
export async function readThrough(url: string): Promise<string> {
  const { origin, hash } = new URL(url);
  const feed = new HttpFeed(hash.slice("#token=".length), origin);
  const isRead = async () => {
    const { head, total } = (await feed.hello()).progress;
    return head === total;
  };
  await expect.poll(isRead, { timeout: 30_000 }).toBe(true);
  return url;
}

/** A page at an address, with everything it asked for. It fails its test where the page complains of anything. */
export interface Visit {
  readonly page: Page;
  readonly requests: readonly string[];
}

/** How an address is opened. */
export interface VisitOptions extends BrowserContextOptions {
  /** What the page may complain of. */
  readonly complaints?: RegExp;
}

/** Opens an address in a window of its own. */
export async function visit(url: string, options: VisitOptions = {}): Promise<Visit> {
  const { complaints: expected, ...contextOptions } = options;
  const context = await (await launched()).newContext({ viewport: { width: 1280, height: 800 }, ...contextOptions });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints.filter((text) => expected?.test(text) !== true)).toEqual([]);
  });
  await page.goto(url);
  return { page, requests };
}

/** Waits until the page shows a record, by default any. */
export async function shows(page: Page, seq?: number | bigint): Promise<void> {
  await page.waitForSelector(seq === undefined ? '#app[data-seq]:not([data-seq=""])' : `#app[data-seq="${seq}"]`, {
    timeout: 30_000,
  });
}

/** Waits until the log is read to its end, and all its steps were taken again. */
export async function verified(page: Page): Promise<void> {
  await page.waitForSelector('.verified[data-verified="ok"]', { timeout: 30_000 });
}

/** Waits until what was shown before is painted, with what the page had put off until then. */
export async function painted(page: Page): Promise<void> {
  await page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
}

/** Moves the slider. */
export async function slideTo(page: Page, seq: number | bigint): Promise<void> {
  await page.locator(".slider").fill(String(seq));
  await shows(page, seq);
}

/** States that are lit on the small charts, by machine. */
export function litStates(page: Page): Promise<{ readonly [machine: string]: readonly string[] }> {
  return page.evaluate(() => {
    const tabs = [...document.querySelectorAll(".machine-tab")];
    const lit = (tab: Element) => [...tab.querySelectorAll('[data-state="active"][aria-current="true"]')];
    return Object.fromEntries(
      tabs.map((tab) => [tab.getAttribute("data-machine") ?? "", lit(tab).map((state) => state.getAttribute("data-id") ?? "")]),
    );
  });
}

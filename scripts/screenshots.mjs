// node scripts/screenshots.mjs: pictures of the visualizer's main views for docs/images, of the golden log, taken with the
// system's Chromium.
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { ensureBuilt, ensureInstalled, root } from "./ensure.mjs";

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Name, window, theme, and what is done before the picture is taken. */
const pictures = [
  ["charts", DESKTOP, "light", halted],
  ["records", DESKTOP, "dark", causes],
  ["money", DESKTOP, "light", (page) => page.keyboard.press("4")],
  ["explain", DESKTOP, "dark", explained],
  ["phone", PHONE, "light", vetted],
];

ensureInstalled();
ensureBuilt();
const { inspectLog } = await import("../dist/visualizer/index.js");
const folder = join(root, "docs", "images");
mkdirSync(folder, { recursive: true });
const inspection = await inspectLog(join(root, "test", "vectors", "golden", "wallet.export"));
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: findChromium(), args });
for (const [name, viewport, colorScheme, act] of pictures) {
  const page = await browser.newPage({ viewport, colorScheme, timezoneId: "UTC", reducedMotion: "reduce" });
  await page.goto(inspection.url);
  await shown(page);
  await act(page);
  await page.locator("body").evaluate(({ ownerDocument }) => ownerDocument.activeElement?.blur?.());
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.close();
}
await browser.close();
await inspection.close();

/** A message that was decided after a halt. */
async function vetted(page) {
  for (const key of ["Home", "h", "i", "i"]) await goTo(page, key);
}

/** The same with its way. */
async function halted(page) {
  await vetted(page);
  await page.locator(".record-of .link").click();
  await page.waitForSelector(".machine-large [data-taken=way]");
}

async function causes(page) {
  await halted(page);
  await page.keyboard.press("3");
  await page.waitForSelector(".record-line[data-relation=effect]");
}

async function explained(page) {
  await vetted(page);
  await page.keyboard.press("4");
  await page.locator("[data-table=vtxos] .link-id").first().click();
  await page.waitForSelector("dialog[open] .story");
}

/** Presses a key and waits for the record that it leads to. */
async function goTo(page, key) {
  const before = await page.locator("#app").getAttribute("data-seq");
  await page.keyboard.press(key);
  await page.waitForFunction((seq) => document.getElementById("app").dataset.seq !== seq, before);
}

async function shown(page) {
  await page.waitForSelector('#app[data-seq]:not([data-seq=""])');
  await page.waitForSelector(".verified[data-verified=ok]");
}

function findChromium() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
  const paths = (process.env.PATH ?? "").split(delimiter).flatMap((path) => names.map((name) => join(path, name)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new Error("expected Chromium on the PATH, got none");
  return found;
}

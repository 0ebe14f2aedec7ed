import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { inspectLog, writePage } from "heartwood/visualizer";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { readGoldenRecords } from "../engine/golden/files.ts";
import { GOLDEN } from "../engine/golden/golden-with.ts";
import { closeBrowser, findChromium, litStates, readThrough, shows, slideTo, visit } from "./browser.ts";
import { writeLongLog } from "./long-log.ts";

const records = readGoldenRecords()
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { readonly type: string; readonly state: string });
/** The records that credit a package. */
const CREDITED = records.flatMap(({ type, state }, at) => (type === "package.vetted" && state === "Applied" ? [at + 1] : []));

async function served(path: string): Promise<string> {
  const inspection = await inspectLog(path);
  onTestFinished(() => inspection.close());
  return readThrough(inspection.url);
}

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "heartwood-page-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe.skipIf(findChromium() === undefined)("what the page shows is of the record that it shows", () => {
  afterAll(closeBrowser);

  test("also the way of an instance whose answer came after that of the next record", async () => {
    const { page } = await visit(await served(GOLDEN));
    await shows(page);
    await page.keyboard.press("2");
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    await page.route("**/api/path?*", async (route) => {
      if (asked++ === 0) await released;
      await route.continue();
    });
    await page.locator('.instance[title="mailbox/main"]').click();
    await expect.poll(() => asked).toBe(1);
    await slideTo(page, 60);
    const subtitle = page.locator(".machine-subtitle");
    await expect.poll(() => subtitle.textContent()).toMatch(/steps? until here/);
    const here = await subtitle.textContent();
    const late = page.waitForResponse(/api\/path/);
    release();
    await (await late).finished();
    await delay(100);
    expect(await subtitle.textContent()).toBe(here);
  });

  test("also where the chosen instance has not begun: what another one did is not lit as its way", async () => {
    const { page } = await visit(await served(GOLDEN));
    await shows(page);
    await slideTo(page, CREDITED.at(-1) ?? 0);
    await page.locator(".record-of .link").first().click();
    await expect.poll(() => page.locator(".machine-subtitle").textContent()).toMatch(/[1-9][0-9]* steps? until here/);
    await slideTo(page, CREDITED[0] ?? 0);
    await expect.poll(() => page.locator(".machine-subtitle").textContent()).toContain("0 steps until here");
    expect((await litStates(page)).message).toEqual([]);
  });

  test("also where playing begins anew from the end, faster than answers come", async () => {
    const { page } = await visit(await served(GOLDEN));
    await shows(page);
    await page.route("**/api/moment?*", async (route) => {
      await delay(100);
      await route.continue();
    });
    await page.getByLabel("Speed").selectOption("60/s");
    await page.locator(".button-main").click();
    const shown = async () => Number(await page.locator("#app").getAttribute("data-seq"));
    await expect.poll(async () => (await shown()) > 2 && (await shown()) < records.length).toBe(true);
  });

  test("also where the answer of a jump comes after a later move: the last move counts", async () => {
    const { page } = await visit(await served(GOLDEN));
    await shows(page);
    await slideTo(page, 5);
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/api/find?*", async (route) => {
      await released;
      await route.continue();
    });
    const late = page.waitForResponse(/api\/find/);
    await page.keyboard.press("r");
    await slideTo(page, 9);
    release();
    await (await late).finished();
    await delay(100);
    expect(await page.locator("#app").getAttribute("data-seq")).toBe("9");
  });

  test("also after two jumps in quick succession: the second begins where the first ends", async () => {
    const { page } = await visit(await served(GOLDEN));
    await shows(page);
    await slideTo(page, 1);
    const shown = async () => Number(await page.locator("#app").getAttribute("data-seq"));
    await page.keyboard.press("r");
    await expect.poll(shown).toBeGreaterThan(1);
    const first = await shown();
    await page.keyboard.press("r");
    await expect.poll(shown).toBeGreaterThan(first);
    const second = await shown();
    await page.keyboard.press("Home");
    await shows(page, 1);
    await page.route("**/api/find?*", async (route) => {
      await delay(100);
      await route.continue();
    });
    await page.keyboard.press("r");
    await page.keyboard.press("r");
    await shows(page, second);
  });

  test("also the amounts under the lines, of which a point stands for many records", async () => {
    const folder = join(await freshFolder(), "wallet");
    await writeLongLog(folder, 3_000);
    const { page } = await visit(await served(folder));
    await shows(page);
    await page.keyboard.press("4");
    const amounts = async () => [
      await page.locator('.figure:has-text("Checkpoint") .figure-value').textContent(),
      await page.locator(".figure-main .figure-value").textContent(),
    ];
    for (let seq = 1_500; seq < 1_510; seq++) {
      await slideTo(page, seq);
      expect(await page.locator(".money-charts .axis strong").allTextContents()).toEqual(await amounts());
    }
  });

  test("and of a file only the records that are in it count as executed again", async () => {
    const file = join(await freshFolder(), "page.html");
    await writePage(GOLDEN, file, { from: 51n, to: 60n });
    const { page } = await visit(pathToFileURL(file).href, { offline: true });
    await shows(page);
    expect(await page.locator(".verified").textContent()).toBe("✓ 10 records re-executed");
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspectLog, writePage } from "heartwood/visualizer";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { readGoldenRecords } from "../engine/golden/files.ts";
import { GOLDEN, goldenWith } from "../engine/golden/golden-with.ts";
import { closeBrowser, findChromium, litStates, painted, readThrough, shows, slideTo, verified, visit } from "./browser.ts";
import { writeLongLog } from "./long-log.ts";
import { writeExport } from "./walked-log.ts";

const records = readGoldenRecords()
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Readonly<Record<"type" | "state" | "machine", string> & { atMs: number }>);
/** The second record that credits a package, and the first that finishes a message after it. */
const CREDITED =
  records.flatMap(({ type, state }, index) => (type === "package.vetted" && state === "Applied" ? [index + 1] : []))[1] ?? 0;
const FINISHED =
  records.findIndex(({ machine, state }, index) => index >= CREDITED && machine === "message" && state === "Completed") + 1;

if (findChromium() === undefined) console.warn("No Chromium on this machine: the tests of the page in a browser are skipped.");

/** Moves the slider; which line of the list was the current one when the page said that it had moved. */
function slideTogether(page: Page, seq: number): Promise<string | null | undefined> {
  return page.evaluate(async (place) => {
    const slider = document.querySelector(".slider") as HTMLInputElement;
    const app = document.getElementById("app") as HTMLElement;
    const current = new Promise<string | null | undefined>((resolve) => {
      const observer = new MutationObserver(() => {
        if (app.dataset.seq !== place) return;
        observer.disconnect();
        resolve(document.querySelector(".record-line[aria-current]")?.getAttribute("data-seq"));
      });
      observer.observe(app, { attributes: true });
    });
    slider.value = place;
    slider.dispatchEvent(new Event("input"));
    return current;
  }, String(seq));
}

async function golden(): Promise<string> {
  const inspection = await inspectLog(GOLDEN);
  onTestFinished(() => inspection.close());
  return readThrough(inspection.url);
}

describe.skipIf(findChromium() === undefined)("the page in a browser", () => {
  afterAll(closeBrowser);

  test("goes through time: slider, steps and jumps move charts, record and money together", async () => {
    const { page } = await visit(await golden());
    await shows(page);
    await slideTo(page, CREDITED);
    expect(await page.locator(".record-title h2").textContent()).toBe("package.vetted");
    expect((await litStates(page)).message).toEqual(["Applied"]);
    await page.keyboard.press("4");
    const balance = page.locator(".figure-main .figure-value");
    const credited = await balance.textContent();
    await page.keyboard.press("ArrowLeft");
    await shows(page, CREDITED - 1);
    expect(await balance.textContent()).not.toBe(credited);
    expect((await litStates(page)).message).toEqual(["Vetting"]);
    await page.keyboard.press("h");
    await expect.poll(() => page.locator(".record-marks .mark-halt").count()).toBe(1);
    expect((await litStates(page)).message).toEqual(["Halted"]);
    await page.keyboard.press("Home");
    await shows(page, 1);
    await page.locator(".jump-choice").selectOption({ label: "received" });
    await page.locator('button[title="Next received"]').click();
    await expect.poll(() => page.locator(".record-marks .mark-received").count()).toBe(1);
    await page.keyboard.press("d");
    await expect.poll(() => page.locator(".problem:visible").textContent()).toContain("No record that differs");
    await page.keyboard.press("Home");
    await shows(page, 1);
    await page.locator(".button-main").click();
    await expect.poll(async () => Number(await page.locator("#app").getAttribute("data-seq"))).toBeGreaterThan(2);
    await page.keyboard.press("ArrowLeft");
    expect(await page.locator(".button-main").getAttribute("aria-pressed")).toBe("false");
  });

  test("the keyboard's focus stays where it was when the record changes", async () => {
    const { page } = await visit(await golden());
    await shows(page);
    await slideTo(page, CREDITED);
    const focused = () =>
      page.evaluate(() => {
        const { title, ariaLabel, dataset, textContent } = document.activeElement as HTMLElement;
        return dataset.seq ?? ariaLabel ?? (title || textContent);
      });
    const next = page.getByLabel("Record of this instance after");
    await next.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("#app").getAttribute("data-seq")).not.toBe(String(CREDITED));
    expect(await focused()).toBe("Record of this instance after");
    await slideTo(page, CREDITED);
    await page.locator(".facts .links button").first().focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("#app").getAttribute("data-seq")).not.toBe(String(CREDITED));
    expect(await focused()).toBe(await page.locator(".record-title h2").textContent());
    for (const [view, selector] of [
      ["2", ".instance"],
      ["3", ".record-line[aria-current]"],
      ["4", '[data-table="movements"] .link-id'],
    ] as const) {
      await page.keyboard.press(view);
      await page.locator(selector).first().focus();
      const before = [await focused(), await page.locator("#app").getAttribute("data-seq")];
      expect(before[0]?.length).toBeGreaterThan(0);
      for (let step = 0; step < 10; step++) await page.keyboard.press("ArrowRight");
      await shows(page, Number(before[1]) + 10);
      expect(await focused(), selector).toBe(before[0]);
    }
  });

  test("an axis says when the records under its ticks were written", async () => {
    const { page } = await visit(await golden(), { timezoneId: "UTC" });
    await verified(page);
    await page.keyboard.press("4");
    const ticks = page.locator(".axis-times").first().locator("span");
    await expect.poll(() => ticks.count()).toBe(4);
    const written = [0, 1, 2, 3].map((part) => records[Math.floor(((records.length - 1) * part) / 3)]?.atMs ?? 0);
    const texts = written.map((atMs) => new Date(atMs).toISOString().slice(5, 16).replace("T", " "));
    expect(await ticks.allTextContents()).toEqual(texts);
    expect(new Set(texts).size).toBeGreaterThan(2);
  });

  test("tells why a VTXO is what it is, and leads from there to its records", async () => {
    const { page } = await visit(await golden());
    await shows(page);
    await slideTo(page, CREDITED);
    await page.keyboard.press("4");
    await page.locator('[data-table="vtxos"] .link-id').first().click();
    await expect.poll(() => page.locator("dialog[open] .story > li").count()).toBeGreaterThan(1);
    const seq = (await page.locator("dialog[open] .story .link").first().textContent())?.slice(1);
    await page.locator("dialog[open] .story .link").first().click();
    await shows(page, Number(seq));
  });

  test("shows the way of a chosen instance, and what caused what", async () => {
    const { page } = await visit(await golden());
    await shows(page);
    await slideTo(page, FINISHED);
    await page.keyboard.press("2");
    await page.locator('.instance[title^="message/"][data-state="Completed"]').first().click();
    await expect.poll(() => page.locator('.machine-large .chart-arrow[data-taken="last"]').count()).toBe(1);
    expect(await page.locator('.machine-large .chart-arrow[data-taken="way"]').count()).toBeGreaterThan(0);
    expect(await page.locator('.machine-large [data-id="Completed"]').getAttribute("data-state")).toBe("active");
    await page.keyboard.press("3");
    await page.locator('.record-line:has-text("message.consumed")').first().click();
    await expect.poll(() => page.locator('.record-line[data-relation="cause"]').count()).toBe(1);
    await expect.poll(() => page.locator('.record-line[aria-current="true"]').count()).toBe(1);
  });

  test("a move of the slider asks once for what is seen and for nothing else, and shows all of it together", async () => {
    const { page, requests } = await visit(await golden());
    await verified(page);
    // From now on nothing is news.
    await page.reload();
    await shows(page);
    const asked = async (seq: number) => {
      const before = requests.length;
      const current = await slideTogether(page, seq);
      const found = requests.slice(before).map((request) => new URL(request));
      return {
        current,
        paths: found.map(({ pathname, searchParams }) => `${pathname} ${searchParams.get("tables") ?? ""}`.trim()),
      };
    };
    expect((await asked(CREDITED)).paths).toEqual(["/api/record", "/api/moment"]);
    await page.keyboard.press("4");
    await expect.poll(() => page.locator('[data-table="vtxos"] tbody tr').count()).toBeGreaterThan(0);
    expect((await asked(CREDITED - 1)).paths).toEqual(["/api/record", "/api/moment vtxos,movements,quarantine,outbox"]);
    await page.keyboard.press("3");
    await expect.poll(() => page.locator(".record-line[aria-current]").count()).toBe(1);
    await painted(page);
    const far = await asked(records.length);
    expect(far.paths).toEqual(["/api/record", "/api/moment", "/api/records"]);
    expect(far.current).toBe(String(records.length));
    await page.locator(".record-of .link").first().click();
    await page.keyboard.press("1");
    await expect.poll(() => page.locator(".machine-subtitle").textContent()).toContain("Way of");
    expect((await asked(records.length - 1)).paths).toEqual(["/api/record", "/api/moment", "/api/path"]);
  });

  test("the list of records goes on where it is scrolled to its end, and stays where it was", async () => {
    const { page } = await visit(await golden());
    await shows(page);
    await page.keyboard.press("3");
    await slideTo(page, 60);
    await painted(page);
    const line = (seq: number) => page.locator(`.record-line[data-seq="${seq}"]`);
    const isListed = async (seq: number) => (await line(seq).count()) > 0;
    expect([await isListed(60), await isListed(40), await isListed(80)]).toEqual([true, false, false]);
    await page.locator(".record-scroll").evaluate((scroll) => scroll.scrollTo(0, scroll.scrollHeight));
    await expect.poll(() => isListed(80)).toBe(true);
    const before = await line(50).evaluate((one) => {
      one.closest(".record-scroll")?.scrollTo(0, 0);
      return one.getBoundingClientRect().top;
    });
    await expect.poll(() => isListed(40)).toBe(true);
    const after = await line(50).evaluate((one) => one.getBoundingClientRect().top);
    expect(Math.abs(after - before)).toBeLessThan(2); // heights of lists are whole pixels
  });

  test("the list of records does not go on before it was moved to its record, wherever it was scrolled to", async () => {
    const { page, requests } = await visit(await golden());
    await verified(page);
    await page.keyboard.press("3");
    await expect.poll(() => page.locator(".record-line[aria-current]").count()).toBe(1);
    await painted(page);
    const before = requests.length;
    await page.evaluate(() => {
      const app = document.getElementById("app") as HTMLElement;
      const scroll = document.querySelector(".record-scroll") as HTMLElement;
      const observer = new MutationObserver(() => {
        if (app.dataset.seq !== "60") return;
        observer.disconnect();
        scroll.scrollTop = scroll.scrollHeight;
        scroll.dispatchEvent(new Event("scroll"));
      });
      observer.observe(app, { attributes: true });
    });
    await slideTo(page, 60);
    await painted(page);
    const lists = requests.slice(before).filter((request) => request.includes("/api/records"));
    expect(lists.map((request) => new URL(request).searchParams.get("from"))).toEqual(["48"]);
    const isInside = await page.locator('.record-line[data-seq="60"]').evaluate((line) => {
      const [outer, inner] = [line.closest(".record-scroll")?.getBoundingClientRect(), line.getBoundingClientRect()];
      return outer !== undefined && inner.top > outer.top && inner.bottom < outer.bottom;
    });
    expect(isInside).toBe(true);
  });

  test("asks nobody but the host that served it, and says so without the key", async () => {
    const url = await golden();
    const { origin } = new URL(url);
    const { page, requests } = await visit(url);
    await shows(page);
    for (const view of ["2", "3", "4"]) await page.keyboard.press(view);
    expect(requests.filter((request) => new URL(request).origin !== origin)).toEqual([]);
    const keyless = await visit(origin);
    await expect.poll(() => keyless.page.locator("body").textContent()).toContain("#");
    const other = await visit(`${origin}/#token=${"A".repeat(43)}`, { complaints: /401/ });
    await expect.poll(() => other.page.locator("body").textContent()).toContain("key");
    expect(await other.page.locator(".machine-tab").count()).toBe(0);
  });

  test("works as one file without any network, and asks for nothing but itself", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heartwood-page-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "page.html");
    await writePage(GOLDEN, file);
    const { page, requests } = await visit(pathToFileURL(file).href, { offline: true });
    await shows(page);
    await slideTo(page, CREDITED);
    expect((await litStates(page)).message).toEqual(["Applied"]);
    await page.keyboard.press("4");
    await expect.poll(() => page.locator('[data-table="movements"] tbody tr').count()).toBeGreaterThan(0);
    await page.locator('[data-table="vtxos"] .link-id').first().click();
    await expect.poll(() => page.locator("dialog[open] .story > li").count()).toBeGreaterThan(1);
    expect(requests.filter((request) => !request.startsWith("data:"))).toEqual([pathToFileURL(file).href]);
  });

  test("says of a file how many rows from before its range are not in it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heartwood-page-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeLongLog(join(folder, "wallet"), 6_000);
    await writePage(join(folder, "wallet"), join(folder, "page.html"), { from: 5_990n, to: 6_000n });
    const { page } = await visit(pathToFileURL(join(folder, "page.html")).href, { offline: true });
    await shows(page);
    await page.keyboard.press("2");
    const more = page.locator(".instances-panel .more");
    await more.waitFor();
    while ((await more.count()) > 0) await more.click();
    const note = await page.locator(".instances-panel .cut-note").textContent();
    expect(note).toMatch(/^[1-9][0-9]+ rows from before its range are not in this file\.$/);
    await page.keyboard.press("4");
    expect(await page.locator(".money-panel .cut-note").count()).toBe(0);
  });

  test("says why the log could not be read to its end, and what to do, and shows it up to there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heartwood-page-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const log = await goldenWith((record) => (record.seq === 30n ? { ...record, schema: 99 } : record));
    await writeExport(join(folder, "newer.export"), log);
    const inspection = await inspectLog(join(folder, "newer.export"));
    onTestFinished(() => inspection.close());
    const { page } = await visit(inspection.url);
    await shows(page, 29);
    const why = await page.locator(".failure").textContent();
    expect(why).toContain("Reading ended behind record 29");
    expect(why).toContain("LOG_UNREADABLE");
    expect(why).toContain("A newer Heartwood");
    expect(await page.locator(".verified").getAttribute("data-verified")).toBe("bad");
    await slideTo(page, 12);
    expect(await page.locator(".failure").isVisible()).toBe(true);
  });

  test("is light or dark as the system wants, and the other one at a click", async () => {
    const url = await golden();
    const backgrounds: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await visit(url, { colorScheme });
      await shows(page);
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const first = await background();
      await page.keyboard.press("t");
      backgrounds.push(first, await background());
    }
    expect(backgrounds[0]).not.toBe(backgrounds[1]);
    expect(backgrounds).toEqual([backgrounds[0], backgrounds[1], backgrounds[1], backgrounds[0]]);
  });

  test("fits a phone: no view is wider than the screen", async () => {
    const { page } = await visit(await golden(), { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await shows(page);
    for (const view of ["charts", "instances", "records", "money", "record"]) {
      await page.locator(`.tab[data-view="${view}"]`).click();
      await expect.poll(() => page.locator("#app").getAttribute("data-view")).toBe(view);
      expect([view, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([view, 390]);
    }
  });

  test("can be used with the keyboard alone, and shows where it is", async () => {
    const { page } = await visit(await golden());
    await shows(page);
    const seen = new Set<string>();
    for (let at = 0; at < 24; at++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const { activeElement: active } = document;
        if (active === null || active === document.body) return null;
        const name = active.getAttribute("aria-label") ?? active.textContent ?? "";
        return { name: `${active.tagName} ${name}`, outline: getComputedStyle(active).outlineStyle };
      });
      if (focus === null) continue;
      seen.add(focus.name);
      expect(focus.outline, focus.name).not.toBe("none");
    }
    expect(seen.size).toBeGreaterThan(20);
    await page.keyboard.press("?");
    expect(await page.locator("dialog[open] kbd").count()).toBeGreaterThan(10);
    await page.keyboard.press("Escape");
    expect(await page.locator("dialog[open]").count()).toBe(0);
  });
});

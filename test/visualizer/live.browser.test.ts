import { rename } from "node:fs/promises";
import { inspect, inspectLog } from "heartwood/visualizer";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { openWallet, setUp } from "../engine/helpers.ts";
import { closeBrowser, findChromium, litStates, shows, visit } from "./browser.ts";

describe.skipIf(findChromium() === undefined)("the page of a running wallet", () => {
  afterAll(closeBrowser);

  test("follows a running wallet, and stays where it is when asked to", async () => {
    const { wallet, simulator, address } = await setUp();
    const inspection = await inspect(wallet);
    onTestFinished(() => inspection.close());
    const { page } = await visit(inspection.url);
    await shows(page, wallet.status().records);
    await simulator.pay(address, { amountsSats: [21_000n] });
    await wallet.sync();
    await shows(page, wallet.status().records);
    expect((await litStates(page)).message).toEqual(["Completed"]);
    const paused = wallet.status().records;
    await page.locator(".button-live").click();
    await simulator.pay(address, { amountsSats: [4_000n] });
    await wallet.sync();
    await expect.poll(() => page.locator(".place").textContent()).toContain(`of ${wallet.status().records}`);
    expect(await page.locator("#app").getAttribute("data-seq")).toBe(String(paused));
    await page.keyboard.press("l");
    await shows(page, wallet.status().records);
    await page.keyboard.press("4");
    expect(await page.locator(".figure-main .figure-value").textContent()).toBe("25\u2009000 sat");
    await expect.poll(() => page.locator('[data-table="vtxos"] tbody tr').count()).toBe(2);
    const ticks = page.locator(".axis-times").first().locator("span");
    await expect.poll(() => ticks.count()).toBe(4);
    const times = await ticks.allTextContents();
    expect(times).toEqual(Array(4).fill(expect.stringMatching(/^\d\d:\d\d:\d\d$/)));
    expect(times.toSorted()).toEqual(times);
  });

  test("says that a wallet elsewhere was closed, with its last record, and goes on with it when it is opened again", async () => {
    const { wallet, directory, options } = await setUp();
    const inspection = await inspectLog(directory);
    onTestFinished(() => inspection.close());
    const { page } = await visit(inspection.url);
    const [source, live] = [page.locator(".source"), page.locator(".button-live")];
    await expect.poll(() => source.textContent()).toContain("running wallet");
    await wallet.close();
    await expect.poll(() => source.textContent(), { timeout: 10_000 }).toContain("the wallet was closed");
    await shows(page, wallet.status().records);
    expect(await live.textContent()).toBe("Waiting");
    await rename(directory, `${directory}-moved`);
    await expect.poll(() => source.textContent(), { timeout: 10_000 }).toContain("the directory is not there");
    await rename(`${directory}-moved`, directory);
    await expect.poll(() => source.textContent(), { timeout: 10_000 }).toContain("the wallet was closed");
    await openWallet(options);
    await expect.poll(() => source.textContent(), { timeout: 10_000 }).toContain("running wallet");
    expect(await live.textContent()).toBe("Live");
  });

  test("says that it is reading where its first answer takes long", async () => {
    const { wallet } = await setUp();
    const inspection = await inspect(wallet);
    onTestFinished(() => inspection.close());
    const { page } = await visit("about:blank");
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/api/hello?*", async (route) => {
      await released;
      await route.continue();
    });
    await page.goto(inspection.url);
    await expect.poll(() => page.locator(".waiting:visible").textContent()).toContain("Reading …");
    release();
    await shows(page);
    expect(await page.locator(".waiting").count()).toBe(0);
  });

  test("says of new records of a running wallet that they were taken again, once they were", async () => {
    const { wallet, simulator, address } = await setUp();
    const inspection = await inspect(wallet);
    onTestFinished(() => inspection.close());
    const { page } = await visit(inspection.url);
    await shows(page);
    await page.keyboard.press("3");
    await simulator.pay(address, { amountsSats: [21_000n] });
    await wallet.sync();
    const { records: head } = wallet.status();
    await shows(page, head);
    await expect.poll(() => page.locator(".verified").textContent()).toBe(`✓ ${head} records re-executed`);
    const verdicts = () => page.locator(".record-line .verdict .unseen").allTextContents();
    await expect.poll(async () => new Set(await verdicts())).toEqual(new Set(["re-executed, agrees"]));
    expect((await verdicts()).length).toBeGreaterThan(5);
  });

  test("draws the money of a running wallet to the newest record that was asked for, in whatever order answers come", async () => {
    const { wallet, simulator, address } = await setUp();
    const inspection = await inspect(wallet);
    onTestFinished(() => inspection.close());
    const { page } = await visit(inspection.url);
    await shows(page);
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    await page.route("**/api/series?*points=600", async (route) => {
      if (asked++ > 0) return route.continue();
      const response = await route.fetch();
      await released;
      await route.fulfill({ response });
    });
    await page.keyboard.press("4");
    await expect.poll(() => asked).toBe(1);
    await simulator.pay(address, { amountsSats: [21_000n] });
    await wallet.sync();
    const range = page.locator(".money-charts .axis").nth(1).locator("span");
    await expect.poll(() => range.textContent()).toContain("21\u2009000");
    const late = page.waitForResponse(/points=600/);
    release();
    await (await late).finished();
    await page.waitForTimeout(100);
    expect(await range.textContent()).toContain("21\u2009000");
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectLog } from "heartwood/visualizer";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { machines } from "../../machines/registry.ts";
import type { MachineEvent } from "../../machines/step.ts";
import { digits } from "../../visualizer/page/format.ts";
import { closeBrowser, findChromium, readThrough, shows, slideTo, visit } from "./browser.ts";
import { type WalkedStep, walk, walkEverywhere, writeWalk } from "./walked-log.ts";

async function inspectWalk(steps: readonly WalkedStep[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "heartwood-walk-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeWalk(join(folder, "walk.export"), steps);
  const inspection = await inspectLog(join(folder, "walk.export"));
  onTestFinished(() => inspection.close());
  return readThrough(inspection.url);
}

describe.skipIf(findChromium() === undefined)("every machine in a browser", () => {
  afterAll(closeBrowser);

  test("lights every state of every machine on a walked path, with the transition that led there", async () => {
    const steps = walkEverywhere();
    const { page } = await visit(await inspectWalk(steps));
    await shows(page, steps.length);
    await expect.poll(() => page.locator(".verified").textContent()).toBe(`✓ ${digits(steps.length)} records re-executed`);
    const ends = steps.flatMap(({ instance, machine, before, outcome: { next } }, index) =>
      steps[index + 1]?.instance === instance ? [] : [{ seq: index + 1, machine, before, state: next.state }],
    );
    const dark = await page.evaluate(async (walked) => {
      const missed: string[] = [];
      const slider = document.querySelector(".slider") as HTMLInputElement;
      const app = document.getElementById("app") as HTMLElement;
      for (const { seq, machine, state } of walked) {
        slider.value = String(seq);
        slider.dispatchEvent(new Event("input"));
        while (app.dataset.seq !== String(seq)) await new Promise((done) => setTimeout(done, 5));
        const chart = document.querySelector(`.machine-tab[data-machine="${machine}"]`);
        const lit = chart?.querySelector(`[data-id="${state}"][data-state="active"][aria-current="true"]`);
        if (lit === null || lit === undefined) missed.push(`${machine} ${state} at ${seq}`);
        if (
          document.querySelector(".machine-large .chart-arrow[data-taken=last], .machine-large .chart-row[data-taken=last]") ===
          null
        ) {
          missed.push(`the transition to ${machine} ${state} at ${seq}`);
        }
      }
      return missed;
    }, ends);
    expect(dark).toEqual([]);
    const reached = new Set(ends.map(({ machine, state }) => `${machine} ${state}`));
    const begun = new Set(steps.filter(({ before }) => before === null).map(({ machine }) => machine));
    for (const { name, logic } of machines) {
      for (const state of Object.keys(logic.states)) {
        if (reached.has(`${name} ${state}`)) continue;
        // An instance leaves its first state with its first record: on its way it is lit as visited.
        expect([begun.has(name), logic.config.initial]).toEqual([true, state]);
        await slideTo(page, steps.findIndex(({ machine }) => machine === name) + 1);
        await page.locator(".record-of .link").click();
        await page.waitForSelector(`.machine-large [data-id="${state}"][data-state="visited"]`);
      }
    }
  });

  test("shows what a server wrote as text, whatever it is, and hidden characters as their numbers", async () => {
    const hostile = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\u202e\u0000\u2028javascript:';
    const package_ = { type: "message.received", checkpoint: 7n, digest: "ab", kind: "arkoor", entries: 1, advance: true };
    const undecided: MachineEvent = { type: "package.undecided", code: hostile, message: hostile };
    const { page } = await visit(await inspectWalk(walk("message", `message/7/${hostile}`, [package_, undecided])));
    await shows(page, 2);
    for (const view of ["2", "3", "4", "1"]) {
      await page.keyboard.press(view);
      await expect.poll(() => page.locator("#app").getAttribute("data-view")).not.toBeNull();
    }
    await page.locator(".record-of .link").click();
    await expect.poll(() => page.locator(".machine-subtitle").textContent()).toContain("Way of");
    const found = await page.evaluate(() => ({
      pwned: "pwned" in window,
      images: document.querySelectorAll("img, #app script, iframe, [onerror]").length,
      text: document.body.textContent ?? "",
    }));
    expect(found).toMatchObject({ pwned: false, images: 0 });
    expect(found.text).toContain("⟨U+202E⟩⟨U+0000⟩⟨U+2028⟩javascript:");
    expect(found.text).toContain("<script>");
  });
});

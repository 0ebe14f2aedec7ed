import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { setup } from "xstate";
import { machines } from "../../machines/registry.ts";
import { arrange } from "../../visualizer/charts/arrange.ts";
import type { MachineChart } from "../../visualizer/charts/chart.ts";
import type { Box, ChartLayout } from "../../visualizer/charts/layout.ts";
import { type DefinitionLike, readChart } from "../../visualizer/charts/read-chart.ts";

const generated = readFileSync(new URL("../../visualizer/page/layouts.generated.ts", import.meta.url), "utf8");
const layouts = JSON.parse(`[${generated.split(" = [")[1]?.replace(/,\s*\];\s*$/, "")}]`) as ChartLayout[];

function chartOf(logic: unknown): MachineChart {
  return readChart({ name: "machine", revision: 1, logic: logic as DefinitionLike["logic"] });
}

test("the charts of the page are those of the machines: if not, run node scripts/layout-charts.mjs", () => {
  expect(layouts.map(({ chart }) => chart)).toEqual(machines.map((machine) => readChart(machine)));
});

test.each(machines.map((machine) => [machine.name, machine] as const))(
  "the chart of %s has every state and every transition of its definition, once",
  (name, { logic }) => {
    const layout = layouts.find(({ chart }) => chart.name === name);
    const states = layout?.places.filter(({ kind }) => kind === "state").map(({ id }) => id);
    expect(states?.sort()).toEqual(Object.keys(logic.states).sort());
    const events = [...(layout?.arrows ?? []), ...(layout?.places ?? [])].flatMap((part) =>
      "rows" in part ? part.rows : part.inner,
    );
    const drawn = events.filter(({ kind }) => kind === "event").flatMap(({ edges }) => edges);
    const defined = Object.values(logic.states).flatMap((state) =>
      [...state.transitions].flatMap(([event, list]) => list.map((_, index) => `${state.key}/${event}/${index}`)),
    );
    expect([...drawn].sort()).toEqual(defined.sort());
  },
);

test.each(layouts.map((layout) => [layout.chart.name, layout] as const))(
  "in the chart of %s no label and no state lies on another",
  (_, { places, arrows, width, height }) => {
    const boxes = [...places.filter(({ kind }) => kind === "state").map(({ box }) => box), ...arrows.map(({ label }) => label)];
    const overlaps = boxes.flatMap((one, index) => boxes.slice(index + 1).filter((other) => isOver(one, other)));
    expect(overlaps).toEqual([]);
    for (const box of boxes) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
  },
);

function isOver(one: Box, other: Box): boolean {
  const apart = (a: number, aSize: number, b: number, bSize: number) => a + aSize <= b || b + bSize <= a;
  return !apart(one.x, one.width, other.x, other.width) && !apart(one.y, one.height, other.y, other.height);
}

describe("a definition that no machine of ours has yet", () => {
  const nested = setup({ guards: { isDue: () => true } }).createMachine({
    initial: "Open",
    states: {
      Open: {
        initial: "Waiting",
        on: { close: "Closed" },
        states: { Waiting: { on: { go: [{ guard: "isDue", target: "Going" }, { actions: [] }] } }, Going: {} },
      },
      Closed: { type: "final" },
    },
  });

  test("has nested states as paths, with their parents, kinds and beginnings", () => {
    expect(chartOf(nested).states).toEqual([
      { id: "Open", parent: null, kind: "compound", isInitial: true },
      { id: "Open.Waiting", parent: "Open", kind: "atomic", isInitial: true },
      { id: "Open.Going", parent: "Open", kind: "atomic", isInitial: false },
      { id: "Closed", parent: null, kind: "final", isInitial: false },
    ]);
  });

  test("names guards, and else where only the transitions before have one", () => {
    const edges = chartOf(nested).edges.map(({ id, guard, target }) => [id, guard, target]);
    expect(edges).toEqual([
      ["Open/close/0", null, "Closed"],
      ["Open.Waiting/go/0", "isDue", "Open.Going"],
      ["Open.Waiting/go/1", "else", null],
    ]);
  });

  test("has what several states do once, on a frame around them", () => {
    const stops = { stop: "Stopped", lose: "Stopped", fail: "Failed" };
    const logic = setup({}).createMachine({
      initial: "A",
      states: { A: { on: { ...stops, next: "B" } }, B: { on: stops }, Stopped: { on: { begin: "A" } }, Failed: {} },
    });
    const { places, arrows } = arrange(chartOf(logic));
    expect(places.map(({ id, parent }) => [id, parent])).toEqual([
      ["{A,B}", null],
      ["A", "{A,B}"],
      ["B", "{A,B}"],
      ["Stopped", null],
      ["Failed", null],
    ]);
    expect(arrows.map(({ from, to, rows }) => [from, to, rows.map(({ text, edges }) => [text, ...edges])])).toEqual([
      [
        "{A,B}",
        "Stopped",
        [
          ["stop", "A/stop/0", "B/stop/0"],
          ["lose", "A/lose/0", "B/lose/0"],
        ],
      ],
      ["{A,B}", "Failed", [["fail", "A/fail/0", "B/fail/0"]]],
      ["A", "B", [["next", "A/next/0"]]],
      ["Stopped", "A", [["begin", "Stopped/begin/0"]]],
    ]);
  });
});

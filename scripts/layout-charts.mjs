// node scripts/layout-charts.mjs [--check]: lays out the statecharts of all machines for the visualizer, from their
// definitions, into visualizer/page/charts.generated.ts. With --check it only says which are stale.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Elk from "elkjs/lib/elk.bundled.js";
import { ensureBuilt, ensureInstalled, root } from "./ensure.mjs";

/** Raised with any change of the layout that the options below do not show. */
const LAYOUT_FORMAT = 1;
const START = "(start)";
const START_SIZE = 12;

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.json.edgeCoords": "ROOT",
  "elk.json.shapeCoords": "ROOT",
  "elk.randomSeed": "1",
  "elk.padding": "[top=16,left=16,bottom=16,right=16]",
  "elk.spacing.nodeNode": "22",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "12",
  "elk.spacing.edgeLabel": "4",
  "elk.spacing.labelNode": "10",
  "elk.layered.spacing.nodeNodeBetweenLayers": "15",
  "elk.layered.spacing.edgeNodeBetweenLayers": "11",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "10",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.thoroughness": "60",
  "elk.layered.considerModelOrder.strategy": "PREFER_NODES",
  "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
  "elk.layered.edgeLabels.sideSelection": "ALWAYS_UP",
};
const FIRST = { "elk.layered.layering.layerConstraint": "FIRST" };
const CONTAINER = { "elk.padding": "[top=34,left=18,bottom=18,right=18]" };
const FRAME = { "elk.padding": "[top=18,left=18,bottom=18,right=18]" };

const target = join(root, "visualizer", "page", "layouts.generated.ts");
const { values } = parseArgs({ options: { check: { type: "boolean" } } });
ensureInstalled();
ensureBuilt();
const { machines } = await import("../dist/machines/registry.js");
const { arrange } = await import("../dist/visualizer/charts/arrange.js");
const { readChart } = await import("../dist/visualizer/charts/read-chart.js");
const { measureRows, measureState, stateName } = await import("../dist/visualizer/charts/measure.js");

const elk = new Elk();
const charts = [];
for (const machine of machines) charts.push(await layOut(readChart(machine)));
const text = moduleText(charts);
if (!values.check) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  process.stderr.write("the charts are not those of the machines any more: run node scripts/layout-charts.mjs\n");
  process.exitCode = 1;
}

async function layOut(chart) {
  const { places, arrows } = arrange(chart);
  const sized = places.map((place) => ({ ...place, size: measureState(stateName(place.id), place.inner) }));
  const initial = chart.states.find(({ parent, isInitial }) => parent === null && isInitial);
  const output = await elk.layout({
    id: "(root)",
    layoutOptions: OPTIONS,
    children: [{ id: START, width: START_SIZE, height: START_SIZE, layoutOptions: FIRST }, ...childrenOf(sized, null)],
    edges: [
      { id: START, sources: [START], targets: [initial.id] },
      ...arrows.map(({ from, to, rows }) => ({
        id: `${from} ${to}`,
        sources: [from],
        targets: [to],
        labels: [{ text: "rows", ...measureRows(rows) }],
      })),
    ],
  });
  const boxes = new Map();
  collect(output, boxes);
  const start = boxes.get(START);
  const routed = new Map(output.edges.map((edge) => [edge.id, edge]));
  return {
    chart,
    digest: createHash("sha256")
      .update(JSON.stringify([LAYOUT_FORMAT, OPTIONS, chart]))
      .digest("hex"),
    width: Math.ceil(output.width),
    height: Math.ceil(output.height),
    start: { at: [round(start.x + START_SIZE / 2), round(start.y + START_SIZE / 2)], points: pointsOf(routed.get(START)) },
    places: outerFirst(places).map(({ id, kind, inner }) => ({ id, kind, box: boxes.get(id), inner })),
    arrows: arrows.map((arrow) => {
      const edge = routed.get(`${arrow.from} ${arrow.to}`);
      return { ...arrow, points: pointsOf(edge), label: boxOf(edge.labels[0]) };
    }),
  };
}

function childrenOf(places, parent) {
  return places
    .filter((place) => place.parent === parent)
    .map(({ id, kind, size }) => {
      const children = childrenOf(places, id);
      return children.length === 0 ? { id, ...size } : { id, children, layoutOptions: kind === "frame" ? FRAME : CONTAINER };
    });
}

function outerFirst(places, parent = null) {
  return places.filter((place) => place.parent === parent).flatMap((place) => [place, ...outerFirst(places, place.id)]);
}

function collect(node, boxes) {
  for (const child of node.children ?? []) {
    boxes.set(child.id, boxOf(child));
    collect(child, boxes);
  }
}

function boxOf({ x, y, width, height }) {
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

function pointsOf({ sections: [section] }) {
  return [section.startPoint, ...(section.bendPoints ?? []), section.endPoint].map(({ x, y }) => [round(x), round(y)]);
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function moduleText(list) {
  const lines = list.map((layout) => `  ${JSON.stringify(layout)},\n`).join("");
  return `// Made by scripts/layout-charts.mjs from the machines' definitions; not to be edited.
import type { ChartLayout } from "../charts/layout.ts";

/** The statechart of every machine of this build, laid out. */
export const layouts: readonly ChartLayout[] = [
${lines}];
`;
}

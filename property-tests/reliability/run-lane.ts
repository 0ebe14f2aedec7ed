// One lane in a process of its own, started by scripts/reliability.mjs: node run-lane.js NAME '{"seed":1,"count":10}'
// Tells its parent of each case before it runs, and of the result.

import { register } from "node:module";
import { inspect } from "node:util";
import { LaneRun, MachineRefused } from "./lane.ts";

register("./library-loader.js", import.meta.url);
const { lanes } = await import("./lanes.ts");

const [name, options = "{}"] = process.argv.slice(2);
const lane = lanes.find((found) => found.name === name);
if (lane === undefined) throw new Error(`expected the name of a lane, got ${name}`);

const run = new LaneRun(JSON.parse(options), (at) => process.send?.({ at }));
let failure: { readonly message: string; readonly refused: boolean } | undefined;
try {
  await lane.run(run);
} catch (error) {
  const message = error instanceof MachineRefused ? error.message : inspect(error);
  failure = { message, refused: error instanceof MachineRefused };
}
const { tally, notes, at, done } = run;
process.send?.({ result: { tally, notes, at, done, failure } }, () => process.exit(0));

/** The public entry `heartwood/visualizer`. */

export type { Inspection, InspectOptions } from "./host.ts";
export { type InspectLogOptions, inspect, inspectLog } from "./inspect.ts";
export { type WritePageOptions, writePage } from "./write-page.ts";

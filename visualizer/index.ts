/** The public entry `heartwood/visualizer`. */

export { machineDefinitions } from "heartwood";
export type { Inspection, InspectOptions } from "./host.ts";
export { type InspectLogOptions, inspect, inspectLog } from "./inspect.ts";
export {
  type InspectedSnapshot,
  type InspectionEvent,
  type InspectionEventsOptions,
  inspectionEvents,
} from "./inspection-events.ts";
export { type WritePageOptions, writePage } from "./write-page.ts";

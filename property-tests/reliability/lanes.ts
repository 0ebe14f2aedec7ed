// What scripts/reliability.mjs needs of this folder.
import { fileMutations } from "./file-mutations.ts";
import type { Lane } from "./lane.ts";
import { powerLoss } from "./power-loss.ts";

export { rareClasses } from "./lane.ts";
export { scratchRoot } from "./scratch.ts";

/** All lanes, the longest first. */
export const lanes: readonly Lane[] = [fileMutations, powerLoss];

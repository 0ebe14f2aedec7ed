// What scripts/reliability.mjs needs of this folder.
import { diskFull } from "./disk-full.ts";
import { fileMutations } from "./file-mutations.ts";
import { hostileServer } from "./hostile-server.ts";
import { interleavings } from "./interleavings.ts";
import { kills } from "./kills.ts";
import type { Lane } from "./lane.ts";
import { lockMatrix } from "./lock-matrix.ts";
import { mailboxModel } from "./mailbox-model.ts";
import { modelCommands } from "./model-commands.ts";
import { powerLoss } from "./power-loss.ts";
import { rpcKills } from "./rpc-kills.ts";

export { rareClasses } from "./lane.ts";
export { scratchRoot } from "./scratch.ts";

/** All lanes, the longest first. */
export const lanes: readonly Lane[] = [
  fileMutations,
  powerLoss,
  modelCommands,
  mailboxModel,
  interleavings,
  rpcKills,
  hostileServer,
  kills,
  diskFull,
  lockMatrix,
];

import { modelCommands } from "./model-commands.ts";
import { testLane } from "./run-small.ts";

testLane(modelCommands);

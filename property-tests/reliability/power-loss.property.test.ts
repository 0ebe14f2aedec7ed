import { powerLoss } from "./power-loss.ts";
import { testLane } from "./run-small.ts";

testLane(powerLoss);

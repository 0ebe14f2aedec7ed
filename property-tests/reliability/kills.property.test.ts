import { kills } from "./kills.ts";
import { testLane } from "./run-small.ts";

testLane(kills);

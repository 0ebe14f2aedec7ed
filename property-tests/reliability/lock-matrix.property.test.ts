import { lockMatrix } from "./lock-matrix.ts";
import { testLane } from "./run-small.ts";

testLane(lockMatrix);

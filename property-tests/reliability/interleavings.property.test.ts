import { interleavings } from "./interleavings.ts";
import { testLane } from "./run-small.ts";

testLane(interleavings);

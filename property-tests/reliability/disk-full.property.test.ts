import { diskFull } from "./disk-full.ts";
import { testLane } from "./run-small.ts";

testLane(diskFull);

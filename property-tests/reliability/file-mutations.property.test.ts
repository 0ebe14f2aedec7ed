import { fileMutations } from "./file-mutations.ts";
import { testLane } from "./run-small.ts";

testLane(fileMutations);

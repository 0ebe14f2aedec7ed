import { hostileServer } from "./hostile-server.ts";
import { testLane } from "./run-small.ts";

testLane(hostileServer);

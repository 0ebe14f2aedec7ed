import { testStates } from "./fixtures.ts";

// A receive that is over takes nothing any more.
testStates({}, "Completed", "Delivered", "Expired", "Cancelled", "Abandoned", "Failed", "GivenUp");

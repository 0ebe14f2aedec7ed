import { driveMachine } from "../../machines/drive.machine.ts";
import { given, testTable } from "./drive.ts";

const finished = {
  type: "drive.finished",
  kind: "round",
  hash: "ab".repeat(32),
  throughSeq: 7n,
  outcome: "driven",
  isLatest: true,
  atMs: 0,
} as const;

testTable(
  driveMachine,
  { Watching: given(driveMachine, finished) },
  { finished, overtaken: { ...finished, isLatest: false } },
  { Watching: { finished: "Watching" } },
);

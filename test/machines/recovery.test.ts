import { recoveryMachine } from "../../machines/recovery.machine.ts";
import { given, testTable } from "./drive.ts";

const none = { spent: 0, superseded: 0, held: 0, malformed: 0, unresolvedIds: [] } as const;
const scanned = (unanswered: number) =>
  ({
    type: "recovery.scanned",
    report: { ids: 1, credited: 1 - unanswered, unresolved: unanswered, unanswered, ...none },
    atMs: 0,
  }) as const;
const requested = { type: "recovery.requested", atMs: 0 } as const;
const found = { type: "recovery.keysFound", nextKeyIndex: 5, atMs: 0 } as const;

testTable(
  recoveryMachine,
  {
    None: given(recoveryMachine),
    Restoring: given(recoveryMachine, requested),
    "Restoring without all answers": given(recoveryMachine, requested, found, scanned(1)),
    Restored: given(recoveryMachine, requested, scanned(0)),
  },
  { requested, found, "no answer": scanned(1), answered: scanned(0) },
  {
    None: { requested: "Restoring" },
    Restoring: { found: "Restoring", "no answer": "Restoring", answered: "Restored" },
    "Restoring without all answers": { answered: "Restored" },
    Restored: {},
  },
);

import { expect, test } from "vitest";
import { exitMachine } from "../../machines/exit.machine.ts";
import { step } from "../../machines/step.ts";
import { given, taken, testTable } from "./drive.ts";
import { idOf } from "./fixtures.ts";

const vtxos = [
  { id: idOf(1), amountSats: 600n },
  { id: idOf(2), amountSats: 500n },
];
const ended = { type: "exit.ended", payment: "arkoor-send/7", vtxos, movement: "exit.arkoor-send.7" } as const;
const endedWithout = { ...ended, vtxos: [] };

testTable(
  exitMachine,
  { Required: given(exitMachine), Ended: given(exitMachine, ended) },
  { ended, "ended without": endedWithout },
  { Required: { ended: "Ended: markExited, writeMovement" }, Ended: {} },
);

test("what was exited leaves with a movement of its own, which names the payment (lightning.md §11)", () => {
  const ids = [idOf(1), idOf(2)];
  expect(taken(step(exitMachine, undefined, ended)).effects).toEqual([
    { type: "markExited", params: { ids } },
    {
      type: "writeMovement",
      params: {
        movement: {
          id: "exit.arkoor-send.7",
          subsystem: "heartwood.exit",
          kind: "withdrawal",
          status: "successful",
          intendedSats: -1_100n,
          effectiveSats: -1_100n,
          feeSats: 0n,
          inputs: ids,
          outputs: [],
          exited: ids,
          sentTo: [],
          receivedOn: [],
          metadata: { payment: "arkoor-send/7" },
        },
      },
    },
  ]);
});

// The owner's word on VTXOs that only an exit brings back, of a payment that has ended: the exits were made, or are not
// worth it. No exit is made here, and no chain is asked.
//
//   owner             exit
//      │ exit.ended        │
//      ├──────────────────▶│ Ended   they leave the wallet, with a movement of their own (lightning.md §11)
import { setup } from "xstate";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { type ActionMovement, idsOf, sumOf } from "./books.ts";
import { effectActions } from "./effects.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

type ExitEvent = {
  readonly type: "exit.ended";
  /** Facts: the payment, what it left to be exited if it has ended, and the name of the movement. */
  readonly payment: string;
  readonly vtxos: readonly { readonly id: VtxoId; readonly amountSats: bigint }[];
  readonly movement: string;
};

const events: EventSchemas<ExitEvent["type"]> = { "exit.ended": [] };

const definition = setup({
  types: { events: {} as ExitEvent },
  actions: effectActions("markExited", "writeMovement"),
  guards: { hasExits: ({ event }) => event.vtxos.length > 0 },
});

/** `exit/<payment>`: nothing is at risk; what it had is gone from the wallet when the owner says so. */
export const exitMachine: MachineDefinition = {
  name: "exit",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "exit",
    initial: "Required",
    states: {
      /** Awaited: that the owner says it, however long that takes. At risk: the VTXOs, until they are exited. */
      Required: {
        on: {
          "exit.ended": {
            guard: "hasExits",
            target: "Ended",
            actions: [
              { type: "markExited", params: ({ event }) => ({ ids: idsOf(event.vtxos) }) },
              { type: "writeMovement", params: ({ event }) => ({ movement: movementOf(event) }) },
            ],
          },
        },
      },
      Ended: { type: "final" },
    },
  }),
};

/** The payment's own movement moved nothing and stays as it is: what leaves, leaves here. */
function movementOf({ movement, payment, vtxos }: ExitEvent): ActionMovement {
  const effectiveSats = -sumOf(vtxos);
  return {
    id: movement,
    subsystem: "heartwood.exit",
    kind: "withdrawal",
    status: "successful",
    intendedSats: effectiveSats,
    effectiveSats,
    feeSats: 0n,
    inputs: idsOf(vtxos),
    outputs: [],
    exited: idsOf(vtxos),
    sentTo: [],
    receivedOn: [],
    metadata: { payment },
  };
}

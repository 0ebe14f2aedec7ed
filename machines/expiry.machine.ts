// Which VTXOs are running out, and what of it the owner was told.
//
//   executors         expiry
//      │ tip.seen         │
//      ├─────────────────▶│ Watching   only where a VTXO came to another stage
import { setup } from "xstate";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

/**
 * How far a VTXO has run out: `refresh`, it should be renewed; `exit`, from here on it may be too late to leave without
 * the server; `expired`, the server can take it (docs/embedding.md).
 */
export type ExpiryStage = "refresh" | "exit" | "expired";

/** A VTXO that came to a stage; null for one that is in none any more, since the tip was not as high as it had seemed. */
export type ExpiryChange = {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  readonly expiryHeight: number;
  readonly stage: ExpiryStage | null;
};

type ExpiryContext = {
  /** The tip at which the last change was seen. */
  readonly height: number;
  readonly changes: readonly { readonly id: VtxoId; readonly stage: ExpiryStage | null }[];
};

type ExpiryEvent = {
  readonly type: "tip.seen";
  readonly height: number;
  /** Margins in force, in blocks: the server's exit delta, and how much earlier a VTXO should be renewed. */
  readonly exitDelta: number;
  readonly refreshBlocks: number;
  /** Fact: VTXOs of the wallet that are in another stage than noted. */
  readonly changes: readonly ExpiryChange[];
};

const events: EventSchemas<ExpiryEvent["type"]> = { "tip.seen": [] };

const definition = setup({
  types: { context: {} as ExpiryContext, events: {} as ExpiryEvent },
  guards: { isNews: ({ event }) => event.changes.length > 0 },
});

const note = definition.assign(({ event }) => ({
  height: event.height,
  changes: event.changes.map(({ id, stage }) => ({ id, stage })),
}));

/** `expiry/main`: one state; each record names what came to another stage. */
export const expiryMachine: MachineDefinition = {
  name: "expiry",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "expiry",
    initial: "Watching",
    context: { height: 0, changes: [] },
    states: {
      Watching: { on: { "tip.seen": { guard: "isNews", actions: [note] } } },
    },
  }),
};

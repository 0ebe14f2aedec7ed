// A wallet whose log lost its end, until server and mailbox have said what they know of that end.
//
//   salvage           salvage                       executors
//      │ wallet.salvaged   │                            │
//      ├──────────────────▶│ Reconciling                │  at risk: VTXOs that were spent in the lost records
//      │                   │◀──────────── vtxos.checked ┤ the server's word on each VTXO of the wallet
//      │◀──── holdItem ────┤ those that it does not call unspent leave the balance, into quarantine
//      │                   │◀──────── wallet.reconciled ┤ all were answered, and the mailbox was read to its end
//      │                   │ Reconciled                 │
//      │                   │◀──────────── vtxos.checked ┤ what a payment gave free later that was open at the salvage
import { setup } from "xstate";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { effectActions } from "./effects.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { HeldItem } from "./package.ts";
import type { MachineDefinition } from "./step.ts";

/** A VTXO that the server does not call unspent any more: it becomes a held item. */
export type WithdrawnVtxo = { readonly id: VtxoId; readonly amountSats: bigint; readonly key: string; readonly item: HeldItem };

type SalvageContext = {
  /** The last record that was kept, and the last one that the lost end is known to have had. */
  readonly keptSeq: bigint;
  readonly lostTo: bigint | null;
  /** Codes of the damage. */
  readonly damage: readonly string[];
  /** Keys that may have been given out in the lost end: as many are passed over. */
  readonly keyGap: number;
  /** What the last answers said. */
  readonly unspent: readonly VtxoId[];
  readonly withdrawn: readonly { readonly id: VtxoId; readonly amountSats: bigint }[];
};

type SalvageEvent =
  | {
      readonly type: "wallet.salvaged";
      readonly keptSeq: bigint;
      readonly lostTo: bigint | null;
      readonly damage: readonly string[];
      readonly keyGap: number;
    }
  | { readonly type: "vtxos.checked"; readonly unspent: readonly VtxoId[]; readonly withdrawn: readonly WithdrawnVtxo[] }
  | { readonly type: "wallet.reconciled" };

const events: EventSchemas<SalvageEvent["type"]> = {
  "wallet.salvaged": [],
  "vtxos.checked": [],
  "wallet.reconciled": [],
};

const definition = setup({
  types: { context: {} as SalvageContext, events: {} as SalvageEvent },
  actions: effectActions("holdItem"),
});

const salvage = definition.assign(({ event }) => {
  if (event.type !== "wallet.salvaged") return {};
  const { keptSeq, lostTo, damage, keyGap } = event;
  return { keptSeq, lostTo, damage, keyGap, unspent: [], withdrawn: [] };
});

const noteAnswers = definition.assign(({ event }) => {
  if (event.type !== "vtxos.checked") return {};
  return { unspent: event.unspent, withdrawn: event.withdrawn.map(({ id, amountSats }) => ({ id, amountSats })) };
});

const holdWithdrawn = definition.enqueueActions(({ event, enqueue }) => {
  if (event.type !== "vtxos.checked") return;
  for (const { key, item } of event.withdrawn) enqueue({ type: "holdItem", params: { key, item } });
});

const forgetAnswers = definition.assign({ unspent: [], withdrawn: [] });

const salvaged = { target: "Reconciling", actions: [salvage] };
const checked = { actions: [noteAnswers, holdWithdrawn] };

/** `salvage/main`: Whole → Reconciling → Reconciled, and again with each salvage. */
export const salvageMachine: MachineDefinition = {
  name: "salvage",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "salvage",
    initial: "Whole",
    context: { keptSeq: 0n, lostTo: null, damage: [], keyGap: 0, unspent: [], withdrawn: [] },
    states: {
      /** Asked about is only what a payment let go because the server did not know it. */
      Whole: { on: { "wallet.salvaged": salvaged, "vtxos.checked": checked } },
      /** Awaited: the server's word on every VTXO, and all that the mailbox still has. Nothing may be paid meanwhile. */
      Reconciling: {
        on: {
          "wallet.salvaged": salvaged,
          "vtxos.checked": checked,
          "wallet.reconciled": { target: "Reconciled", actions: [forgetAnswers] },
        },
      },
      /** What the server and the mailbox know is known again. */
      Reconciled: { on: { "wallet.salvaged": salvaged, "vtxos.checked": checked } },
    },
  }),
};

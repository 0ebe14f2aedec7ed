// What the chain says now of the outputs that the wallet's VTXOs hang from.
//
//   executors         anchors
//      │ anchors.seen     │
//      ├─────────────────▶│ Watching   only where an answer is another than the one before
import { setup } from "xstate";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

/** What the chain has against an anchor (mailbox.md W-41, vtxo.md §10). */
export type AnchorCode = "ANCHOR_NOT_FOUND" | "ANCHOR_UNCONFIRMED" | "ANCHOR_SPENT";

/** What a chain source says of an anchor at a tip. */
export type AnchorFinding = {
  /** Names the anchor as `rootOf` of `ark/lineage.ts` does. */
  readonly anchor: string;
  /** The whole output, as `<txid>:<index>`. */
  readonly outpoint: string;
  /** Null where it is in a block, deep enough, and unspent, or spent by the VTXOs' own chain alone. */
  readonly code: AnchorCode | null;
  /** What was expected and what came; null beside no code. */
  readonly message: string | null;
};

/** What was said last against an anchor. */
export type AnchorNote = {
  readonly anchor: string;
  readonly code: AnchorCode;
  /** The tip at which it was said. */
  readonly height: number;
  /** Whether it is believed: nothing pays with the VTXOs that hang from it. */
  readonly isCertain: boolean;
};

/** An anchor of which something else is believed than before; null: it is in order again. */
export type AnchorChange = { readonly anchor: string; readonly code: AnchorCode | null };

/** A VTXO that hangs from an anchor. */
export type AnchoredVtxo = { readonly anchor: string; readonly id: VtxoId; readonly amountSats: bigint };

type AnchorsContext = {
  /** The tip of the last answers that were another. */
  readonly height: number;
  /** Anchors that are not in order. */
  readonly notes: readonly AnchorNote[];
  /** What the last answers changed. */
  readonly changes: readonly AnchorChange[];
};

type AnchorsEvent = {
  readonly type: "anchors.seen";
  readonly height: number;
  /** Facts: those of anchors from which a VTXO of the wallet hangs; and these VTXOs. */
  readonly findings: readonly AnchorFinding[];
  readonly vtxos: readonly AnchoredVtxo[];
  /** Fact: anchors that are noted, and from which none hangs any more. */
  readonly gone: readonly string[];
};

/**
 * What is noted of an anchor after a finding; the note before if it says nothing new, nothing if the anchor is in order.
 *
 * That a source does not know a transaction may be its own trouble (mailbox.md W-1): it is believed when it says so again at
 * a higher tip. What it says of a transaction or an output that it knows is believed at once.
 */
export function noteAfter(
  before: AnchorNote | undefined,
  { anchor, code }: Pick<AnchorFinding, "anchor" | "code">,
  height: number,
): AnchorNote | undefined {
  if (code === null) return undefined;
  if (before?.code !== code) {
    return { anchor, code, height, isCertain: code !== "ANCHOR_NOT_FOUND" || before?.isCertain === true };
  }
  return before.isCertain || height <= before.height ? before : { anchor, code, height, isCertain: true };
}

const events: EventSchemas<AnchorsEvent["type"]> = { "anchors.seen": [] };

const definition = setup({
  types: { context: {} as AnchorsContext, events: {} as AnchorsEvent },
  guards: {
    isNews: ({ context, event }) =>
      event.findings.some((finding) => {
        const before = noteOf(context.notes, finding.anchor);
        return noteAfter(before, finding, event.height) !== before;
      }),
  },
});

const note = definition.assign(({ context, event: { findings, gone, height } }) => {
  const renewed = new Set([...findings.map(({ anchor }) => anchor), ...gone]);
  const changes: AnchorChange[] = [];
  const found: AnchorNote[] = [];
  for (const finding of findings) {
    const before = noteOf(context.notes, finding.anchor);
    const after = noteAfter(before, finding, height);
    if (after !== undefined) found.push(after);
    const code = believed(after);
    if (code !== believed(before)) changes.push({ anchor: finding.anchor, code });
  }
  return { height, changes, notes: [...context.notes.filter(({ anchor }) => !renewed.has(anchor)), ...found] };
});

function noteOf(notes: readonly AnchorNote[], anchor: string): AnchorNote | undefined {
  return notes.find((one) => one.anchor === anchor);
}

function believed(one: AnchorNote | undefined): AnchorCode | null {
  return one?.isCertain === true ? one.code : null;
}

/** `anchors/main`: one state; each record names the anchors of which the chain says something else than before. */
export const anchorsMachine: MachineDefinition = {
  name: "anchors",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "anchors",
    initial: "Watching",
    context: { height: 0, notes: [], changes: [] },
    states: {
      /** At risk: VTXOs whose anchor left the chain, or was spent, and that would be taken for money. */
      Watching: { on: { "anchors.seen": { guard: "isNews", actions: [note] } } },
    },
  }),
};

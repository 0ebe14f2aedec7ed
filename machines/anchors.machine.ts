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

/** What the chain has against the VTXOs whose path goes through an output. */
export type AnchorBreak = {
  /** That output, as `lineagePoint` of `ark/lineage.ts` writes it: of the anchor itself it holds for all that hang from it. */
  readonly point: string;
  readonly code: AnchorCode;
  /** What was expected and what came. */
  readonly message: string;
};

/** What a chain source says of an anchor at a tip. */
export type AnchorFinding = {
  /** Names the anchor as `rootOf` of `ark/lineage.ts` does. */
  readonly anchor: string;
  /** The whole output, as `<txid>:<index>`. */
  readonly outpoint: string;
  /** None where it is in a block, deep enough, and unspent, or spent by the VTXOs' own chains alone. */
  readonly breaks: readonly AnchorBreak[];
};

/** What is believed against an anchor, or below it, and what may come to be. */
export type AnchorNote = {
  readonly anchor: string;
  /** Believed: nothing pays with the VTXOs that go through these outputs. */
  readonly breaks: readonly Omit<AnchorBreak, "message">[];
  /** The tip at which it was said. */
  readonly height: number;
  /** Whether the anchor itself was not known when it was asked about last, which is not believed yet. */
  readonly isMissing: boolean;
};

/** A VTXO that one of these outputs is in the way of, or was before. */
export type AnchoredVtxo = {
  readonly anchor: string;
  readonly id: VtxoId;
  readonly amountSats: bigint;
  /** The output of the finding's breaks that its path goes through first; null if none. */
  readonly point: string | null;
  /** What was believed of it before. */
  readonly before: AnchorCode | null;
};

type AnchorsContext = {
  /** The tip of the last answers that were another. */
  readonly height: number;
  /** Anchors that are not in order. */
  readonly notes: readonly AnchorNote[];
};

type AnchorsEvent = {
  readonly type: "anchors.seen";
  readonly height: number;
  /** Facts: those of anchors from which a VTXO of the wallet hangs; and the VTXOs that they say something of. */
  readonly findings: readonly AnchorFinding[];
  readonly vtxos: readonly AnchoredVtxo[];
  /** Fact: anchors that are noted, and from which none hangs any more. */
  readonly gone: readonly string[];
};

/**
 * What is noted of an anchor after a finding; the note before if it says nothing new, nothing if the anchor is in order.
 *
 * That a source does not know a transaction may be its own trouble (mailbox.md W-1): it is believed when it says so again at
 * a higher tip, or where nothing is left to be taken away. What it says of a transaction or an output that it knows is
 * believed at once.
 */
export function noteAfter(
  before: AnchorNote | undefined,
  { anchor, breaks: found }: Pick<AnchorFinding, "anchor" | "breaks">,
  height: number,
): AnchorNote | undefined {
  if (found.length === 0) return undefined;
  const breaks = found.map(({ point, code }) => ({ point, code }));
  const { breaks: believed, isMissing } = before ?? { breaks: [], isMissing: false };
  if (before !== undefined && !isMissing && isSame(believed, breaks)) return before;
  const isDoubtful = breaks.some(({ code }) => code === "ANCHOR_NOT_FOUND") && believed.every(({ point }) => point !== anchor);
  if (!isDoubtful || (before !== undefined && isMissing && height > before.height)) {
    return { anchor, breaks, height, isMissing: false };
  }
  return isMissing ? before : { anchor, breaks: believed, height, isMissing: true };
}

function isSame(some: AnchorNote["breaks"], others: AnchorNote["breaks"]): boolean {
  const texts = new Set(some.map(textOf));
  return some.length === others.length && others.every((one) => texts.has(textOf(one)));
}

function textOf({ point, code }: AnchorNote["breaks"][number]): string {
  return `${point} ${code}`;
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
  const found = findings.flatMap((finding) => noteAfter(noteOf(context.notes, finding.anchor), finding, height) ?? []);
  return { height, notes: [...context.notes.filter(({ anchor }) => !renewed.has(anchor)), ...found] };
});

function noteOf(notes: readonly AnchorNote[], anchor: string): AnchorNote | undefined {
  return notes.find((one) => one.anchor === anchor);
}

/** `anchors/main`: one state; each record names the anchors of which the chain says something else than before. */
export const anchorsMachine: MachineDefinition = {
  name: "anchors",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "anchors",
    initial: "Watching",
    context: { height: 0, notes: [] },
    states: {
      /** At risk: VTXOs whose anchor left the chain, or was spent, and that would be taken for money. */
      Watching: { on: { "anchors.seen": { guard: "isNews", actions: [note] } } },
    },
  }),
};

import { expect, test } from "vitest";
import { type AnchorBreak, type AnchorCode, type AnchorNote, anchorsMachine } from "../../machines/anchors.machine.ts";
import { step } from "../../machines/step.ts";
import { given, testTable } from "./drive.ts";
import { idOf } from "./fixtures.ts";

const breakAt = (point: string, code: AnchorCode): AnchorBreak => ({ point, code, message: `${code} at ${point}` });

const seen = (height: number, code: AnchorCode | null, gone: readonly string[] = []) => ({
  type: "anchors.seen",
  height,
  findings: [{ anchor: "ab:0", outpoint: `${"ab".repeat(32)}:0`, breaks: code === null ? [] : [breakAt("ab:0", code)] }],
  vtxos: [{ anchor: "ab:0", id: idOf(1), amountSats: 5n, point: code === null ? null : "ab:0", before: null }],
  gone,
});

const events = {
  "in order": seen(110, null),
  unconfirmed: seen(110, "ANCHOR_UNCONFIRMED"),
  "unconfirmed again": seen(111, "ANCHOR_UNCONFIRMED"),
  spent: seen(110, "ANCHOR_SPENT"),
  "not found": seen(110, "ANCHOR_NOT_FOUND"),
  "not found at the same tip": seen(110, "ANCHOR_NOT_FOUND"),
  "not found at a lower tip": seen(109, "ANCHOR_NOT_FOUND"),
  "not found at a higher tip": seen(111, "ANCHOR_NOT_FOUND"),
} as const;

testTable(
  anchorsMachine,
  {
    Watching: given(anchorsMachine),
    "Watching what is unconfirmed": given(anchorsMachine, events.unconfirmed),
    "Watching what was not found once": given(anchorsMachine, events["not found"]),
  },
  events,
  {
    Watching: {
      unconfirmed: "Watching",
      "unconfirmed again": "Watching",
      spent: "Watching",
      "not found": "Watching",
      "not found at the same tip": "Watching",
      "not found at a lower tip": "Watching",
      "not found at a higher tip": "Watching",
    },
    "Watching what is unconfirmed": {
      "in order": "Watching",
      spent: "Watching",
      "not found": "Watching",
      "not found at the same tip": "Watching",
      "not found at a lower tip": "Watching",
      "not found at a higher tip": "Watching",
    },
    "Watching what was not found once": {
      "in order": "Watching",
      unconfirmed: "Watching",
      "unconfirmed again": "Watching",
      spent: "Watching",
      "not found at a higher tip": "Watching",
    },
  },
);

const after = (...names: (keyof typeof events)[]) => {
  const { notes } = given(anchorsMachine, ...names.map((name) => events[name]))?.context ?? {};
  const [note] = notes as readonly AnchorNote[];
  return note === undefined ? null : [...note.breaks.map(({ code }) => code), note.isMissing];
};

test("that an anchor is not in a block, or spent, is believed at once", () => {
  expect(after("unconfirmed")).toEqual(["ANCHOR_UNCONFIRMED", false]);
  expect(after("spent")).toEqual(["ANCHOR_SPENT", false]);
});

test("that nobody knows an anchor is believed when it is said at a second, higher tip (mailbox.md W-1)", () => {
  expect(after("not found")).toEqual([true]);
  expect(after("not found", "not found at a higher tip")).toEqual(["ANCHOR_NOT_FOUND", false]);
  expect(after("not found", "in order")).toBeNull();
});

test("what is believed below an anchor stays so while the anchor itself is not known", () => {
  const below = { ...events.spent, findings: [{ anchor: "ab:0", outpoint: "", breaks: [breakAt("cd:0", "ANCHOR_SPENT")] }] };
  const notes = (...following: object[]) => given(anchorsMachine, below, ...(following as (typeof below)[]))?.context.notes;
  const believed = { breaks: [{ point: "cd:0", code: "ANCHOR_SPENT" }] };
  expect(notes(events["not found"])).toEqual([{ anchor: "ab:0", ...believed, height: 110, isMissing: true }]);
  expect(notes(events["not found"], below)).toEqual([{ anchor: "ab:0", ...believed, height: 110, isMissing: false }]);
  const gone = notes(events["not found"], events["not found at a higher tip"]);
  expect(gone).toMatchObject([{ breaks: [{ point: "ab:0", code: "ANCHOR_NOT_FOUND" }], isMissing: false }]);
});

test("what is in the mempool and then not even there gives nothing back", () => {
  expect(after("unconfirmed", "not found")).toEqual(["ANCHOR_NOT_FOUND", false]);
});

test("an anchor that is in order again is noted no more, nor one from which nothing hangs", () => {
  expect(after("spent", "in order")).toBeNull();
  const other = { ...events.spent, findings: [{ anchor: "cd:1", outpoint: "", breaks: [breakAt("cd:1", "ANCHOR_SPENT")] }] };
  const instance = given(anchorsMachine, events.spent, { ...other, gone: ["ab:0"] });
  expect(instance?.context.notes).toMatchObject([{ anchor: "cd:1" }]);
});

test("another break below the same anchor is news, the same ones in another order are none", () => {
  const [one, two] = [breakAt("cd:0", "ANCHOR_SPENT"), breakAt("cd:1", "ANCHOR_SPENT")];
  const found = (...breaks: AnchorBreak[]) => ({ ...events.spent, findings: [{ anchor: "ab:0", outpoint: "", breaks }] });
  const noted = given(anchorsMachine, found(one), found(one, two));
  expect(noted?.context.notes).toMatchObject([{ breaks: [{ point: "cd:0" }, { point: "cd:1" }], isMissing: false }]);
  expect(step(anchorsMachine, noted, found(two, one)).kind).toBe("unexpected");
});

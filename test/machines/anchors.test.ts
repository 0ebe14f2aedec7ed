import { expect, test } from "vitest";
import { type AnchorCode, type AnchorNote, anchorsMachine } from "../../machines/anchors.machine.ts";
import { given, testTable } from "./drive.ts";
import { idOf } from "./fixtures.ts";

const seen = (height: number, code: AnchorCode | null, gone: readonly string[] = []) => ({
  type: "anchors.seen",
  height,
  findings: [{ anchor: "ab:0", outpoint: `${"ab".repeat(32)}:0`, code, message: code }],
  vtxos: [{ anchor: "ab:0", id: idOf(1), amountSats: 5n }],
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
  const { changes, notes } = given(anchorsMachine, ...names.map((name) => events[name]))?.context ?? {};
  const [note] = notes as readonly AnchorNote[];
  return { changes, note: note === undefined ? null : [note.code, note.isCertain] };
};

test("that an anchor is not in a block, or spent, is believed at once", () => {
  for (const [name, code] of [
    ["unconfirmed", "ANCHOR_UNCONFIRMED"],
    ["spent", "ANCHOR_SPENT"],
  ] as const) {
    expect(after(name)).toEqual({ changes: [{ anchor: "ab:0", code }], note: [code, true] });
  }
});

test("that nobody knows an anchor is believed when it is said at a second, higher tip (mailbox.md W-1)", () => {
  expect(after("not found")).toEqual({ changes: [], note: ["ANCHOR_NOT_FOUND", false] });
  const code = "ANCHOR_NOT_FOUND";
  expect(after("not found", "not found at a higher tip")).toEqual({ changes: [{ anchor: "ab:0", code }], note: [code, true] });
  expect(after("not found", "in order")).toEqual({ changes: [], note: null });
});

test("what is in the mempool and then not even there gives nothing back", () => {
  const code = "ANCHOR_NOT_FOUND";
  expect(after("unconfirmed", "not found")).toEqual({ changes: [{ anchor: "ab:0", code }], note: [code, true] });
});

test("an anchor that is in order again is noted no more, nor one from which nothing hangs", () => {
  expect(after("spent", "in order")).toEqual({ changes: [{ anchor: "ab:0", code: null }], note: null });
  const other = { ...events.spent, findings: [{ anchor: "cd:1", outpoint: "", code: "ANCHOR_SPENT", message: "" }] };
  const instance = given(anchorsMachine, events.spent, { ...other, gone: ["ab:0"] });
  expect(instance?.context.notes).toMatchObject([{ anchor: "cd:1" }]);
});

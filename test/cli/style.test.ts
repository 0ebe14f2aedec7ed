import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { formatEvent } from "../../cli/event-view.ts";
import { formatChange, formatDuration, formatSats, formatTime, plural, shortenId } from "../../cli/format.ts";
import { Progress } from "../../cli/progress.ts";
import { styleFor, widthOf } from "../../cli/style.ts";
import { formatPairs, formatTable } from "../../cli/table.ts";

const plain = styleFor({ isTTY: false }, {});
const coloured = styleFor({ isTTY: true }, { TERM: "xterm" });

describe("colour", () => {
  it("is there on a terminal only, and not where NO_COLOR or a dumb terminal forbids it", () => {
    expect(coloured.bad("x")).toBe("\u001b[31mx\u001b[39m");
    for (const style of [
      plain,
      styleFor({}, {}),
      styleFor({ isTTY: true }, { NO_COLOR: "1" }),
      styleFor({ isTTY: true }, { TERM: "dumb" }),
    ])
      expect(style.bad("x")).toBe("x");
    expect(styleFor({ isTTY: true }, { NO_COLOR: "" }).bad("x")).not.toBe("x");
  });

  it("takes no room in a table", () => {
    expect(widthOf(coloured.bad("abc"))).toBe(3);
    const lines = formatTable(
      [{ heading: "id" }, { heading: "sats", align: "right" }, { heading: "kind" }],
      [
        ["a", coloured.good("100"), "x"],
        ["longer", "1", "y"],
      ],
      plain,
    );
    expect(lines.map((line) => stripVTControlCharacters(line))).toEqual([
      "id      sats  kind",
      "a        100  x",
      "longer     1  y",
    ]);
  });

  it("pairs without a value are left out", () => {
    expect(
      formatPairs(
        [
          ["a", "1"],
          ["gone", undefined],
          ["bb", "2"],
        ],
        plain,
      ),
    ).toEqual(["a   1", "bb  2"]);
  });
});

describe("progress", () => {
  function screen(isTTY: boolean) {
    const written: string[] = [];
    return { isTTY, columns: 20, write: (text: string) => written.push(text), written };
  }

  it("is one plain line for each new text where there is no terminal", () => {
    const stream = screen(false);
    const progress = new Progress(stream);
    progress.update("one");
    progress.update("one");
    progress.update("two");
    progress.clear();
    expect(stream.written).toEqual(["one\n", "two\n"]);
  });

  it("speaks words that tell how long something takes when they are drawn", () => {
    const stream = screen(false);
    const progress = new Progress(stream);
    let passed = 0;
    for (const attempts of [1, 2]) progress.update(() => `attempt ${attempts}, ${++passed} s`);
    progress.clear();
    expect(stream.written).toEqual(["attempt 1, 1 s\n", "attempt 2, 2 s\n"]);
    const terminal = { ...screen(true), columns: 40 };
    new Progress(terminal).update("connecting", () => `${++passed} s`);
    expect(terminal.written[0]).toContain("connecting 3 s");
  });

  it("is one line that never wraps and goes away on a terminal", () => {
    const stream = screen(true);
    const progress = new Progress(stream);
    progress.update("a".repeat(100));
    progress.clear();
    expect(stream.written).toHaveLength(2);
    expect(stream.written.join("")).not.toContain("\n");
    expect(widthOf(stream.written[0]?.replaceAll("\r", "") ?? "")).toBeLessThan(20);
    expect(stream.written[1]).toBe("\r\u001b[2K");
  });

  it("is whole on a terminal that says that it is 0 columns wide", () => {
    const terminal = { ...screen(true), columns: 0 };
    new Progress(terminal).update("reading", "5 of 7 records");
    expect(terminal.written[0]).toContain("reading 5 of 7 records");
  });
});

describe("formats", () => {
  it("are easy to read", () => {
    expect(formatSats(1_234_567n)).toBe("1,234,567 sat");
    expect([formatChange(5n), formatChange(-1000n), formatChange(0n)]).toEqual(["+5 sat", "-1,000 sat", "0 sat"]);
    expect([plural(1, "VTXO"), plural(1000, "VTXO"), plural(2, "entry", "entries")]).toEqual([
      "1 VTXO",
      "1,000 VTXOs",
      "2 entries",
    ]);
    expect([formatTime(0), formatTime(Number.NaN)]).toEqual(["1970-01-01 00:00:00Z", "NaN"]);
    expect([0, 59_999, 65_000].map(formatDuration)).toEqual(["0 s", "59 s", "1 min 5 s"]);
    expect(shortenId(`${"0123456789abcdef".repeat(4)}:7`)).toBe("01234567…89abcdef:7");
    expect(shortenId("short:1")).toBe("short:1");
  });
});

it("an event of a payment says why, with the code alone where nothing more is told", () => {
  const notice = { seq: 7n, atMs: 0, type: "payment.changed", payment: "p/1", movement: "p.1", state: "Stuck" } as const;
  const shown = (code: string | null, message: string | null) =>
    formatEvent({ ...notice, status: "pending", code, message }, plain).split("Stuck")[1];
  expect([shown(null, null), shown("BAD\u0007", null), shown("BAD", "no\u0007")]).toEqual(["", "  BAD\\u{7}", "  BAD: no\\u{7}"]);
});

import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readLines } from "../../cli/lines.ts";

async function split(chunks: string[], maxBytes = 10): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = [];
  const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  for await (const line of readLines(source, maxBytes)) lines.push(line && Buffer.from(line).toString());
  return lines;
}

describe("readLines", () => {
  it.each([
    ["nothing", [""], []],
    ["one line with its end", ["a\n"], ["a"]],
    ["a last line without its end", ["a\nb"], ["a", "b"]],
    ["blank lines", ["\n\na\n\n"], ["", "", "a", ""]],
    ["CRLF", ["a\r\nb\rc\r\n\r\n"], ["a", "b\rc", ""]],
    ["CRLF cut between chunks", ["a\r", "\nb\r"], ["a", "b"]],
    ["a line in many chunks", ["ab", "cd", "e\nf", "g\n"], ["abcde", "fg"]],
  ])("takes %s", async (_, chunks, lines) => {
    expect(await split(chunks)).toEqual(lines);
  });

  it("gives the same lines for every way of cutting the input", async () => {
    const text = "abc\n\r\n0123456789\r\n01234567890\nxyz\n\nend";
    const expected = ["abc", "", "0123456789", undefined, "xyz", "", "end"];
    for (let size = 1; size <= text.length; size++) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
      expect(await split(chunks), `chunks of ${size}`).toEqual(expected);
    }
  });

  it("answers a line that is too long once and goes on", async () => {
    expect(await split(["a".repeat(50), "a".repeat(50), "\nok\n", "b".repeat(11)])).toEqual([undefined, "ok", undefined]);
  });

  it("keeps taken lines apart from what follows", async () => {
    const taken: Uint8Array[] = [];
    for await (const line of readLines(Readable.from([Buffer.from("aaaa\nbb\n")]), 10)) taken.push(line ?? new Uint8Array());
    expect(taken.map((line) => Buffer.from(line).toString())).toEqual(["aaaa", "bb"]);
  });

  it("does not read ahead of whoever takes the lines, and holds no more of an endless line than allowed", async () => {
    let produced = 0;
    const block = Buffer.alloc(64 * 1024, "x");
    async function* endless() {
      for (; produced < 2000; produced++) yield block;
      yield Buffer.from("\nnext\n");
      produced++;
      yield Buffer.from("more\n");
    }
    const lines = readLines(endless(), 1024);
    const before = process.memoryUsage().arrayBuffers;
    expect((await lines.next()).value).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    expect(Buffer.from((await lines.next()).value ?? []).toString()).toBe("next");
    expect(produced).toBe(2000);
  });
});

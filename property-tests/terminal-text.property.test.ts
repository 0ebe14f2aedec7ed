import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { escapeText } from "../cli/escape.ts";
import { toJson } from "../cli/json.ts";
import { readLines } from "../cli/lines.ts";
import { propertyOptions } from "./options.ts";

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("\u001b[2J", "\u202e", "\n", "\ud800", "a"),
  ),
  maxLength: 40,
});

it("nothing that a terminal obeys gets through, and no two texts look the same", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(escapeText(a)).not.toMatch(UNSAFE);
      if (a !== b && !/\p{M}/u.test(a + b)) expect(escapeText(a)).not.toBe(escapeText(b));
    }),
    propertyOptions(),
  );
});

it("JSON lines are safe for a terminal and say what was meant", () => {
  fc.assert(
    fc.property(fc.dictionary(text, fc.oneof(text, fc.integer(), fc.constant(null)), { noNullPrototype: true }), (value) => {
      const line = toJson(value);
      expect(line).not.toMatch(UNSAFE);
      expect(JSON.parse(line)).toEqual(value);
    }),
    propertyOptions(),
  );
});

it("lines do not depend on how the input is cut", async () => {
  const input = fc.array(fc.oneof(fc.constantFrom("\n", "\r\n", "\r", "0123456789", "01234567"), fc.string({ maxLength: 4 })), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(input, fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 8 }), async (parts, sizes) => {
      const whole = Buffer.from(parts.join(""));
      expect(await collect(cutIn(whole, sizes))).toEqual(await collect([whole]));
      expect(await collect([whole])).toEqual(expectedLines(whole.toString("latin1")));
    }),
    propertyOptions(),
  );
});

const MAX_BYTES = 8;

function expectedLines(whole: string): (string | undefined)[] {
  const lines = whole.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(/\r$/, "")).map((line) => (line.length > MAX_BYTES ? undefined : line));
}

function cutIn(whole: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < whole.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    chunks.push(whole.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

async function collect(chunks: Buffer[]): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = [];
  for await (const line of readLines(Readable.from(chunks), MAX_BYTES)) lines.push(line && Buffer.from(line).toString("latin1"));
  return lines;
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCanonical, encodeCanonical, equalPlain, type Plain } from "../machines/canonical.ts";
import { MachineError } from "../machines/errors.ts";
import { propertyOptions } from "./options.ts";

const name = fc.string({ unit: "binary", maxLength: 6 }).filter((text) => !text.startsWith("$"));
const { value: plain } = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test("every plain value comes back from its canonical text", () => {
  fc.assert(
    fc.property(plain, (value) => {
      const text = encodeCanonical(value);
      expect(decodeCanonical(text)).toEqual(zeroed(value));
      expect(encodeCanonical(decodeCanonical(text))).toBe(text);
    }),
    propertyOptions(500),
  );
});

test("the text of an object does not depend on the order of its members", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, plain), { maxLength: 5, selector: ([key]) => key }), (members) => {
      const text = encodeCanonical(Object.fromEntries(members));
      expect(encodeCanonical(Object.fromEntries(members.toReversed()))).toBe(text);
    }),
    propertyOptions(200),
  );
});

test("two values are equal if they have one text, and only then", () => {
  const pair = fc.oneof(
    fc.tuple(plain, plain),
    plain.map((value) => [value, decodeCanonical(encodeCanonical(value))] as const),
    fc.tuple(plain, fc.nat(), fc.string({ maxLength: 2 })).map(([value, at, put]) => [value, changedAt(value, at, put)] as const),
  );
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const isOne = encodeCanonical(a) === encodeCanonical(b);
      expect([equalPlain(a, b), equalPlain(b, a)]).toEqual([isOne, isOne]);
    }),
    propertyOptions(1_000),
  );
});

test("any text is either the canonical text of what it decodes to, or refused as NOT_CANONICAL", () => {
  const changed = fc.tuple(plain, fc.nat(), fc.string({ maxLength: 2 })).map(([value, at, put]) => {
    const text = encodeCanonical(value);
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + 1);
  });
  fc.assert(
    fc.property(fc.oneof(changed, fc.json(), fc.string()), (text) => {
      try {
        expect(encodeCanonical(decodeCanonical(text))).toBe(text);
      } catch (error) {
        expect(error).toBeInstanceOf(MachineError);
        expect(error).toMatchObject({ code: "NOT_CANONICAL" });
      }
    }),
    propertyOptions(1_000),
  );
});

/** The value of a text with a character in another's place; the value itself where that is no canonical text. */
function changedAt(value: Plain, at: number, put: string): Plain {
  const text = encodeCanonical(value);
  const place = at % text.length;
  try {
    return decodeCanonical(text.slice(0, place) + put + text.slice(place + 1));
  } catch {
    return value;
  }
}

/** JSON has no minus zero. */
function zeroed(value: Plain): Plain {
  return typeof value === "number" && value === 0 ? 0 : value;
}

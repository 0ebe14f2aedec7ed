import { expect, test } from "vitest";
import { decodeCanonical, encodeCanonical, equalPlain, type Plain } from "../../machines/canonical.ts";

const refusal = expect.objectContaining({ code: "NOT_CANONICAL" });

test.each<[Plain, string]>([
  [null, "null"],
  [true, "true"],
  [-0, "0"],
  [12, "12"],
  [12n, '{"$n":"12"}'],
  [-1n, '{"$n":"-1"}'],
  [Uint8Array.of(0, 255), '{"$b":"00ff"}'],
  [new Uint8Array(), '{"$b":""}'],
  ["ä\n", '"ä\\n"'],
  [[1, [2n]], '[1,[{"$n":"2"}]]'],
  [{ b: 1, a: null }, '{"a":null,"b":1}'],
  [{}, "{}"],
])("the text of %o is %s, and back", (value, text) => {
  expect(encodeCanonical(value)).toBe(text);
  expect(decodeCanonical(text)).toEqual(Object.is(value, -0) ? 0 : value);
});

test("members that are undefined are left out", () => {
  expect(encodeCanonical({ b: undefined, a: 1 })).toBe('{"a":1}');
});

test("equal are values of one text: a member that is undefined is as one that is not there, and none is inherited", () => {
  expect(equalPlain({ b: undefined, a: [1n] }, { a: [1n] })).toBe(true);
  expect(equalPlain({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
  expect(equalPlain(-0, 0)).toBe(true);
  const others: [Plain | undefined, Plain | undefined][] = [
    [{}, { toString: 1 }],
    [{}, { a: null }],
    [[], {}],
    [[1], [1, 2]],
    [new Uint8Array(), {}],
    [new Uint8Array(1), [0]],
    [1, 1n],
    ["1", 1],
    [null, {}],
    [undefined, null],
  ];
  for (const [a, b] of others) expect([equalPlain(a, b), equalPlain(b, a)]).toEqual([false, false]);
});

test("a member named __proto__ is carried like any other", () => {
  const text = '{"__proto__":{"a":1}}';
  expect(encodeCanonical(decodeCanonical(text))).toBe(text);
});

test.each<[string, unknown]>([
  ["a fraction", 0.5],
  ["an unsafe integer", 2 ** 53],
  ["a NaN", Number.NaN],
  ["an infinity", Number.POSITIVE_INFINITY],
  ["a name that begins with $", { $x: 1 }],
  ["a function", () => 1],
  ["a symbol", Symbol("x")],
  ["an undefined", undefined],
])("%s has no canonical text", (_what, value) => {
  expect(() => encodeCanonical(value as Plain)).toThrow(refusal);
  expect(() => encodeCanonical([value as Plain])).toThrow(refusal);
});

test.each([
  "",
  " 1",
  "1 ",
  "01",
  "-0",
  "1.0",
  "1e2",
  "0.5",
  "9007199254740993",
  "undefined",
  '{"b":1,"a":2}',
  '{"a": 1}',
  '{"a":1,"a":1}',
  '{"$n":"012"}',
  '{"$n":"-0"}',
  '{"$n":12}',
  '{"$n":"1","a":1}',
  '{"$b":"0"}',
  '{"$b":"FF"}',
  '{"$b":"0g"}',
  '{"$x":"1"}',
  '"\\u0061"',
  '"\\/"',
  "[1,]",
])("%s is not the canonical text of anything", (text) => {
  expect(() => decodeCanonical(text)).toThrow(refusal);
});

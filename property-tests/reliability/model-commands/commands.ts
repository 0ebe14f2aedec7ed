import fc from "fast-check";

/** A way to open the log again. */
export type Way = "writable" | "verifying what is needed" | "read-only";

/** Something that a user of a log does. Shares are of the records there are, so that they fit whatever came before. */
export type Command =
  /** Calls that do not wait for each other; each names how large its records are. */
  | { readonly kind: "append"; readonly calls: readonly (readonly number[])[]; readonly staggered: boolean }
  | { readonly kind: "append in conflict"; readonly epochOff: number; readonly seqOff: number }
  | { readonly kind: "append what is no record"; readonly what: "nothing" | "garbage" | "another seq" }
  | { readonly kind: "read all" }
  | { readonly kind: "read a part"; readonly from: number; readonly to: number }
  | { readonly kind: "get"; readonly share: number }
  | { readonly kind: "out of range"; readonly beyond: boolean }
  | { readonly kind: "save a snapshot"; readonly share: number; readonly parts: readonly number[] }
  | { readonly kind: "list snapshots" }
  | { readonly kind: "open twice" }
  | { readonly kind: "reopen"; readonly way: Way }
  /** Closes while appends are under way, and uses the closed log. */
  | { readonly kind: "abandon"; readonly calls: readonly (readonly number[])[]; readonly way: Way };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.oneof({ weight: 30, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.nat(9_000) });
const calls = fc.array(fc.array(length, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 });
const way = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Way>("writable") },
  { weight: 3, arbitrary: fc.constant<Way>("verifying what is needed") },
  { weight: 1, arbitrary: fc.constant<Way>("read-only") },
);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 34, arbitrary: fc.record({ kind: fc.constant("append" as const), calls, staggered: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("append in conflict" as const),
      epochOff: fc.integer({ min: -1, max: 1 }),
      seqOff: fc.constantFrom(-1, 1, 1_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("append what is no record" as const),
      what: fc.constantFrom("nothing" as const, "garbage" as const, "another seq" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("read all" as const) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("read a part" as const), from: share, to: share }) },
  { weight: 16, arbitrary: fc.record({ kind: fc.constant("get" as const), share }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("out of range" as const), beyond: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("save a snapshot" as const),
      share,
      parts: fc.array(fc.nat(400), { maxLength: 3 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("list snapshots" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("open twice" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("reopen" as const), way }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("abandon" as const), calls, way }) },
);

/** What happens to one log from its creation on. */
export const life: fc.Arbitrary<readonly Command[]> = fc.array(command, { minLength: 1, maxLength: 220, size: "max" });

import fc from "fast-check";
import { expect, test } from "vitest";
import { PAYMENT_OUTCOMES } from "../simulator/index.ts";
import type { Fate } from "../test/engine/payments/boundaries.ts";
import { propertyOptions } from "./options.ts";
import { complaintsAbout, type Step, type Story } from "./payments/run.ts";

const fate = fc.constantFrom<Fate>("through", "through", "through", "lost", "fails", "repeated", "dies before", "dies after");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pay" as const), invoice: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("mine" as const), blocks: fc.constantFrom(1, 3, 250) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("notices" as const), dropped: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "kill" }) },
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "wait" }) },
);
const story: fc.Arbitrary<Story> = fc.record({
  outcomes: fc.array(fc.constantFrom(...PAYMENT_OUTCOMES), { minLength: 2, maxLength: 2 }),
  endings: fc.array(fc.constantFrom("success" as const, "failure" as const), { minLength: 2, maxLength: 2 }),
  steps: fc
    .array(step, { minLength: 2, maxLength: 7 })
    .map((steps): readonly Step[] => [{ kind: "pay", invoice: 0 }, { kind: "wait" }, ...steps]),
  fates: fc.array(fate, { maxLength: 25 }),
});

test("whatever gets lost, repeated or killed, payments end as the server's books say, and the wallet's balance", {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(story, async (lived) => {
      expect(await complaintsAbout(lived)).toEqual([]);
    }),
    propertyOptions<[Story]>(6),
  );
});

import { expect, it } from "vitest";
import { describeKnownAnswers } from "../ark/suites/all.ts";
import { rejectionsWithoutAnchor } from "../ark/suites/rejection.ts";
import { loadKnownAnswers } from "../vectors.ts";

const directory = process.env.UPSTREAM_VECTORS;
if (directory === undefined) throw new Error("run this through npm run test:upstream -- DIRECTORY");
const answers = loadKnownAnswers(directory);

describeKnownAnswers(answers);

it("the file is the full one: the strings published with the reference are in it, and every anchor", () => {
  expect(answers.vtxos.filter(({ origin }) => origin === "upstream")).toHaveLength(12);
  expect(rejectionsWithoutAnchor(answers)).toEqual([]);
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CHAIN_FAULTS, CORRUPTIONS, GRANT_FAULTS, INVOICE_FAULTS, PAYMENT_OUTCOMES } from "../../simulator/index.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const documentation = read("../../docs/simulator.md");

test("the example in the documentation is the one that is tested", () => {
  expect(documentation).toContain(`\`\`\`ts\n${read("./documented-example.test.ts").trimEnd()}\n\`\`\``);
});

test("the documentation names every error code, fault, outcome and corruption", () => {
  const codes = [...read("../../simulator/errors.ts").matchAll(/\| "([A-Z_]+)"/g)].map(([, code]) => code ?? "");
  expect(codes.length).toBeGreaterThan(10);
  const faults = [...CHAIN_FAULTS, ...CORRUPTIONS, ...INVOICE_FAULTS, ...GRANT_FAULTS, ...PAYMENT_OUTCOMES];
  for (const name of [...codes, ...faults]) expect(documentation).toContain(`\`${name}\``);
});

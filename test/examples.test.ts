import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

test("the example of the README receives a payment", () => {
  const printed = execFileSync(process.execPath, ["dist/examples/receive.js"], { encoding: "utf8", timeout: 30_000 });
  expect(printed).toBe("received 21000 sat, balance 21000 sat\n");
});

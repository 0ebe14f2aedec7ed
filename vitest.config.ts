import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const alias = [
  { find: /^heartwood$/, replacement: source("./engine/index.ts") },
  { find: /^heartwood\/(ark|store|simulator|visualizer)$/, replacement: source("./$1/index.ts") },
];

/** What takes long, so that `npm test` stays under three minutes: `npm run test:slow` runs these, CI both. */
const SLOW = [
  "property-tests/payments.property.test.ts",
  "property-tests/receive-kills.property.test.ts",
  "property-tests/receives.property.test.ts",
  "property-tests/sends.property.test.ts",
  "test/cli/docs.test.ts",
  "test/cli/live.test.ts",
  "test/cli/send.test.ts",
  "test/cli/simulate.test.ts",
  "test/cli/vtxo-check.test.ts",
  "test/cli/wallet.test.ts",
  "test/engine/double-drive.test.ts",
  "test/engine/growth.test.ts",
  "test/engine/lightning-lies.test.ts",
  "test/engine/migrations.test.ts",
  "test/engine/pay-after-salvage.test.ts",
  "test/engine/pay-inputs.test.ts",
  "test/engine/pay-kills.test.ts",
  "test/engine/pay-restore.test.ts",
  "test/engine/pay-same-invoice.test.ts",
  "test/engine/pay-scenarios.test.ts",
  "test/engine/pay-terms.test.ts",
  "test/engine/poison.test.ts",
  "test/engine/receive-cancel.test.ts",
  "test/engine/receive-old-copy.test.ts",
  "test/engine/restore-seed-long.test.ts",
  "test/engine/restore-seed.test.ts",
  "test/engine/salvage.test.ts",
  "test/engine/snapshots.test.ts",
  "test/engine/unsolicited.test.ts",
  "test/simulator/lightning-send.test.ts",
  "test/store/owner.test.ts",
  "test/store/salvage.test.ts",
];
/** The visualizer's page, in the system's Chromium: `npm run test:browser`. */
const BROWSER = ["test/**/*.browser.test.ts"];
/** The same with a million records, a minute and a half of one core: `npm run test:million`. */
const MILLION = ["test/visualizer/million.browser.test.ts"];
const tests = ["test/**/*.test.ts", "property-tests/**/*.property.test.ts"];

export default defineConfig(({ mode }) => ({
  resolve: { alias },
  test: {
    include: mode === "slow" ? SLOW : mode === "browser" ? BROWSER : mode === "million" ? MILLION : tests,
    exclude: [
      "test/upstream/**",
      ...(mode === "slow" ? [] : SLOW),
      ...(mode === "browser" || mode === "million" ? [] : BROWSER),
      ...(mode === "million" ? [] : MILLION),
    ],
    globalSetup: ["test/build.ts"],
    // For what hangs, not for what is slow: others have the machine as well.
    testTimeout: mode === "browser" ? 120_000 : 55_000,
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 55_000,
    pool: "forks",
    isolate: false, // files of a worker share what they import; none changes it
    maxWorkers: mode === "browser" ? 1 : 2, // one browser for all; else the default leaves a core of two idle
  },
}));

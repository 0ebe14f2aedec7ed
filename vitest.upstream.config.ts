import { defineConfig } from "vitest/config";

/** The known answers that are published with the reference and not copied here: `npm run test:upstream -- DIRECTORY`. */
export default defineConfig({
  test: { include: ["test/upstream/**/*.test.ts"], testTimeout: 30_000 },
});

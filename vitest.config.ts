import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const alias = [
  { find: /^heartwood$/, replacement: source("./engine/index.ts") },
  { find: /^heartwood\/(ark|store|simulator|visualizer)$/, replacement: source("./$1/index.ts") },
];

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/**/*.test.ts", "property-tests/**/*.property.test.ts"],
    exclude: ["test/upstream/**"],
    globalSetup: ["test/build.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    isolate: false, // files of a worker share what they import; none changes it
    maxWorkers: 2, // the default leaves a core of two idle
  },
});

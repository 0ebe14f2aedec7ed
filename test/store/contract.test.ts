import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { createLevelLog, createMemoryLog, openLevelLog, storeContract } from "../../store/index.ts";

describe("in memory", () => {
  storeContract({ test, create: async () => createMemoryLog() });
});

describe("on LevelDB", () => {
  storeContract({
    test,
    async create() {
      const parent = await mkdtemp(join(tmpdir(), "heartwood-contract-"));
      const directory = join(parent, "log");
      await createLevelLog(directory);
      return {
        open: (options) => openLevelLog(directory, options),
        remove: () => rm(parent, { recursive: true, force: true }),
      };
    },
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { measureCommits } from "./commits.ts";
const directory = await mkdtemp(join(process.env.BENCH_DIR ?? "/tmp", "heartwood-bench-"));
try { for (const records of [1, 64]) console.log(JSON.stringify(await measureCommits(directory, records), null, 0)); }
finally { await rm(directory, { recursive: true, force: true }); }

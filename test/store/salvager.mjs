// Salvages mutated copies of a store in a process of its own, which LevelDB could end:
// node salvager.mjs DIRECTORY SCRATCH SEED COUNT
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isStoreError, openLevelLog, salvageStore } from "../../dist/store/index.js";

const [directory, scratch, seed, count] = process.argv.slice(2);
const [copy, to] = [join(scratch, "copy"), join(scratch, "salvaged")];

let state = Number(seed);
/** As seededRandom() in helpers.ts. */
function random(below) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/** Flips, zeroes or cuts a place of a file of the database. */
function mutate() {
  const names = readdirSync(join(copy, "log")).filter((name) => /\.(ldb|log)$|^MANIFEST/.test(name));
  const name = names[random(names.length)];
  const content = readFileSync(join(copy, "log", name));
  if (content.length === 0) return `${name} is empty`;
  const [kind, at] = [random(6), random(content.length)];
  if (kind < 4) content[at] ^= 1 << random(8);
  if (kind === 4) content.fill(0, at, Math.min(at + 64, content.length));
  writeFileSync(join(copy, "log", name), kind === 5 ? content.subarray(0, at) : content);
  return `${name}: ${["flipped", "flipped", "flipped", "flipped", "zeroed", "cut"][kind]} at ${at}`;
}

async function codeOf(action) {
  try {
    await action();
    return "ok";
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
}

for (let index = 0; index < Number(count); index++) {
  cpSync(directory, copy, { recursive: true });
  const mutations = Array.from({ length: 1 + random(2) }, mutate).join(", ");
  writeSync(1, `${JSON.stringify({ mutations })}\n`);
  const salvage = await codeOf(async () => {
    const { kept } = await salvageStore(copy, to);
    await (await openLevelLog(to)).close();
    if (kept.seq === 0n) throw new Error("kept nothing");
  });
  const opening = await codeOf(async () => (await openLevelLog(copy, { readOnly: true })).close());
  writeSync(1, `${JSON.stringify({ mutations, salvage, opening })}\n`);
  for (const path of [copy, to]) rmSync(path, { recursive: true, force: true });
}

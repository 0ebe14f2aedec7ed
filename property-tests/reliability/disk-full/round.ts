// Fills a log until its disk is full, several times, with room made in between: node round.js SMALL_DISK SEED
// Ends with an error where something acknowledged is lost; else says what it counted.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLevelLog, isStoreError, openLevelLog, type SnapshotLog, type StoreErrorCode } from "../../../store/index.ts";
import { checkThatItGoesOn } from "../promises.ts";
import { Random } from "../random.ts";
import { checkRecords, collect, recordBody } from "../records.ts";

const [disk = "", seed = "0"] = process.argv.slice(2);
const random = new Random(Number(seed));
const wallet = join(disk, "wallet");
const FILLINGS = 2;
const TRIES_WHILE_FULL = 2;
const counts: { [name: string]: number } = {};
let acknowledged = 0n;

await createLevelLog(wallet);
for (let filling = 0; filling < FILLINGS; filling++) {
  // What takes the room away, and gives it back afterwards: more than LevelDB needs to put its log into a table.
  const ballast = join(disk, "ballast");
  await writeFile(ballast, new Uint8Array((random.below(40) + 220) * 1024));
  await fill();
  for (let attempt = 0; attempt < TRIES_WHILE_FULL; attempt++) await openWhileFull();
  await rm(ballast);
  await check();
  await checkThatItGoesOnHere();
  // An older store would leave no room for the next filling.
  await rm(wallet, { recursive: true });
  await createLevelLog(wallet);
  acknowledged = 0n;
}
process.stdout.write(JSON.stringify(counts));

/** Appends until a write fails, and a little longer. */
async function fill(): Promise<void> {
  const log = await openLevelLog(wallet);
  const refusals: StoreErrorCode[] = [];
  let isFull = false;
  while (!isFull) {
    const results = await Promise.allSettled(appendSome(log));
    for (const result of results) {
      if (result.status === "rejected") refusals.push(codeOf(result.reason));
    }
    isFull = refusals.length > 0;
  }
  // Appends that shared the commit that failed learn why; all that come later, that the log is poisoned.
  assert.equal(refusals[0], "STORE_FULL", `expected STORE_FULL first, got ${refusals.join(", ")}`);
  for (const code of refusals) assert.ok(code === "STORE_FULL" || code === "STORE_POISONED", code);
  for (const result of await Promise.allSettled(appendSome(log))) {
    assert.equal(result.status === "rejected" ? codeOf(result.reason) : "an acknowledgement", "STORE_POISONED");
    refusals.push("STORE_POISONED");
  }
  for (const code of refusals) add(code, 1);
  await log.close().catch((error: unknown) => assert.equal(codeOf(error), "STORE_FULL"));
}

/** One to four appends that do not wait for each other. */
function appendSome(log: SnapshotLog): Promise<void>[] {
  const { epoch, seq } = log.head();
  let last = seq;
  return Array.from({ length: 1 + random.below(4) }, async () => {
    const count = 1 + random.below(3);
    const from = last + 1n;
    last += BigInt(count);
    const end = last;
    const bodies = Array.from({ length: count }, (_, at) => largeBody(from + BigInt(at), epoch));
    await log.append({ epoch, expectedSeq: from, bodies });
    add("acknowledged", count);
    if (end > acknowledged) acknowledged = end;
  });
}

/** Without room a log may be refused, but as what it is: full. */
async function openWhileFull(): Promise<void> {
  try {
    const log = await openLevelLog(wallet, { readOnly: random.oneIn(2) });
    assert.ok(log.head().seq >= acknowledged);
    await log.close();
    add("opened while full", 1);
  } catch (error) {
    assert.equal(codeOf(error), "STORE_FULL");
    add("refused while full", 1);
  }
}

async function check(): Promise<void> {
  await using log = await openLevelLog(wallet, { readOnly: true });
  const records = await collect(log.read());
  checkRecords(records, largeBody);
  assert.ok(BigInt(records.length) >= acknowledged, `expected ${acknowledged} records, got ${records.length}`);
}

async function checkThatItGoesOnHere(): Promise<void> {
  await checkThatItGoesOn(wallet, largeBody);
  add("went on with room", 1);
}

/** Bytes that do not compress, so that the disk fills quickly. */
function largeBody(seq: bigint, epoch: bigint): Uint8Array {
  return recordBody(seq, epoch, 200 + Number((seq * 997n) % 4_000n));
}

function codeOf(error: unknown): StoreErrorCode {
  if (isStoreError(error)) return error.code;
  throw error;
}

function add(name: string, times: number): void {
  counts[name] = (counts[name] ?? 0) + times;
}

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Record } from "../../proto/generated/log.ts";
import { createLevelLog, openLevelLog } from "../../store/index.ts";
import { contents, freshDirectory, freshLog, recordBody, seededRandom, startOpener } from "./helpers.ts";

const ROUNDS = 10;

test("after SIGKILL every acknowledged record is there, whole commits only, and nothing that was not appended", async () => {
  const directory = await freshLog();
  const random = seededRandom(20_251);
  let acknowledgements = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const writer = startOpener("append", directory);
    await writer.next();
    for (let count = random(60); count > 0; count--) await writer.next();
    writer.process.kill("SIGKILL");
    const lines = await writer.rest();
    const { seq } = lines.length > 0 ? JSON.parse(lines.at(-1) ?? "") : await lastKnown(directory);
    acknowledgements += lines.length;
    await using log = await openLevelLog(directory, { readOnly: true });
    expect(log.head().seq, `round ${round}`).toBeGreaterThanOrEqual(BigInt(seq));
    expect(log.head().epoch).toBe(BigInt(round));
    for (const line of await contents(log)) {
      const [at, , epoch, type, event] = line.split(" ");
      const expected = Record.decode(recordBody(BigInt(at ?? 0), BigInt(epoch ?? 0)));
      expect([type, event]).toEqual([expected.type, Buffer.from(expected.event).toString("hex")]);
    }
  }
  expect(acknowledgements).toBeGreaterThan(0);
});

test("after SIGKILL a log that was being created is absent or ready", async () => {
  const directory = await freshDirectory();
  const random = seededRandom(4);
  for (let round = 0; round < 6; round++) {
    const parent = join(directory, String(round));
    await mkdir(parent);
    const creator = startOpener("create", parent);
    for (let count = 1 + random(4); count > 0; count--) await creator.next();
    await new Promise((resolve) => {
      setTimeout(resolve, random(12));
    });
    await creator.kill();
    const created = (await readdir(parent)).filter((name) => !name.startsWith("."));
    expect(created.length).toBeGreaterThan(0);
    for (const name of created) await (await openLevelLog(join(parent, name))).close();
    // What was not finished is not in the way.
    const next = join(parent, `wallet-${created.length + 1}`);
    await createLevelLog(next);
    await (await openLevelLog(next)).close();
  }
});

async function lastKnown(directory: string): Promise<{ readonly seq: bigint }> {
  await using log = await openLevelLog(directory, { readOnly: true });
  return { seq: log.head().seq };
}

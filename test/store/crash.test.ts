import { expect, test } from "vitest";
import { Record } from "../../proto/generated/log.ts";
import { openLevelLog } from "../../store/index.ts";
import { contents, freshLog, recordBody, seededRandom, startOpener } from "./helpers.ts";

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

async function lastKnown(directory: string): Promise<{ readonly seq: bigint }> {
  await using log = await openLevelLog(directory, { readOnly: true });
  return { seq: log.head().seq };
}

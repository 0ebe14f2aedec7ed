import { expect, test } from "vitest";
import { bisect, takeChunks } from "../../engine/bisect.ts";
import { StreamError, type StreamErrorCode } from "../../streams/errors.ts";

/** A server that refuses a call in which one of some items is, and takes all of any other. */
function serverThatRefuses(bad: readonly number[], code: StreamErrorCode) {
  const taken: number[] = [];
  let calls = 0;
  const call = async (items: readonly number[]): Promise<void> => {
    calls++;
    if (items.some((item) => bad.includes(item))) throw new StreamError(code, "refused");
    taken.push(...items);
  };
  return { call, taken, calls: () => calls };
}

const items = Array.from({ length: 20 }, (_, index) => index);

test.each(["SERVER_REJECTED", "SERVER_NOT_FOUND", "SERVER_FAILED"] as const)(
  "what is refused alone with %s keeps no other item back, and each is named with its refusal",
  async (code) => {
    for (const bad of [[], [0], [7], [19], [3, 4, 15], items]) {
      const { call, taken, calls } = serverThatRefuses(bad, code);
      const refused = await bisect(items, call);
      expect(refused.map(({ item, error }) => [item, error.code])).toEqual(bad.map((item) => [item, code]));
      expect(taken).toEqual(items.filter((item) => !bad.includes(item)));
      expect(calls()).toBeLessThanOrEqual(2 * items.length - 1);
    }
  },
);

test("trouble on the way to the server is no refusal: nothing is halved", async () => {
  const { call, calls } = serverThatRefuses([5], "SERVER_UNREACHABLE");
  await expect(bisect(items, call)).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
  expect(calls()).toBe(1);
});

async function* chunksOf(...chunks: readonly (readonly number[])[]) {
  yield* chunks;
}

test("of several chunks, what is refused or not reached any more is left, in order, and the rest is taken", async () => {
  const { call, taken } = serverThatRefuses([1, 4], "SERVER_NOT_FOUND");
  const ofRefusals = await takeChunks(chunksOf([0, 1, 2], [3, 4], [5]), call);
  expect(ofRefusals).toMatchObject({ items: [1, 4], error: { code: "SERVER_NOT_FOUND" } });
  expect(taken).toEqual([0, 2, 3, 5]);
  expect(await takeChunks(chunksOf([7, 8]), call)).toEqual({ items: [], error: undefined });

  // The call that reaches nobody is the second half of a chunk that was refused.
  const reached: number[] = [];
  const breaking = await takeChunks(chunksOf([0, 1, 2, 3], [4, 5]), async (some) => {
    if (some.length === 4) throw new StreamError("SERVER_REJECTED", "refused");
    if (some.includes(2)) throw new StreamError("SERVER_UNREACHABLE", "no answer");
    reached.push(...some);
  });
  expect(breaking).toMatchObject({ items: [2, 3, 4, 5], error: { code: "SERVER_UNREACHABLE" } });
  expect(reached).toEqual([0, 1]);
});

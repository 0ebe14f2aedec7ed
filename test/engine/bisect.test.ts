import { expect, test } from "vitest";
import { bisect } from "../../engine/bisect.ts";
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

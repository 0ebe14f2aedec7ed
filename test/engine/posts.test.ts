import { ServerError, Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { postToMailbox } from "../../engine/server-calls.ts";
import { connect, startServer } from "../streams/server.ts";

const MIB = 1024 * 1024;

/** What a server is posted of VTXOs of these lengths, of which it takes so many posts. */
async function posted(lengths: readonly number[], takes = Number.POSITIVE_INFINITY) {
  const posts: number[][] = [];
  const postArkoorMessage = async ({ vtxos }: { vtxos: Uint8Array[] }) => {
    if (posts.length === takes) throw new ServerError(Status.UNAVAILABLE, "no more");
    posts.push(vtxos.map(({ length }) => length));
    return {};
  };
  await using server = await startServer({ posts: { postArkoorMessage } });
  await using session = await connect(server);
  const sources = lengths.map((_, entry) => ({ digest: "", entry }));
  const blobs = { vtxo: async ({ entry }: { entry: number | null }) => new Uint8Array(lengths[entry ?? 0] ?? 0) };
  const done = await postToMailbox(new Uint8Array(33), sources, { session, blobs, signal: new AbortController().signal }).then(
    () => true,
    () => false,
  );
  return { posts, done };
}

test("a payment of more VTXOs than a post may have, or larger ones, is split, and keeps its order (mailbox.md W-43)", async () => {
  const lengths = Array.from({ length: 250 }, (_, i) => i + 1);
  const { posts, done } = await posted(lengths);
  expect(posts.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(posts.flat()).toEqual(lengths);
  expect(done).toBe(true);
  expect((await posted([MIB, MIB, MIB, MIB, 1])).posts).toEqual([
    [MIB, MIB, MIB],
    [MIB, 1],
  ]);
});

test("a mailbox that did not take every part did not take the payment (mailbox.md W-43)", async () => {
  expect(await posted(Array(101).fill(1), 1)).toEqual({ posts: [Array(100).fill(1)], done: false });
});

import { StreamError } from "../streams/errors.ts";

/** A server's answer about the items of a call, not trouble on the way to it (mailbox.md W-34). */
const REFUSALS: ReadonlySet<string> = new Set(["SERVER_REJECTED", "SERVER_NOT_FOUND", "SERVER_FAILED"]);

/**
 * Does a call for all items; one that the server refuses is done again for either half, so that an item which is refused
 * alone keeps no other one back.
 *
 * @returns the items that were refused alone, each with its refusal
 * @throws what the call throws that is no refusal
 */
export async function bisect<Item>(
  items: readonly Item[],
  call: (items: readonly Item[]) => Promise<void>,
): Promise<readonly { readonly item: Item; readonly error: StreamError }[]> {
  try {
    await call(items);
    return [];
  } catch (error) {
    if (!(error instanceof StreamError) || !REFUSALS.has(error.code)) throw error;
    const [only, ...others] = items;
    if (only === undefined) return [];
    if (others.length === 0) return [{ item: only, error }];
    const middle = Math.ceil(items.length / 2);
    return [...(await bisect(items.slice(0, middle), call)), ...(await bisect(items.slice(middle), call))];
  }
}

/** What a server did not take, and why. */
export interface Left<Item> {
  /** In order: what was refused alone, and all that was not asked about any more after trouble on the way. */
  readonly items: readonly Item[];
  /** Undefined if nothing is left. */
  readonly error: unknown;
}

/** Does a call for each of some chunks, as {@link bisect}: what one of its calls took is done with, whatever becomes of others. */
export async function takeChunks<Item>(
  chunks: AsyncIterable<readonly Item[]>,
  call: (items: readonly Item[]) => Promise<void>,
): Promise<Left<Item>> {
  const items: Item[] = [];
  let [error, isCut]: [unknown, boolean] = [undefined, false];
  for await (const chunk of chunks) {
    const taken = new Set<Item>();
    const take = async (some: readonly Item[]): Promise<void> => {
      await call(some);
      for (const item of some) taken.add(item);
    };
    try {
      const refused = isCut ? [] : await bisect(chunk, take);
      error ??= refused[0]?.error;
    } catch (trouble) {
      [error, isCut] = [trouble, true];
    }
    items.push(...chunk.filter((item) => !taken.has(item)));
  }
  return { items, error };
}

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

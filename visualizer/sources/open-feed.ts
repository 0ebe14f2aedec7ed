import { FeedError, type FeedSource } from "../feed.ts";
import { HttpFeed } from "./http-feed.ts";

/**
 * Where the page takes everything from.
 *
 * @param fragment `location.hash`
 * @throws FeedError `UNAUTHORIZED` if there is no token in it
 */
export function openFeed(fragment: string): FeedSource {
  const [, token] = /[#&]token=([A-Za-z0-9_-]{20,})/.exec(fragment) ?? [];
  if (token === undefined)
    throw new FeedError("UNAUTHORIZED", "Open the whole address that was printed, with what stands after #.");
  return new HttpFeed(token);
}

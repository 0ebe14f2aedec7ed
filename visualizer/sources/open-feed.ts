import { FeedError, type FeedSource } from "../feed.ts";
import { FileFeed } from "./file-feed.ts";
import { HttpFeed } from "./http-feed.ts";

/**
 * Where the page takes everything from: what is in it, or the host that served it.
 *
 * @param data text of the element with the data; null if there is none
 * @param fragment `location.hash`
 * @throws FeedError `UNAUTHORIZED` if there is neither data nor a token
 */
export function openFeed(data: string | null, fragment: string): FeedSource {
  if (data !== null) return new FileFeed(data);
  const [, token] = /[#&]token=([A-Za-z0-9_-]{20,})/.exec(fragment) ?? [];
  if (token === undefined)
    throw new FeedError("UNAUTHORIZED", "Open the whole address that was printed, with what stands after #.");
  return new HttpFeed(token);
}

import type { FeedSource } from "../feed.ts";
import { openFeed } from "../sources/open-feed.ts";

/**
 * What the page shows: the host that served it, or what is in the page itself.
 *
 * @throws FeedError `UNAUTHORIZED` where there is neither data nor a token
 */
export function openSource(): FeedSource {
  return openFeed(location.hash);
}

import type { FeedSource } from "../feed.ts";
import { DATA_ELEMENT } from "../inlined.ts";
import { openFeed } from "../sources/open-feed.ts";

/**
 * What the page shows: what is in the page itself, or the host that served it.
 *
 * @throws FeedError `UNAUTHORIZED` where there is neither data nor a token
 */
export function openSource(): FeedSource {
  return openFeed(document.getElementById(DATA_ELEMENT)?.textContent ?? null, location.hash);
}

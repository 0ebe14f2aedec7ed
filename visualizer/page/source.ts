import { FeedError, type FeedSource } from "../feed.ts";

/**
 * What the page shows: the host that served it, or what is in the page itself.
 *
 * @throws FeedError `LOST` where there is neither
 */
export function openSource(): FeedSource {
  throw new FeedError("LOST", "This page has nothing to show: it was neither served by a host nor written with a log inside.");
}

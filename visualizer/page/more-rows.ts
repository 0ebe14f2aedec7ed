import { FeedError } from "../feed.ts";
import type { RowPage, Tables } from "../feed-moment.ts";
import { button, el } from "./dom.ts";
import { count } from "./format.ts";
import type { Session } from "./session.ts";

/** A button that gets more rows of a table at this moment; what a file does not hold of it; or null where all are there. */
export function moreRows<Table extends keyof Tables>(
  session: Session,
  table: Table,
  page: RowPage<Tables[Table]>,
  onMore: (grown: RowPage<Tables[Table]>) => void,
): HTMLElement | null {
  const { next } = page;
  const missing = page.total - page.rows.length;
  if (next === null && missing > 0) {
    return el("p", { class: "cut-note" }, `${count(missing, "row")} from before its range are not in this file.`);
  }
  if (next === null) return null;
  const seq = session.shown.moment?.seq;
  if (seq === undefined) return null;
  const load = async () => {
    more.disabled = true;
    try {
      const added = await session.source.rows(table, seq, next);
      if (session.shown.moment?.seq === seq) onMore({ ...added, rows: [...page.rows, ...added.rows] });
    } catch (error) {
      if (!(error instanceof FeedError)) throw error;
      session.change({ problem: error.message });
    } finally {
      more.disabled = false;
    }
  };
  const more = button({ class: "button more" }, () => void load(), `Show more of ${count(page.total, "row")}`);
  return more;
}

import type { FeedSource } from "../feed.ts";
import { chartsPanel } from "./charts-panel.ts";
import { el, fill, setAttributes } from "./dom.ts";
import { explainDialog } from "./explain-dialog.ts";
import { digits } from "./format.ts";
import { pageHeader } from "./header.ts";
import { instancesPanel } from "./instances-panel.ts";
import { helpDialog, listenToKeys } from "./keys.ts";
import { moneyPanel } from "./money-panel.ts";
import { recordPanel } from "./record-panel.ts";
import { recordsPanel } from "./records-panel.ts";
import { Session, type Shown } from "./session.ts";
import { timeline } from "./timeline.ts";

/** Shows a source in an element. */
export async function showSource(source: FeedSource, root: HTMLElement): Promise<void> {
  const session = await Session.open(source);
  const help = helpDialog();
  const problem = el("p", { class: "problem", role: "alert" });
  const failure = el("p", { class: "problem failure", role: "alert" });
  const main = el(
    "main",
    { class: "panels" },
    chartsPanel(session),
    instancesPanel(session),
    recordsPanel(session),
    moneyPanel(session),
    recordPanel(session),
  );
  fill(root, pageHeader(session, help, toggleTheme), timeline(session), failure, problem, main, help, explainDialog(session));
  session.onChange(["view"], ({ view }) => setAttributes(root, { "data-view": view }));
  // The last to listen: everything shows that record by then.
  session.onChange(["record"], ({ record }) => setAttributes(root, { "data-seq": record?.seq ?? "" }));
  session.onChange(["problem"], (shown) => {
    fill(problem, shown.problem);
    problem.hidden = shown.problem === null;
  });
  session.onChange(["progress"], (shown) => showFailure(failure, shown));
  listenToKeys(session, help, toggleTheme);
  document.title = `${session.shown.hello.name} · Heartwood`;
  session.start();
}

/** Why the log could not be read to its end stays on the page, with what to do. */
function showFailure(failure: HTMLElement, { progress }: Shown): void {
  failure.hidden = progress.failure === null;
  if (progress.failure === null || failure.hasChildNodes()) return;
  const { code, message, advice } = progress.failure;
  const where = `Reading ended behind record ${digits(progress.head)} of ${digits(progress.total)}: `;
  fill(failure, el("strong", {}, where), `${message} (${code}). ${advice}`);
}

/** From what the system wants to the other one, and back. */
function toggleTheme(): void {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : dataset.theme === "dark";
  dataset.theme = isDark ? "light" : "dark";
}

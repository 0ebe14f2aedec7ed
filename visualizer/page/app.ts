import type { FeedSource } from "../feed.ts";
import { chartsPanel } from "./charts-panel.ts";
import { el, fill } from "./dom.ts";
import { explainDialog } from "./explain-dialog.ts";
import { pageHeader } from "./header.ts";
import { instancesPanel } from "./instances-panel.ts";
import { helpDialog, listenToKeys } from "./keys.ts";
import { moneyPanel } from "./money-panel.ts";
import { recordPanel } from "./record-panel.ts";
import { recordsPanel } from "./records-panel.ts";
import { Session } from "./session.ts";
import { timeline } from "./timeline.ts";

/** Shows a source in an element. */
export async function showSource(source: FeedSource, root: HTMLElement): Promise<void> {
  const session = await Session.open(source);
  const help = helpDialog();
  const problem = el("p", { class: "problem", role: "alert" });
  const main = el(
    "main",
    { class: "panels" },
    chartsPanel(session),
    instancesPanel(session),
    recordsPanel(session),
    moneyPanel(session),
    recordPanel(session),
  );
  fill(root, pageHeader(session, help, toggleTheme), timeline(session), problem, main, help, explainDialog(session));
  session.onChange((shown) => {
    root.dataset.view = shown.view;
    root.dataset.seq = String(shown.record?.seq ?? "");
    fill(problem, shown.problem);
    problem.hidden = shown.problem === null;
  });
  listenToKeys(session, help, toggleTheme);
  document.title = `${session.shown.hello.name} · Heartwood`;
  session.start();
}

/** From what the system wants to the other one, and back. */
function toggleTheme(): void {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : dataset.theme === "dark";
  dataset.theme = isDark ? "light" : "dark";
}

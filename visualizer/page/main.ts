/** The page begins here. */

import { showSource } from "./app.ts";
import { el, fill } from "./dom.ts";
import { openSource } from "./source.ts";

const root = document.getElementById("app");
if (root !== null) void begin(root);

async function begin(app: HTMLElement): Promise<void> {
  // A long log in one file takes seconds to be unpacked.
  fill(
    app,
    el("main", { class: "refusal waiting" }, el("h1", { class: "brand" }, "Heartwood"), el("p", { role: "status" }, "Reading …")),
  );
  try {
    await showSource(openSource(), app);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    fill(app, el("main", { class: "refusal" }, el("h1", { class: "brand" }, "Heartwood"), el("p", { role: "alert" }, why)));
  }
}

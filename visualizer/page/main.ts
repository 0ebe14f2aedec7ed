/** The page begins here. */

import { showSource } from "./app.ts";
import { openSource } from "./source.ts";

const root = document.getElementById("app");
if (root !== null) {
  showSource(openSource(), root).catch((error: unknown) => {
    root.textContent = error instanceof Error ? error.message : String(error);
  });
}

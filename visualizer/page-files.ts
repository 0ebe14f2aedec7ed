import { readFile } from "node:fs/promises";

/** Files of the page, as scripts/build-page.mjs made them. */
export interface PageFiles {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

// From the sources, as tests run them, the built page is found as well.
const folder = new URL(import.meta.url.endsWith(".ts") ? "../dist/visualizer/page/" : "./page/", import.meta.url);

/** Reads the page. @throws the system's error if this is no whole installation */
export async function readPageFiles(): Promise<PageFiles> {
  const read = (name: string) => readFile(new URL(name, folder), "utf8");
  const [html, script, style] = await Promise.all([read("index.html"), read("main.js"), read("style.css")]);
  return { html, script, style };
}

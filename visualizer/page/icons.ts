import { svg } from "./dom.ts";

/** Path data on a square of 16: no font is sure to have the signs of a tape deck. */
const PATHS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  play: "M4 2.5v11L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  on: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  left: "M10.5 3.5 6 8l4.5 4.5",
  right: "M5.5 3.5 10 8l-4.5 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  theme: "M8 2a6 6 0 1 0 0 12z",
} as const;

const LINES: ReadonlySet<string> = new Set(["left", "right", "close"]);

/** A sign on a button; the button says in words what it does. */
export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const kind = LINES.has(name) ? "icon icon-line" : "icon";
  const ring = name === "theme" ? svg("circle", { class: "icon-ring", cx: 8, cy: 8, r: 6 }) : null;
  return svg(
    "svg",
    { class: kind, viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" },
    ring,
    svg("path", { d: PATHS[name] }),
  );
}

import type { Point } from "../charts/layout.ts";

const RADIUS = 6;
const HEAD = 7;

/** A line through points, with its corners rounded, as path data. */
export function roundedPath(points: readonly Point[]): string {
  const parts: string[] = [];
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    const after = points[index + 1];
    if (before === undefined) parts.push(`M${point.join(" ")}`);
    else if (after === undefined) parts.push(`L${point.join(" ")}`);
    else parts.push(`L${towards(point, before).join(" ")}Q${point.join(" ")} ${towards(point, after).join(" ")}`);
  }
  return parts.join("");
}

/** The point a little way from a corner to the next one, half the way where that is near. */
function towards(corner: Point, next: Point): Point {
  const [dx, dy] = [next[0] - corner[0], next[1] - corner[1]];
  const length = Math.hypot(dx, dy);
  const share = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return [corner[0] + dx * share, corner[1] + dy * share];
}

/** A filled head at the end of a line, as path data. */
export function arrowHead(points: readonly Point[]): string {
  const end = points.at(-1);
  const before = points.at(-2);
  if (end === undefined || before === undefined) return "";
  const [dx, dy] = [end[0] - before[0], end[1] - before[1]];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const [x, y] = [end[0] - ux * HEAD, end[1] - uy * HEAD];
  const side = HEAD * 0.55;
  return `M${end.join(" ")}L${x - uy * side} ${y + ux * side}L${x + uy * side} ${y - ux * side}Z`;
}

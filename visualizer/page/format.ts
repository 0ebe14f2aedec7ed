import type { Decimal } from "../feed-data.ts";

const THIN_SPACE = "\u2009";
/** Longer ids are cut in the middle. */
const LONGEST_ID = 22;
const DAY_MS = 86_400_000;

/** Digits in groups of three: `1 234 567`. */
export function digits(value: Decimal | number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/** An amount with its unit. */
export function sats(value: Decimal): string {
  return `${digits(value)} sat`;
}

/** An amount with its sign. */
export function signedSats(value: Decimal): string {
  return value.startsWith("-") ? `−${sats(value.slice(1))}` : `+${sats(value)}`;
}

/** An id short enough for a table; the hex of a VTXO keeps both ends, so that `explain` finds it. */
export function shortId(id: string): string {
  if (id.length <= LONGEST_ID) return id;
  const path = /^(.*[./])?([0-9a-f]{24,})(.*)$/.exec(id);
  if (path === null) return `${id.slice(0, 12)}…${id.slice(-8)}`;
  const [, before = "", hex = "", after = ""] = path;
  return `${before}${hex.slice(0, 8)}…${hex.slice(-6)}${after}`;
}

/** The day and the time, of the viewer's clock: `2026-11-22 10:11:12.345`. */
export function moment(atMs: number): string {
  return `${day(atMs)} ${time(atMs)}`;
}

/** `2026-11-22`. */
function day(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The time at a tick of an axis that spans so much: `10:11:12`, from a day on `11-22 10:11`, from 90 days on `2026-11-22`. */
export function tickTime(atMs: number, spanMs: number): string {
  if (spanMs < DAY_MS) return time(atMs).slice(0, 8);
  return spanMs < 90 * DAY_MS ? `${day(atMs).slice(5)} ${time(atMs).slice(0, 5)}` : day(atMs);
}

/** `10:11:12.345`. */
export function time(atMs: number): string {
  const date = new Date(atMs);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** How long something took or is ago: `12 ms`, `3.4 s`, `5 min`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `1 record`, `2 records`. */
export function count(number: number | Decimal, noun: string, nouns = `${noun}s`): string {
  return `${digits(number)} ${String(number) === "1" ? noun : nouns}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

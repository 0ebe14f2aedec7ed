import { readFileSync, writeFileSync } from "node:fs";
import type { WalletStatus } from "../../../engine/index.ts";

const place = (name: string) => new URL(`../../vectors/golden/${name}`, import.meta.url);

/** The golden log, an export file (docs/log-format.md §9). */
export const goldenLogFile = place("wallet.export");
/** What the wallet of the golden log must say of itself. */
const statusFile = place("status.json");
/** Golden walks: one canonical text a line. */
const walksFile = place("walks.jsonl");

export function readGoldenLog(): string {
  return readFileSync(goldenLogFile, "utf8");
}

export function readGoldenStatus(): string {
  return readFileSync(statusFile, "utf8");
}

export function readGoldenWalks(): string[] {
  return readFileSync(walksFile, "utf8").trimEnd().split("\n");
}

export function writeGoldenLog(log: string): void {
  writeFileSync(goldenLogFile, log);
}

export function writeGoldenStatus(status: string): void {
  writeFileSync(statusFile, status);
}

export function writeGoldenWalks(walks: readonly string[]): void {
  writeFileSync(walksFile, `${walks.join("\n")}\n`);
}

/** A status as text: one member a line, bigint as a decimal string. */
export function statusText(status: WalletStatus): string {
  return `${JSON.stringify(status, (_, value) => (typeof value === "bigint" ? String(value) : value), 2)}\n`;
}

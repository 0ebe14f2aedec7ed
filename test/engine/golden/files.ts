import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { encodeHex } from "../../../ark/hex.ts";
import type { RecordView, WalletStatus } from "../../../engine/index.ts";
import { encodeState } from "../../../engine/state-snapshot.ts";
import type { WalletState } from "../../../engine/wallet-state.ts";
import { encodeCanonical } from "../../../machines/canonical.ts";
import { type EventFixture, fixtureText, parseFixture } from "./events.ts";

const place = (name: string) => new URL(`../../vectors/golden/${name}`, import.meta.url);

/** The golden log, an export file (docs/log-format.md §9). */
export const goldenLogFile = place("wallet.export");
/** The same records in words, for people who look at what changed; the bytes of blobs are left out. */
const recordsFile = place("records.jsonl");
/** What the wallet of the golden log must say of itself. */
const statusFile = place("status.json");
/** Golden walks: one canonical text a line. */
const walksFile = place("walks.jsonl");
/** A record of each type in each schema: one canonical text a line. */
const eventsFile = place("events.jsonl");

/** The state of the golden log as a snapshot holds it, a part a line. */
const stateFile = place("state.jsonl");

export function readGoldenLog(): string {
  return readFileSync(goldenLogFile, "utf8");
}

export function readGoldenRecords(): string {
  return readFileSync(recordsFile, "utf8");
}

export function readGoldenStatus(): string {
  return readFileSync(statusFile, "utf8");
}

export function readGoldenWalks(): string[] {
  return readFileSync(walksFile, "utf8").trimEnd().split("\n");
}

export function readGoldenState(): string {
  return readFileSync(stateFile, "utf8");
}

export function writeGoldenState(state: string): void {
  writeFileSync(stateFile, state);
}

export function readGoldenEvents(): EventFixture[] {
  return existsSync(eventsFile) ? readFileSync(eventsFile, "utf8").trimEnd().split("\n").map(parseFixture) : [];
}

export function writeGoldenLog(log: string): void {
  writeFileSync(goldenLogFile, log);
}

export function writeGoldenRecords(records: string): void {
  writeFileSync(recordsFile, records);
}

export function writeGoldenStatus(status: string): void {
  writeFileSync(statusFile, status);
}

export function writeGoldenWalks(walks: readonly string[]): void {
  writeFileSync(walksFile, `${walks.join("\n")}\n`);
}

export function writeGoldenEvents(fixtures: readonly EventFixture[]): void {
  writeFileSync(eventsFile, `${fixtures.map(fixtureText).join("\n")}\n`);
}

/** A status as text: one member a line, bigint as a decimal string. */
export function statusText(status: WalletStatus): string {
  return `${JSON.stringify(status, (_, value) => (typeof value === "bigint" ? String(value) : value), 2)}\n`;
}

/** A state as text: its parts as they stand in a snapshot, the two indexes in hex. */
export function stateText(state: WalletState): string {
  const parts = [...encodeState(state)].map((part, index) =>
    index === 1 || index === 2 ? encodeHex(part) : new TextDecoder().decode(part),
  );
  return `${parts.join("\n")}\n`;
}

/** A record as a line of canonical text. */
export function recordText({ blobs, ...record }: RecordView): string {
  const sizes = blobs.map(({ digest, data }) => ({ digest, bytes: data?.length ?? null }));
  return `${encodeCanonical({ ...record, blobs: sizes })}\n`;
}

import { sha256 } from "../ark/crypto.ts";
import { encodeCanonical, type Plain, parseCanonical } from "../machines/canonical.ts";
import { isEffectType } from "../machines/effects.ts";
import { schemaOf } from "../machines/event-schemas.ts";
import { machineNamed, machines } from "../machines/registry.ts";
import { isFinished, type MachineDefinition } from "../machines/step.ts";
import type { Snapshot } from "../store/event-log.ts";
import { NAME_KEY_BYTES } from "./name-key.ts";
import { SeqIndex } from "./seq-index.ts";
import { SpentHops } from "./spent-hops.ts";
import type { Unsolicited } from "./unsolicited.ts";
import { DIGEST_BYTES, WalletState } from "./wallet-state.ts";

/** Raised by hand when a fold of the same records gives another state, or its rows another form. */
export const STATE_FORMAT = 17;

/** Rows of one part: few enough to encode without a noticeable pause. */
const PART_ROWS = 500;

/** Tables of a state, in the order of their parts. */
const TABLES = ["instances", "coins", "movements", "quarantine", "outbox", "drives"] as const;
type Table = (typeof TABLES)[number];

type Header = {
  readonly format: number;
  readonly seq: bigint;
  readonly checkpoint: bigint;
  readonly nextKeyIndex: number;
  readonly unsolicited: Unsolicited;
  readonly counters: { readonly [name: string]: number };
  readonly versions: { readonly [name: string]: number };
  /** How many rows each table has. */
  readonly rows: { readonly [table: string]: number };
};

/**
 * A state as parts of a snapshot: a header, the seven indexes, then rows of the tables. Equal states give equal parts.
 *
 * Lazy: the state must not change until the last part was taken. Give it a clone.
 */
export function* encodeState(state: WalletState): Generator<Uint8Array, void, undefined> {
  const { seq, checkpoint, nextKeyIndex, unsolicited } = state;
  const [counters, versions] = [{ ...state.counters }, Object.fromEntries(state.versions)];
  const rows = Object.fromEntries(TABLES.map((table) => [table, state[table].size]));
  const header: Header = { format: STATE_FORMAT, seq, checkpoint, nextKeyIndex, unsolicited, counters, versions, rows };
  yield encodePart(header);
  yield state.finished.encode();
  yield state.spent.encode();
  yield state.blobs.encode();
  yield state.canceled.encode();
  yield state.hops.encode();
  yield state.proofs.encode();
  yield state.noticed.encode();
  for (const table of TABLES) {
    let part: Plain[] = [];
    for (const row of state[table] as ReadonlyMap<string, unknown>) {
      if (part.push(row as unknown as Plain) < PART_ROWS) continue;
      yield encodePart([table, part]);
      part = [];
    }
    if (part.length > 0) yield encodePart([table, part]);
  }
}

/** The state of a snapshot; undefined if another build made it, or what it says does not fit together. */
export function decodeState({ seq, parts }: Snapshot, among: readonly MachineDefinition[] = machines): WalletState | undefined {
  try {
    const [first = new Uint8Array(), finished, spent, blobs, canceled, hops, proofs, noticed, ...tables] = parts;
    const header = decodePart(first) as unknown as Header;
    if (header.format !== STATE_FORMAT || header.seq !== seq) return undefined;
    const state = new WalletState(among);
    state.seq = seq;
    state.checkpoint = header.checkpoint;
    state.nextKeyIndex = header.nextKeyIndex;
    state.unsolicited = header.unsolicited;
    Object.assign(state.counters, header.counters);
    for (const [name, version] of Object.entries(header.versions)) state.versions.set(name, version);
    const [ended, gone, held, givenUp, went, shown, told] = [
      decodeIndex(NAME_KEY_BYTES, finished),
      decodeIndex(NAME_KEY_BYTES, spent),
      decodeIndex(DIGEST_BYTES, blobs),
      decodeIndex(NAME_KEY_BYTES, canceled),
      decodeIndex(NAME_KEY_BYTES, hops),
      decodeIndex(DIGEST_BYTES, proofs),
      decodeIndex(NAME_KEY_BYTES, noticed),
    ];
    if (!ended || !gone || !held || !givenUp || !went || !shown || !told) return undefined;
    state.hops = new SpentHops(went);
    [state.finished, state.spent, state.blobs, state.canceled] = [ended, gone, held, givenUp];
    [state.proofs, state.noticed] = [shown, told];
    for (const part of tables) putRows(state, decodePart(part) as unknown as readonly [Table, readonly [string, never][]]);
    if (!TABLES.every((table) => state[table].size === header.rows[table])) return undefined;
    return isOfThisBuild(state) ? state : undefined;
  } catch {
    // Whatever is wrong with it, the log says the same.
    return undefined;
  }
}

/** SHA-256 over those of the parts, of which equal states have equal ones. */
export function digestOfParts(parts: Iterable<Uint8Array>): Uint8Array {
  return sha256(...Array.from(parts, (part) => sha256(part)));
}

function putRows(state: WalletState, [table, rows]: readonly [Table, readonly (readonly [string, never])[]]): void {
  for (const [key, row] of rows) {
    if (table === "instances") state.putInstance(key, row);
    else if (table === "coins") state.putCoin(row);
    else state[table].set(key, row);
  }
}

/** If a newer build wrote the log, a replay must find that out and say where. */
function isOfThisBuild({ versions, instances, outbox, machines }: WalletState): boolean {
  // An unknown machine, event or state throws.
  const isKnown = ([name, version]: readonly [string, number]): boolean => {
    const [machine = "", type] = name.split(" ");
    const { revision, events } = machineNamed(machine, machines);
    return version <= (type === undefined ? revision : schemaOf(events, type));
  };
  for (const { machine, state, revision } of instances.values()) isFinished(machineNamed(machine, machines), state, revision);
  return [...versions].every(isKnown) && [...outbox.values()].every(({ effect }) => isEffectType(effect.type));
}

function decodeIndex(keyBytes: number, bytes: Uint8Array | undefined): SeqIndex | undefined {
  return bytes === undefined ? undefined : SeqIndex.decode(keyBytes, bytes);
}

function encodePart(value: Plain): Uint8Array {
  return new TextEncoder().encode(encodeCanonical(value));
}

function decodePart(part: Uint8Array): Plain {
  return parseCanonical(new TextDecoder("utf-8", { fatal: true }).decode(part));
}

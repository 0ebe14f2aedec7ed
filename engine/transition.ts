import { decodeHex, encodeHex } from "../ark/hex.ts";
import { decodeCanonical, encodeCanonical, type Plain, parseCanonical } from "../machines/canonical.ts";
import { type Effect, isEffectType } from "../machines/effects.ts";
import { MachineError } from "../machines/errors.ts";
import { MIGRATED, upcast } from "../machines/event-schemas.ts";
import { machineNamed, machines } from "../machines/registry.ts";
import type { Instance, MachineDefinition, MachineEvent } from "../machines/step.ts";
import { Record as LogRecord } from "../proto/generated/log.ts";
import { HeartwoodError } from "./errors.ts";

/** An effect of a recorded transition. */
export type IssuedEffect = Effect & {
  /** `<seq>.<index>`. */
  readonly id: string;
};

/** Bytes that belong to a transition; `data` is absent when an earlier record holds them. */
export interface Blob {
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  readonly data?: Uint8Array;
}

/** One record of the log in the engine's words. */
export interface Transition {
  readonly seq: bigint;
  readonly epoch: bigint;
  readonly atMs: number;
  readonly machine: string;
  readonly revision: number;
  readonly instance: string;
  readonly version: bigint;
  /** In the current schema of its type, whatever schema it was recorded in. */
  readonly event: MachineEvent;
  /** Schema that the event was recorded in. */
  readonly schema: number;
  readonly blobs: readonly Blob[];
  /** The record that caused this one; 0 if an outside fact did. */
  readonly causeSeq: bigint;
  /** The effect whose result this is; empty if none. */
  readonly effectId: string;
  readonly state: string;
  readonly change: Readonly<{ [name: string]: Plain }>;
  readonly effects: readonly IssuedEffect[];
  readonly digest: Uint8Array;
}

const text = new TextEncoder();
const fromText = new TextDecoder("utf-8", { fatal: true });

/** The record's bytes (proto/log.proto). */
export function encodeTransition(transition: Transition): Uint8Array {
  const { type, ...members } = transition.event;
  return LogRecord.encode({
    seq: transition.seq,
    epoch: transition.epoch,
    atMs: BigInt(transition.atMs),
    machine: transition.machine,
    revision: transition.revision,
    instance: transition.instance,
    version: transition.version,
    type,
    schema: transition.schema,
    event: text.encode(encodeCanonical(members)),
    blobs: transition.blobs.map(({ digest, data }) => ({ digest: decodeHex(digest), data })),
    causeSeq: transition.causeSeq,
    effectId: transition.effectId,
    outcome: {
      state: transition.state,
      contextChange: text.encode(encodeCanonical(transition.change)),
      effects: transition.effects.map(({ id, type, params }) => ({
        id,
        type,
        params: text.encode(encodeCanonical(params as Plain)),
      })),
      stateDigest: transition.digest,
    },
  }).finish();
}

/**
 * A record in the engine's words, its event brought to the current schema.
 *
 * @param among the machines of this build; a test may give others
 * @param parse `parseCanonical` to look at a verified record: whether its text is canonical is for who takes it again to see
 * @throws HeartwoodError `LOG_UNREADABLE` for a machine, an event, a schema or an effect of a newer build, or canonical
 * text that is none
 */
export function decodeTransition(
  record: LogRecord,
  among: readonly MachineDefinition[] = machines,
  parse: typeof decodeCanonical = decodeCanonical,
): Transition {
  const { outcome, type, schema } = record;
  if (outcome === undefined) throw unreadable(record, "expected an outcome, got none");
  try {
    const { events } = machineNamed(record.machine, among);
    return {
      seq: record.seq,
      epoch: record.epoch,
      atMs: Number(record.atMs),
      machine: record.machine,
      revision: record.revision,
      instance: record.instance,
      version: record.version,
      event: { ...upcast(events, type, schema, decodeMembers(record.event, parse)), type },
      schema,
      blobs: record.blobs.map(({ digest, data }) => ({ digest: encodeHex(digest), ...(data === undefined ? {} : { data }) })),
      causeSeq: record.causeSeq,
      effectId: record.effectId,
      state: outcome.state,
      change: decodeMembers(outcome.contextChange, parse),
      effects: outcome.effects.map(({ id, type, params }) => {
        if (!isEffectType(type)) throw new MachineError("UNKNOWN_EFFECT", `expected an effect of this build, got ${type}`);
        return { id, type, params: decodeMembers(params, parse) } as IssuedEffect;
      }),
      digest: outcome.stateDigest,
    };
  } catch (cause) {
    const isNewer = cause instanceof MachineError && cause.code.startsWith("UNKNOWN_");
    throw unreadable(record, isNewer ? `${cause.message}; upgrade` : "its parts cannot be read", cause);
  }
}

/** The whole context of an instance after a record; a migration's names all of it. */
export function contextAfter(before: Instance | undefined, { change, event }: Transition): Instance["context"] {
  return event.type === MIGRATED ? change : { ...before?.context, ...change };
}

/** A record as decoded for looking at it: see `parse` of {@link decodeTransition}. */
export function viewTransition(record: LogRecord, among: readonly MachineDefinition[]): Transition {
  return decodeTransition(record, among, parseCanonical);
}

function decodeMembers(bytes: Uint8Array, parse: (text: string) => Plain): { [name: string]: Plain } {
  const value = parse(fromText.decode(bytes));
  if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array) {
    throw new Error("expected named members");
  }
  return value as { [name: string]: Plain };
}

function unreadable(record: LogRecord, why: string, cause?: unknown): HeartwoodError {
  const place = `record ${record.seq} (${record.machine} ${record.type})`;
  return new HeartwoodError("LOG_UNREADABLE", `${place}: ${why}`, {
    place: { seq: record.seq },
    ...(cause === undefined ? {} : { cause }),
  });
}

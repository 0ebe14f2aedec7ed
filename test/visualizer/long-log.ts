import { hash } from "node:crypto";
import { fill } from "../../bench/fill.ts";
import { contextAfter, decodeTransition, type Transition } from "../../engine/transition.ts";
import { encodeCanonical, type Plain } from "../../machines/canonical.ts";
import type { Verdict } from "../../machines/package.ts";
import type { Instance } from "../../machines/step.ts";
import { Record as LogRecord } from "../../proto/generated/log.ts";
import { createLevelLog, createMemoryLog, type EventLog, openLevelLog } from "../../store/index.ts";

/** Records of a package that is credited, registered and backed up, and of a sync that brings a notice. */
const OF_A_PACKAGE = 5;
const OF_A_SYNC = 5;
const BEGINNING = 2;
const SYNCS_A_PACKAGE = 20;
const RECORDS_A_COMMIT = 4_000;
const BATCHES_IN_FLIGHT = 2;
/** Digits of a message's digest in the name of its instance. */
const DIGEST_IN_NAME = 32;

/** What differs from one life of a message to the next. */
interface Life {
  readonly atMs: string;
  readonly checkpoint: string;
  readonly digest: string;
  readonly vtxo: string;
  readonly keyIndex: string;
}

/**
 * Writes a log of so many records, or a few more, in seconds: the life of a wallet that the machines decided once, told
 * again with other messages and coins. Each record is as the machines would decide it: taking it again agrees.
 */
export async function writeLongLog(directory: string, records: number): Promise<void> {
  await createLevelLog(directory);
  await using log = await openLevelLog(directory);
  const { beginning, package_, sync } = await prototypes();
  const writer = new Writer(log);
  for (const record of beginning) writer.add(record);
  for (let round = 1; writer.written < records; round++) {
    await writer.write(round % SYNCS_A_PACKAGE === 1 ? package_ : sync, round);
  }
  await writer.end();
}

/** One record with gaps for what differs, and the text of its instance after it. */
interface Prototype {
  readonly record: LogRecord;
  readonly instance: Gaps;
  readonly effectId: Gaps;
  readonly event: Gaps;
  readonly change: Gaps;
  readonly params: readonly Gaps[];
  readonly after: Gaps;
}

async function prototypes() {
  await using log = await createMemoryLog().open();
  await fill(log, { records: 4 * (OF_A_PACKAGE + OF_A_SYNC) + BEGINNING, packages: 4, vtxosPerPackage: 1 });
  const found: { readonly record: LogRecord; readonly transition: Transition; readonly context: Instance["context"] }[] = [];
  const contexts = new Map<string, Instance["context"]>();
  for await (const { record } of log.read()) {
    const transition = decodeTransition(record);
    const { instance, state } = transition;
    const context = contextAfter({ state, context: contexts.get(instance) ?? {} }, transition);
    contexts.set(instance, context);
    found.push({ record, transition, context });
  }
  const from = (index: number, count: number): Prototype[] => {
    const part = found.slice(index, index + count);
    const sample = sampleOf(part.map(({ transition }) => transition));
    return part.map(({ record, transition, context }) => prototypeOf(record, transition, context, sample));
  };
  // As it is: the first records of an instance have its whole context.
  const beginning = found.slice(0, BEGINNING + OF_A_PACKAGE + OF_A_SYNC).map(({ record }) => record);
  const second = beginning.length;
  return { beginning, package_: from(second, OF_A_PACKAGE), sync: from(second + OF_A_PACKAGE, OF_A_SYNC) };
}

/** Texts that stand for what differs, in a life that was decided. */
type Sample = ReadonlyMap<string, keyof Life>;

function sampleOf(life: readonly Transition[]): Sample {
  const sample = new Map<string, keyof Life>(life.map(({ atMs }) => [String(atMs), "atMs"]));
  for (const { event } of life) {
    if (event.type === "message.received") sample.set(String(event.checkpoint), "checkpoint").set(String(event.digest), "digest");
    if (event.type !== "package.vetted") continue;
    for (const verdict of event.verdicts as readonly Verdict[]) {
      if (verdict.kind !== "accepted") continue;
      sample.set(verdict.vtxo.id.slice(0, 64), "vtxo").set(`"keyIndex":${verdict.vtxo.keyIndex}`, "keyIndex");
    }
  }
  return sample;
}

function prototypeOf(record: LogRecord, transition: Transition, context: Instance["context"], sample: Sample): Prototype {
  const { type: _, ...members } = transition.event;
  const gaps = (text: string) => new Gaps(text, sample);
  return {
    record,
    instance: gaps(withWholeDigest(record.instance, sample)),
    effectId: gaps(record.effectId),
    event: gaps(encodeCanonical(members)),
    change: gaps(encodeCanonical(transition.change)),
    params: transition.effects.map(({ params }) => gaps(encodeCanonical(params as Plain))),
    after: gaps(encodeCanonical({ state: transition.state, context })),
  };
}

/** The name of an instance has the first digits of its message's digest. */
function withWholeDigest(instance: string, sample: Sample): string {
  const digest = [...sample].find(([, name]) => name === "digest")?.[0];
  return digest === undefined ? instance : instance.replace(digest.slice(0, DIGEST_IN_NAME), digest);
}

/** A text with gaps where a sample of what differs stood. */
class Gaps {
  readonly #pieces: readonly string[];
  readonly #gaps: readonly (keyof Life)[];

  constructor(text: string, sample: Sample) {
    const parts = text.split(new RegExp(`(${[...sample.keys()].join("|")})`));
    this.#pieces = parts.filter((_, at) => at % 2 === 0);
    this.#gaps = parts.filter((_, at) => at % 2 === 1).map((part) => sample.get(part) ?? "atMs");
  }

  fill(life: Life): string {
    let text = this.#pieces[0] ?? "";
    for (const [at, gap] of this.#gaps.entries()) text += life[gap] + (this.#pieces[at + 1] ?? "");
    return text;
  }
}

const BEGINNING_MS = Date.UTC(2026, 1, 1);

function lifeOf(round: number): Life {
  const atMs = BEGINNING_MS + round * 60_000;
  const checkpoint = String(BigInt(atMs) << 20n);
  const [digest, vtxo] = [hash("sha256", messageOf(round)), hash("sha256", `vtxo ${round}`)];
  return { atMs: String(atMs), checkpoint, digest, vtxo, keyIndex: `"keyIndex":${round}` };
}

const messageOf = (round: number): string => `message ${round}`;

const encoder = new TextEncoder();

class Writer {
  readonly #log: EventLog;
  readonly #epoch: bigint;
  readonly #versions = new Map<string, bigint>();
  readonly #commits: Promise<unknown>[] = [];
  #bodies: Uint8Array[] = [];
  #seq = 0n;

  constructor(log: EventLog) {
    this.#log = log;
    this.#epoch = log.head().epoch;
  }

  get written(): number {
    return Number(this.#seq);
  }

  async write(prototypes: readonly Prototype[], round: number): Promise<void> {
    const [life, message] = [lifeOf(round), encoder.encode(messageOf(round))];
    for (const prototype of prototypes) this.add(this.#recordOf(prototype, life, message));
    if (this.#bodies.length < RECORDS_A_COMMIT) return;
    this.#commit();
    if (this.#commits.length > BATCHES_IN_FLIGHT) await this.#commits.shift();
  }

  /** Takes a record as it is, but for its place. */
  add(record: LogRecord): void {
    this.#seq++;
    if (record.instance.endsWith("/main")) this.#versions.set(record.instance, record.version);
    this.#bodies.push(LogRecord.encode({ ...record, epoch: this.#epoch }).finish());
  }

  async end(): Promise<void> {
    if (this.#bodies.length > 0) this.#commit();
    await Promise.all(this.#commits);
  }

  #commit(): void {
    const expectedSeq = this.#seq - BigInt(this.#bodies.length) + 1n;
    this.#commits.push(this.#log.append({ epoch: this.#epoch, expectedSeq, bodies: this.#bodies }));
    this.#bodies = [];
  }

  #recordOf({ record, instance, effectId, event, change, params, after }: Prototype, life: Life, data: Uint8Array): LogRecord {
    const { outcome } = record;
    if (outcome === undefined) throw new Error("expected a record with its outcome");
    const seq = this.#seq + 1n;
    const name = instance.fill(life).replace(life.digest, life.digest.slice(0, DIGEST_IN_NAME));
    const known = name.endsWith("/main") ? this.#versions.get(name) : undefined;
    return {
      ...record,
      ...{ seq, atMs: BigInt(life.atMs), instance: name, version: known === undefined ? record.version : known + 1n },
      causeSeq: record.causeSeq === 0n ? 0n : seq - record.seq + record.causeSeq,
      effectId: effectId.fill(life),
      event: encoder.encode(event.fill(life)),
      blobs: record.blobs.map(() => ({ digest: Buffer.from(life.digest, "hex"), data })),
      outcome: {
        state: outcome.state,
        contextChange: encoder.encode(change.fill(life)),
        effects: outcome.effects.map(({ type }, at) => {
          return { type, id: `${seq}.${at}`, params: encoder.encode(params[at]?.fill(life) ?? "") };
        }),
        stateDigest: hash("sha256", after.fill(life), "buffer").subarray(0, 16),
      },
    };
  }
}

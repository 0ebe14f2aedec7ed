import { HeartwoodError } from "./errors.ts";
import { describeStep } from "./explain-step.ts";
import { mentionsOf, type Subject } from "./explain-subject.ts";
import { type Described, EXPIRED, FREE } from "./explain-words.ts";
import type { Transition } from "./transition.ts";

/** Steps that are kept from the beginning of a long story, and as many from its end. */
const KEPT_STEPS = 500;
/** Subjects that are named where an id can mean several. */
const NAMED_SUBJECTS = 5;
/** An id may be cut: to so many digits of its beginning, with `…` before some of its end. */
const CUT_ID = /^([0-9a-f]{8,64}(?::\d*)?)(?:…([0-9a-f:]*))?$/;

/** One record of a story, in words. */
export interface ExplainedStep {
  readonly seq: bigint;
  readonly atMs: number;
  readonly machine: string;
  readonly instance: string;
  /** Type of the event. */
  readonly event: string;
  /** State of the instance before and after it; null before its first record. */
  readonly from: string | null;
  readonly to: string;
  /** The record that caused it; 0 if an outside fact did. */
  readonly causeSeq: bigint;
  /** The effect whose result it is; empty if none. */
  readonly effectId: string;
  /** Reason of a refusal or a halt, or null. */
  readonly code: string | null;
  /** Rules by which it came out so, such as `mailbox.md W-6`: file of docs/protocol and number. */
  readonly rules: readonly string[];
  /** What happened, in a sentence; text that came from a server or a chain source is in it as it came. */
  readonly text: string;
}

/** How something came to be what it is. */
export interface Explanation {
  readonly kind: Subject["kind"];
  /** The whole id. */
  readonly id: string;
  /** What it is now, in words. */
  readonly now: string;
  /** Its records in order; of a very long story, its beginning and its end. */
  readonly steps: readonly ExplainedStep[];
  /** How many are left out between the two. */
  readonly leftOut: number;
}

interface Candidate {
  readonly subject: Subject;
  /** Messages and held items of which it is part. */
  readonly instances: Set<string>;
}

/**
 * Tells from the records of a log how a VTXO, a movement, a message or a held item came to be what it is. Pure; reads the
 * records twice, and keeps nothing but the story.
 *
 * @param read the records from the first on, anew with each call
 * @param id of a VTXO or movement, a checkpoint, or the key of a held item; of hex at least the first 8 digits, or as a
 * narrow terminal shows it: `20591032…e67fe130:0`
 * @throws HeartwoodError `NOT_FOUND`, `AMBIGUOUS_ID`; what reading throws
 */
export async function explain(read: () => AsyncIterable<Transition>, id: string): Promise<Explanation> {
  const { subject, instances } = await find(read(), id.trim());
  const told = new Set<bigint>();
  const states = new Map<string, string>();
  const story = new Story();
  for await (const transition of read()) {
    const { seq, instance, causeSeq, machine } = transition;
    const isOfStory =
      instances.has(instance) ||
      (told.has(causeSeq) && (machine === "mailbox" || machine === "connection")) ||
      isPart(transition, subject, told.size > 0);
    const from = states.get(instance) ?? null;
    // Of the one mailbox and the one connection every record counts; of messages those of this story only.
    if (isOfStory || machine === "mailbox" || machine === "connection") states.set(instance, transition.state);
    if (!isOfStory) continue;
    told.add(seq);
    story.tell(transition, subject, from);
  }
  return { ...subject, now: story.now, steps: story.steps(), leftOut: story.leftOut };
}

/** Records of what all VTXOs share. */
function isPart(transition: Transition, subject: Subject, hasBegun: boolean): boolean {
  const { machine, event } = transition;
  if (machine === "message" || machine === "quarantined") return false;
  if (event.type === "wallet.salvaged") return hasBegun && subject.kind === "vtxo";
  return mentionsOf(transition).some(({ kind, id }) => kind === subject.kind && id === subject.id);
}

class Story {
  readonly #first: ExplainedStep[] = [];
  #last: ExplainedStep[] = [];
  readonly #facts = { state: "", isDecided: false, expiry: "", anchor: "" };
  leftOut = 0;

  get now(): string {
    const { state, expiry, anchor } = this.#facts;
    if (expiry === EXPIRED && FREE.includes(state)) return EXPIRED;
    return [anchor !== "" && FREE.includes(state) ? "" : state, anchor, expiry].filter((part) => part !== "").join(", ");
  }

  tell(transition: Transition, subject: Subject, from: string | null): void {
    const described = describeStep(transition, subject, from);
    const { text, code = null, rules = [] } = described;
    this.#learn(described);
    const { seq, atMs, machine, instance, event, state, causeSeq, effectId } = transition;
    const step = { seq, atMs, machine, instance, event: event.type, from, to: state, causeSeq, effectId, code, rules, text };
    if (this.#first.length < KEPT_STEPS) this.#first.push(step);
    else if (this.#last.push(step) === 2 * KEPT_STEPS) this.#cut();
  }

  #learn({ now, isProvisional, onlyFrom, expiry = this.#facts.expiry, anchor = this.#facts.anchor }: Described): void {
    [this.#facts.expiry, this.#facts.anchor] = [expiry, anchor];
    if (now === undefined || (isProvisional === true && this.#facts.isDecided)) return;
    if (onlyFrom !== undefined && !onlyFrom.includes(this.#facts.state)) return;
    this.#facts.state = now;
    this.#facts.isDecided ||= isProvisional !== true;
  }

  steps(): readonly ExplainedStep[] {
    this.#cut();
    return [...this.#first, ...this.#last];
  }

  #cut(): void {
    const kept = this.#last.slice(-KEPT_STEPS);
    this.leftOut += this.#last.length - kept.length;
    this.#last = kept;
  }
}

async function find(records: AsyncIterable<Transition>, id: string): Promise<Candidate> {
  const wanted = id.toLowerCase();
  const [, head, tail = ""] = CUT_ID.exec(wanted) ?? [];
  const exact = new Map<string, Candidate>();
  const cut = new Map<string, Candidate>();
  for await (const transition of records) {
    for (const subject of mentionsOf(transition)) {
      const isHex = subject.kind === "vtxo" || subject.kind === "quarantined";
      if (subject.id === wanted) note(exact, subject, transition);
      else if (isHex && head !== undefined && subject.id.startsWith(head) && subject.id.endsWith(tail)) {
        note(cut, subject, transition);
      }
    }
  }
  const found = exact.size > 0 ? exact : cut;
  const [first] = found.values();
  if (first === undefined) {
    throw new HeartwoodError(
      "NOT_FOUND",
      `expected a VTXO, movement, checkpoint or held item of this wallet (of hex at least 8 digits), got ${id.slice(0, 200)}`,
    );
  }
  if (found.size === 1) return first;
  const names = [...found.values()].slice(0, NAMED_SUBJECTS).map(({ subject }) => `${subject.kind} ${subject.id}`);
  const more = found.size > names.length ? ", …" : "";
  throw new HeartwoodError("AMBIGUOUS_ID", `expected an id of one thing, got ${wanted} of several: ${names.join(", ")}${more}`);
}

/** One more than are named is enough to know that there are several. */
function note(found: Map<string, Candidate>, subject: Subject, { machine, instance }: Transition): void {
  const name = `${subject.kind} ${subject.id}`;
  const candidate = found.get(name) ?? { subject, instances: new Set() };
  if (!found.has(name) && found.size > NAMED_SUBJECTS) return;
  found.set(name, candidate);
  if (machine === "message" || machine === "quarantined") candidate.instances.add(instance);
}

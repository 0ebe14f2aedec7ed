import { machineNamed } from "../../machines/registry.ts";
import { isFinished } from "../../machines/step.ts";
import type { Hello, InstancePath, InstanceRow, Moment, RecordDetail, RecordRow } from "../../visualizer/feed.ts";
import type { WalkedStep } from "./walked-log.ts";

const BEGINNING_MS = 1_790_000_000_000;
const NONE = { total: 0, rows: [], next: null };
const NOTHING = "0";

/**
 * What a host says of walked steps. The books refuse a log in which a payment spends coins that nobody credited, so a walk
 * through every state of every machine is told to the page directly.
 */
export class WalkedFeed {
  readonly #rows: readonly RecordRow[];

  constructor(steps: readonly WalkedStep[]) {
    this.#rows = steps.map(({ machine, instance, event, before, outcome: { next, effects } }, index) => ({
      ...{ seq: String(index + 1), atMs: BEGINNING_MS + index, machine, instance, type: event.type, before, after: next.state },
      ...{
        effects: effects.map(({ type }) => type),
        cause: NOTHING,
        effectId: "",
        marks: [],
        code: null,
        verdict: "agrees" as const,
      },
    }));
  }

  /** The answer to a question of the page, as JSON. */
  answer({ pathname, searchParams }: URL): unknown {
    const seq = Number(searchParams.get("seq"));
    switch (pathname) {
      case "/api/hello":
        return this.#hello();
      case "/api/record":
        return this.#record(seq);
      case "/api/moment":
        return this.#moment(seq);
      case "/api/path":
        return this.#path(searchParams.get("instance") ?? "", seq);
      case "/api/series":
        return { points: [] };
      default:
        return null;
    }
  }

  #hello(): Hello {
    const head = String(this.#rows.length);
    const progress = { head, total: head, verified: head, differing: [], differingCount: 0 };
    return { format: 1, name: "walk", source: "log", version: "", machines: [], network: "", first: "1", progress };
  }

  #record(seq: number): RecordDetail {
    const row = this.#rows[seq - 1];
    if (row === undefined) throw new Error(`expected a record of the walk, got ${seq}`);
    return {
      ...{ ...row, revision: 1, version: "1", epoch: "1", commit: row.seq, schema: 1, bytes: 0, event: {}, blobs: [] },
      ...{
        contextBefore: null,
        contextAfter: {},
        changed: [],
        asked: [],
        stateDigest: "",
        caused: [],
        previous: null,
        next: null,
      },
      ...{ guard: null, disagreement: null, mentions: [] },
    };
  }

  #moment(seq: number): Moment {
    const rows = this.#rows.slice(0, seq);
    const instances = new Map<string, InstanceRow>();
    const states: Record<string, Record<string, number>> = {};
    for (const row of rows) {
      const { instance, machine, after, atMs } = row;
      const { firstSeq = row.seq, firstAtMs = atMs } = instances.get(instance) ?? {};
      const isDone = isFinished(machineNamed(machine), after);
      const times = { firstSeq, firstAtMs, lastSeq: row.seq, lastAtMs: atMs };
      instances.set(instance, { instance, machine, state: after, isFinished: isDone, ...times });
    }
    for (const { machine, state } of instances.values()) {
      states[machine] = { ...states[machine], [state]: (states[machine]?.[state] ?? 0) + 1 };
    }
    const zero = { total: NOTHING, spendable: NOTHING, awaitingRegistration: NOTHING, locked: NOTHING, pendingIn: NOTHING };
    const balance = { ...zero, exiting: NOTHING, pendingOut: NOTHING, unsure: NOTHING, expired: NOTHING, unconfirmed: NOTHING };
    const tables = { vtxos: NONE, movements: NONE, quarantine: NONE, outbox: NONE };
    const listed = { total: instances.size, rows: [...instances.values()], next: null };
    const now = { seq: String(seq), atMs: rows.at(-1)?.atMs ?? 0, epoch: "1", connection: "", checkpoint: NOTHING, halted: null };
    const last = Object.fromEntries(rows.map((row) => [row.machine, row]));
    return { ...now, balance, counters: {}, states, last, instances: listed, ...tables };
  }

  #path(instance: string, seq: number): InstancePath {
    const steps = this.#rows.slice(0, seq).filter((row) => row.instance === instance);
    return { instance, machine: steps[0]?.machine ?? "", steps, leftOut: 0 };
  }
}

import { FeedError, type FeedSource, type Hello, type Progress, type Search } from "../feed.ts";
import type { PartialMoment } from "../feed-moment.ts";
import type { Explained, InstancePath, RecordDetail } from "../feed-record.ts";
import { tablesSeen, wideScreen } from "./seen-tables.ts";
import { isOutdated } from "./verdicts.ts";

/** The panels of the page. */
export type View = "charts" | "instances" | "records" | "money" | "record";

/** Everything that the page shows, at one moment. */
export interface Shown {
  readonly hello: Hello;
  readonly progress: Progress;
  readonly connection: "connected" | "lost" | "ended";
  readonly connectionReason: string;
  /** The record at which everything stands. */
  readonly seq: bigint;
  readonly record: RecordDetail | null;
  readonly moment: PartialMoment | null;
  /** The chosen instance and its way until here. */
  readonly instance: string | null;
  readonly path: InstancePath | null;
  /** The machine whose chart is large; null follows the record. */
  readonly machine: string | null;
  readonly view: View;
  /** Whether the page goes along with a live log. */
  readonly isFollowing: boolean;
  readonly isPlaying: boolean;
  /** Records a second. */
  readonly speed: number;
  readonly explained: Explained | null;
  /** What went wrong last, in words. */
  readonly problem: string | null;
}

/** Records a second that can be chosen. */
export const SPEEDS = [1, 2, 5, 10, 25, 60] as const;

type Listener = (now: Shown, before: Shown) => void;

/** The state of the page: what is shown, and how it comes from the source. Panels read it and ask for other moments. */
export class Session {
  readonly source: FeedSource;
  #shown: Shown;
  readonly #listeners: { readonly members: readonly (keyof Shown)[]; readonly listener: Listener }[] = [];
  readonly #alongside: ((seq: bigint) => Promise<void>)[] = [];
  /** The moment wanted next, while another one is on its way. */
  #wanted: { readonly seq: bigint } | null = null;
  #isLoading = false;
  /** Moves of the user that need no answer: a jump that was asked for before one leads nowhere any more. */
  #moves = 0;
  /** Jumps in turn: each begins where the one before has led. */
  #jumps: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(source: FeedSource, hello: Hello) {
    this.source = source;
    this.#shown = {
      hello,
      progress: hello.progress,
      connection: hello.source === "live" ? "connected" : "ended",
      connectionReason: "",
      seq: BigInt(hello.progress.head),
      record: null,
      moment: null,
      instance: null,
      path: null,
      machine: null,
      view: "charts",
      isFollowing: hello.source === "live",
      isPlaying: false,
      speed: 5,
      explained: null,
      problem: null,
    };
    const complete = () => this.#complete();
    this.onChange(["view"], complete);
    wideScreen.addEventListener("change", complete);
  }

  /** Asks the source what there is, and begins to listen to it. */
  static async open(source: FeedSource): Promise<Session> {
    const session = new Session(source, await source.hello());
    source.follow({
      progress: (progress) => session.#take(progress),
      status: (connection, connectionReason) => session.change({ connection, connectionReason }),
    });
    return session;
  }

  get shown(): Shown {
    return this.#shown;
  }

  get first(): bigint {
    return BigInt(this.#shown.hello.first);
  }

  get head(): bigint {
    return BigInt(this.#shown.progress.head);
  }

  /** Calls back at the start, and then whenever one of these members becomes another. */
  onChange(members: readonly (keyof Shown)[], listener: Listener): void {
    this.#listeners.push({ members, listener });
  }

  /** Loads something else with each moment, which is shown when both are there. */
  alongside(load: (seq: bigint) => Promise<void>): void {
    this.#alongside.push(load);
  }

  change(changed: Partial<Shown>): void {
    const before = this.#shown;
    const now = { ...before, ...changed };
    this.#shown = now;
    for (const { members, listener } of this.#listeners) {
      if (members.some((member) => now[member] !== before[member])) listener(now, before);
    }
  }

  /** Shows the end of the log, for a beginning. */
  start(): void {
    for (const { listener } of this.#listeners) listener(this.#shown, this.#shown);
    this.#go(this.head);
  }

  /** Goes to a record. Asked for often, as by a slider, it skips what was not shown yet. */
  seek(seq: bigint): void {
    this.#moves++;
    this.#leave(seq);
  }

  /** Goes on with the end of a live log, or stays where it is. */
  follow(isFollowing: boolean): void {
    this.#moves++;
    this.change({ isFollowing, ...(isFollowing ? { isPlaying: false } : {}) });
    if (isFollowing) this.#go(this.head);
  }

  step(by: bigint): void {
    this.play(false);
    this.seek((this.#wanted ?? this.#shown).seq + by);
  }

  play(isPlaying: boolean): void {
    clearTimeout(this.#timer);
    this.change({ isPlaying });
    if (!isPlaying) return;
    this.#moves++;
    if (this.#shown.seq >= this.head) this.seek(this.first);
    this.#tick();
  }

  setSpeed(speed: number): void {
    this.change({ speed });
  }

  /** Goes to the nearest record of a kind, unless the user moves elsewhere before the source has answered. */
  jump(search: Omit<Search, "from">, what: string): Promise<void> {
    this.play(false);
    const moves = this.#moves;
    const jumped = this.#jumps.then(() => this.#jump(search, what, moves));
    this.#jumps = jumped.catch(() => {});
    return jumped;
  }

  /** Chooses an instance, whose way lights up; null for none. */
  async choose(instance: string | null): Promise<void> {
    this.change({ instance, path: null, ...(instance === null ? {} : { machine: machineOf(instance) }) });
    if (instance !== null) await this.#loadPath();
  }

  async explain(id: string): Promise<void> {
    const explained = await this.#ask(() => this.source.explain(id));
    if (explained !== undefined) this.change({ explained });
  }

  async #jump(search: Omit<Search, "from">, what: string, moves: number): Promise<void> {
    if (this.#moves !== moves) return;
    const { seq } = this.#wanted ?? this.#shown;
    const found = await this.#ask(() => this.source.find({ ...search, from: String(seq) }));
    if (found === undefined || this.#moves !== moves) return;
    if (found === null)
      this.change({ problem: `No ${what} ${search.direction === "forward" ? "after" : "before"} this record.` });
    else this.#leave(BigInt(found.seq));
  }

  /** Goes to a record, away from the end of a live log. */
  #leave(seq: bigint): void {
    this.change({ isFollowing: false });
    this.#go(seq);
  }

  #take(progress: Progress): void {
    this.change({ progress });
    const { isFollowing, path } = this.#shown;
    if (isFollowing) this.#go(this.head);
    else if (path !== null && isOutdated(path.steps, progress)) void this.#loadPath();
  }

  #go(seq: bigint): void {
    const bounded = seq < this.first ? this.first : seq > this.head ? this.head : seq;
    this.#wanted = { seq: bounded };
    if (!this.#isLoading) void this.#load();
  }

  /** Loads the tables of this moment that only another view shows. */
  #complete(): void {
    const { moment, view, seq } = this.#shown;
    if (moment !== null && tablesSeen(view).some((table) => moment[table] === undefined)) this.#go(this.#wanted?.seq ?? seq);
  }

  async #load(): Promise<void> {
    this.#isLoading = true;
    try {
      while (this.#wanted !== null) {
        const wanted = this.#wanted;
        await this.#show(wanted.seq);
        if (this.#wanted === wanted) this.#wanted = null;
      }
    } finally {
      this.#isLoading = false;
    }
  }

  async #show(seq: bigint): Promise<void> {
    if (this.head < this.first) return;
    const text = String(seq);
    const { view, instance } = this.#shown;
    // All at once, so that it is shown at once: nothing of it stands beside something of another moment.
    const loaded = await this.#ask(async () => {
      const [record, moment, path] = await Promise.all([
        this.source.record(text),
        this.source.moment(text, tablesSeen(view)),
        instance === null ? null : this.source.path(instance, text),
        ...this.#alongside.map((load) => load(seq)),
      ]);
      return { seq, record, moment, path };
    });
    if (loaded === undefined) return;
    // Another instance or view was chosen meanwhile.
    const isOther = this.#shown.instance !== instance;
    this.change(isOther ? { ...loaded, path: null } : loaded);
    if (isOther) await this.#loadPath();
    this.#complete();
  }

  async #loadPath(): Promise<void> {
    const { instance, seq } = this.#shown;
    if (instance === null) return;
    const path = await this.#ask(() => this.source.path(instance, String(seq)));
    // Of another record by now, or of another instance: then that one's is on its way.
    if (path !== undefined && this.#shown.instance === instance && this.#shown.seq === seq) this.change({ path });
  }

  #tick(): void {
    this.#timer = setTimeout(() => {
      if (!this.#shown.isPlaying) return;
      if (!this.#isLoading) {
        if (this.#shown.seq >= this.head) return this.play(false);
        this.seek(this.#shown.seq + 1n);
      }
      this.#tick();
    }, 1_000 / this.#shown.speed);
  }

  /** An answer of the source, or undefined where it refused; then the page says why. */
  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      const answer = await question();
      if (this.#shown.problem !== null) this.change({ problem: null });
      return answer;
    } catch (error) {
      if (!(error instanceof FeedError)) throw error;
      this.change({ problem: error.message });
      return undefined;
    }
  }
}

/** The machine of an instance such as `message/12/ab…`. */
export function machineOf(instance: string): string {
  const end = instance.indexOf("/");
  return end < 0 ? instance : instance.slice(0, end);
}

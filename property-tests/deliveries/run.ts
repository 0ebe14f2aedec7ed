import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import type { Driver } from "../../engine/drives.ts";
import { openOnLog } from "../../engine/open-on-log.ts";
import type { Ports } from "../../engine/ports.ts";
import { replay, replayed } from "../../engine/replay.ts";
import { decodeState, digestOfParts, encodeState } from "../../engine/state-snapshot.ts";
import { decodeTransition } from "../../engine/transition.ts";
import { balanceOf, statusOf } from "../../engine/view.ts";
import type { Wallet } from "../../engine/wallet.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { AcceptedVtxo } from "../../machines/package.ts";
import { Record as LogRecord } from "../../proto/generated/log.ts";
import type { AppendRequest } from "../../store/event-log.ts";
import { createMemoryLog } from "../../store/memory-log.ts";
import type { Setup } from "./commands.ts";
import { digestOf } from "./expected.ts";
import { Fate, type Pace, tick } from "./fate.ts";
import { Ledger, sumOf } from "./ledger.ts";
import type { Pool, PoolVtxo } from "./pool.ts";
import { same } from "./same.ts";
import { ScriptedChain } from "./scripted-chain.ts";
import { type Entry, ScriptedServer } from "./scripted-server.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { WatchedLog } from "./watched-log.ts";

/** Rounds of the event loop in which nothing may happen before everything counts as settled. */
const QUIET_ROUNDS = 3;
const MOST_ROUNDS = 20_000;
const MOST_PAUSES = 1_000;
/** Machines whose records change coins, movements or held items. */
const BOOKS: ReadonlySet<string> = new Set(["message", "quarantined"]);

/** One wallet with its world: commands are done to it, and every commit of it is checked. */
export class Run {
  readonly pool: Pool;
  readonly setup: Setup;
  readonly clock = new VirtualClock();
  readonly chain: ScriptedChain;
  readonly server: ScriptedServer;
  readonly ledger = new Ledger();
  /** Every message that was posted, kept or only emitted. */
  readonly posted: Entry[] = [];
  /** What the owner brought. */
  readonly imported: Uint8Array[] = [];
  /** Messages that a lying server made unreachable: nobody who asks for what comes after a checkpoint gets them. */
  readonly hidden = new Set<Entry>();
  /** The newest notice after which each payment and round was driven. */
  readonly driven = new Map<string, bigint>();
  readonly #looked = new Set<bigint>();
  /** The last place that an honest server gave out. */
  honest = 0n;
  readonly #memory = createMemoryLog();
  readonly #digests = new Map<Uint8Array, string>();
  readonly #fold = new WalletState();
  readonly #pace: Pace | undefined;
  #fate = new Fate();
  #log: WatchedLog | undefined;
  #underlying: { close(): Promise<void> } | undefined;
  #wallet: Wallet | undefined;
  #problem: { readonly error: unknown } | undefined;
  #crashes = 0;
  #issuedKeys = 0;
  #hasBooked = false;

  /** @param pace who orders what happens at the same time; without one, everything goes on as soon as it can */
  constructor(pool: Pool, setup: Setup, pace?: Pace) {
    this.pool = pool;
    this.setup = setup;
    this.#pace = pace;
    this.chain = new ScriptedChain(pool);
    this.server = new ScriptedServer(pool, setup.pageRows, {
      onRegister: (ids) => this.#checkAsked("registerVtxos", ids),
      onRecoveryPost: (ids) => this.#checkAsked("postRecoveryIds", ids),
    });
  }

  /** The wallet, open. */
  get wallet(): Wallet {
    if (this.#wallet === undefined) throw new Error("expected an open wallet, got none");
    return this.#wallet;
  }

  get fate(): Fate {
    return this.#fate;
  }

  /** Opens the wallet on what the log holds. */
  async open(): Promise<void> {
    this.#fate = new Fate(this.#pace);
    this.#wallet = undefined;
    const underlying = await this.#memory.open();
    this.#underlying = underlying;
    const watch = { onDurable: this.#onDurable, onAcknowledged: this.#onAcknowledged };
    this.#log = new WatchedLog(underlying, this.#fate, watch, this.setup.writeTicks);
    openOnLog(this.#log, this.pool.keys, this.#ports(this.#fate), {
      seed: () => new Uint8Array(64),
      create: true,
      server: "https://ark.example",
      chain: this.chain.source(this.#fate),
      network: "regtest",
    }).then(
      (wallet) => {
        this.#wallet = wallet;
      },
      (error) => this.report(error),
    );
    await this.settle();
    this.checkTold();
    assert.ok(this.wallet.status().nextKeyIndex >= this.#issuedKeys, "an address that was given out is remembered");
    // The next process begins with what is known now, and reads what came after it.
    if (this.#fold.seq > 0n) await underlying.saveSnapshot({ seq: this.#fold.seq, parts: [...encodeState(this.#fold)] });
    if (this.setup.live) this.wallet.start();
    await this.settle();
  }

  /** Gives the wallet back in order. */
  async close(): Promise<void> {
    await this.#inProcess(this.wallet.close());
    this.clock.forget();
  }

  /** Lets everything happen that needs no time; a process that died on the way is replaced by a new one. */
  async settle(): Promise<void> {
    for (let quiet = 0, rounds = 0; quiet < QUIET_ROUNDS; rounds++) {
      assert.ok(rounds < MOST_ROUNDS, "the wallet comes to rest");
      await tick();
      this.#throwIfBroken();
      if (!this.#fate.alive) return this.#reopenAfterCrash();
      const isReleased = (await this.#pace?.release()) === true;
      quiet = this.clock.fireDue() || isReleased || this.#log?.isBusy === true ? 0 : quiet + 1;
    }
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.trueMs + ms;
    for (let more = true; more; ) {
      more = this.clock.moveTowards(untilMs);
      await this.settle();
    }
  }

  /** Waits for a promise of the wallet, which may take so long, unless its process dies before. */
  async wait<T>(promise: Promise<T>, withinMs = 0): Promise<{ readonly value: T } | { readonly error: unknown } | undefined> {
    const crashes = this.#crashes;
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error) => {
        outcome = { error };
      },
    );
    await this.settle();
    if (outcome === undefined && withinMs > 0) await this.advance(withinMs);
    if (this.#crashes === crashes) assert.ok(outcome !== undefined, "an answer needs no more than what is there");
    return outcome;
  }

  /** Closes the wallet in order and opens it again. */
  async reopen(): Promise<void> {
    const crashes = this.#crashes;
    await this.close();
    if (this.#crashes === crashes) await this.open();
  }

  /** Digest of a message, as the log names its bytes. */
  digest(raw: Uint8Array): string {
    const known = this.#digests.get(raw) ?? digestOf(raw);
    this.#digests.set(raw, known);
    return known;
  }

  /** Ends the process as SIGKILL does. */
  async crash(): Promise<void> {
    this.#fate.kill();
    await this.settle();
  }

  /** An address that the wallet gave out. */
  noteIssued(): void {
    this.#issuedKeys = Math.max(this.#issuedKeys, this.wallet.status().nextKeyIndex);
  }

  /** Notes a broken promise that nobody can be told of where it was seen. */
  readonly report = (error: unknown): void => {
    this.#problem ??= { error };
  };

  /** The log, read again with a snapshot on the way, gives what the folds of the running wallet gave. */
  async checkReplay(): Promise<void> {
    const log = await this.#memory.open({ readOnly: true });
    const begun = new WalletState();
    const stop = (log.head().seq * BigInt(this.setup.snapshotPercent)) / 100n;
    if (stop > 0n) for await (const { seq } of replayed(log, begun)) if (seq >= stop) break;
    const state = decodeState({ seq: begun.seq, parts: [...encodeState(begun)] });
    assert.ok(state !== undefined, "a state is restored from its snapshot");
    await replay(log, state);
    assert.ok(isDeepStrictEqual(state, this.#fold), "a replay gives the state that the commits gave");
    assert.deepEqual(digestOfParts(encodeState(state)), digestOfParts(encodeState(this.#fold)));
    await log.close();
  }

  #ports(fate: Fate): Ports {
    return {
      clock: this.clock,
      randomness: { bytes: (length) => new Uint8Array(length).fill(0x5a) },
      transport: () => this.server.connect(fate),
      logger: (level, message, details) => {
        if (level === "error") this.report(details?.error ?? new Error(message));
      },
      drivers: { "lightning-send": this.#drive, "lightning-receive": this.#drive, round: this.#drive },
    };
  }

  /** Busy at the first look at every other notice. */
  readonly #drive: Driver = async ({ kind, hash, seq }) => {
    const name = `${kind}/${hash}`;
    if ((this.ledger.notices.get(name) ?? 0n) < seq) this.report(new Error(`${name} is driven before its notice is durable`));
    if (seq % 2n === 0n && !this.#looked.has(seq)) {
      this.#looked.add(seq);
      return "busy";
    }
    this.driven.set(name, seq);
    return "driven";
  };

  async #inProcess(promise: Promise<void>): Promise<void> {
    const crashes = this.#crashes;
    let hasEnded = false;
    const end = (): void => {
      hasEnded = true;
    };
    promise.then(end, end);
    await this.settle();
    // A snapshot pauses for real.
    for (let i = 0; i < MOST_PAUSES && !hasEnded && this.#crashes === crashes; i++) await new Promise((wake) => setTimeout(wake));
    if (this.#crashes !== crashes) return;
    const outcome = await this.wait(promise);
    if (outcome !== undefined && "error" in outcome) throw outcome.error;
  }

  async #reopenAfterCrash(): Promise<void> {
    this.#crashes++;
    this.clock.forget();
    this.server.disconnect();
    await this.#underlying?.close();
    await this.open();
  }

  readonly #onDurable = ({ bodies }: AppendRequest): void => {
    try {
      for (const body of bodies) {
        const transition = decodeTransition(LogRecord.decode(body));
        const credited = this.ledger.coins.size;
        this.#fold.apply(transition);
        this.ledger.apply(transition);
        this.#hasBooked ||= BOOKS.has(transition.machine);
        if (this.ledger.coins.size > credited)
          for (const coin of transition.change.vtxos as AcceptedVtxo[]) this.#checkCoin(coin);
      }
    } catch (error) {
      this.report(error);
    }
  };

  readonly #onAcknowledged = (): void => {
    try {
      this.#checkBalance();
      if (this.#hasBooked) this.checkTold();
    } catch (error) {
      this.report(error);
    }
  };

  /** Checkpoint and balance, as they are told, are those of the durable records. */
  #checkBalance(): void {
    const { ledger } = this;
    ledger.check(this.#wallet?.checkpoint() ?? this.#fold.checkpoint, this.clock.nowMs());
    const { totalSats } = this.#wallet?.balance() ?? balanceOf(this.#fold);
    assert.equal(totalSats, ledger.creditedSats, "the balance is the sum of what was credited");
    assert.equal(totalSats, ledger.movedSats, "the balance is the sum of the movements");
  }

  /** All that the wallet tells its owner is what the durable records say: at each commit that changed the books. */
  checkTold(): void {
    this.#hasBooked = false;
    const { ledger } = this;
    const status = this.#wallet?.status() ?? statusOf(this.#fold);
    assert.equal(status.records, ledger.seq);
    assert.ok(same(status, statusOf(this.#fold)), "what is told is a fold of the durable records");
    assert.equal(status.balance.totalSats, sumOf(status.vtxos), "the balance is the sum of the VTXOs");
    assert.equal(status.movements.length, ledger.movements.size);
    assert.equal(status.vtxos.length, ledger.coins.size);
    for (const { id } of status.vtxos.filter(({ state }) => state === "unanchored")) {
      assert.ok(this.chain.hasDoubted(this.#vtxo(id)?.role), `${id} counts as unanchored, and its anchor never left the chain`);
    }
  }

  /** Nothing but money is credited. */
  #checkCoin({ id, amountSats, keyIndex }: AcceptedVtxo): void {
    const vtxo = this.#vtxo(id);
    const isMoney =
      vtxo?.role === "good" ||
      vtxo?.role === "unregistered" ||
      vtxo?.role === "tree-exited" ||
      (vtxo?.role === "unconfirmed" && this.chain.wasConfirmed) ||
      (vtxo?.role === "late" && this.server.learned);
    assert.ok(isMoney, `${id} was credited, but it is ${vtxo?.role ?? "made up"}`);
    assert.equal(amountSats, vtxo?.amountSats, `${id} counts what it is worth`);
    assert.equal(keyIndex, vtxo?.keyIndex, `${id} belongs to the key that it pays`);
  }

  #vtxo(id: VtxoId): PoolVtxo | undefined {
    return this.pool.vtxos.find((candidate) => candidate.id === id);
  }

  /** A command reaches the server only after the record that asks for it, and before the one that answers it. */
  #checkAsked(type: string, ids: readonly (VtxoId | undefined)[]): void {
    const asked = [...this.ledger.openCommands.values()].filter((command) => command.type === type);
    const isAsked = asked.some((command) => ids.every((id) => id !== undefined && command.ids.includes(id)));
    if (!isAsked) this.report(new assert.AssertionError({ message: `${type} of ${ids} before its record was durable` }));
  }

  #throwIfBroken(): void {
    if (this.#problem !== undefined) throw this.#problem.error;
  }
}

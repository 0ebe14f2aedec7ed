import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { buildAddress, encodeAddress } from "../../ark/address.ts";
import { sha256 } from "../../ark/crypto.ts";
import { encodeHex } from "../../ark/hex.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { noteSalvage } from "../../engine/note-salvage.ts";
import { openOnLog } from "../../engine/open-on-log.ts";
import { replay } from "../../engine/replay.ts";
import { decodeState, encodeState } from "../../engine/state-snapshot.ts";
import { decodeTransition } from "../../engine/transition.ts";
import { statusOf } from "../../engine/view.ts";
import type { Wallet } from "../../engine/wallet.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import { Record as LogRecord } from "../../proto/generated/log.ts";
import type { AppendRequest } from "../../store/event-log.ts";
import { createMemoryLog } from "../../store/memory-log.ts";
import { packageOf } from "../deliveries/compose.ts";
import { Fate, tick } from "../deliveries/fate.ts";
import { sumOf } from "../deliveries/ledger.ts";
import type { Pool } from "../deliveries/pool.ts";
import { ScriptedChain } from "../deliveries/scripted-chain.ts";
import { VirtualClock } from "../deliveries/virtual-clock.ts";
import { WatchedLog } from "../deliveries/watched-log.ts";
import type { PayingServer } from "./paying-server.ts";

const QUIET_ROUNDS = 3;
const MOST_ROUNDS = 20_000;
const RECIPIENT = WalletKeys.fromSeed(new Uint8Array(64).fill(0x71));

/** A payment that was asked for, with the key of its recipient. */
export interface Asked {
  readonly owner: string;
  readonly amountSats: bigint;
  /** Its id, once the wallet gave one; a process that died first gave none. */
  id?: string;
}

/** A wallet that pays or is paid, with a server and a chain that do what they are told: every commit is checked, any process may die. */
export class SendingWorld<Server extends PayingServer = PayingServer> {
  readonly clock: VirtualClock;
  readonly chain: ScriptedChain;
  readonly server: Server;
  readonly asked: Asked[] = [];
  readonly #pool: Pool;
  readonly #memory = createMemoryLog();
  readonly #fold = new WalletState();
  #fate = new Fate();
  #drawn = 0;
  /** Whether the next process finds a log that lost its end. */
  isSalvaged = false;
  #log: WatchedLog | undefined;
  #underlying: { close(): Promise<void> } | undefined;
  #wallet: Wallet | undefined;
  #problem: { readonly error: unknown } | undefined;

  constructor(pool: Pool, server: Server, clock = new VirtualClock()) {
    this.#pool = pool;
    this.clock = clock;
    this.chain = new ScriptedChain(pool);
    this.server = server;
    const own = pool.vtxos.filter(({ role }) => role === "good");
    this.server.keep(
      packageOf(
        own.map(({ bytes }) => bytes),
        5n,
      ),
    );
  }

  /** What the durable records say. */
  get durable(): Readonly<WalletState> {
    return this.#fold;
  }

  get fate(): Fate {
    return this.#fate;
  }

  get wallet(): Wallet {
    if (this.#wallet === undefined) throw new Error("expected an open wallet, got none");
    return this.#wallet;
  }

  /** Opens the wallet on what the log holds, and starts it. */
  async open(): Promise<void> {
    this.#fate = new Fate();
    this.#wallet = undefined;
    const underlying = await this.#memory.open();
    this.#underlying = underlying;
    this.#log = new WatchedLog(underlying, this.#fate, { onDurable: this.#onDurable, onAcknowledged() {} }, 0);
    const fate = this.#fate;
    this.server.kill = () => fate.kill();
    const ports = {
      clock: this.clock,
      randomness: { bytes: (length: number) => this.#draw(length) },
      transport: () => this.server.connect(fate),
      logger: (level: string, message: string, details?: Readonly<Record<string, unknown>>) => {
        if (level === "error") this.#report(details?.error ?? new Error(message));
      },
      drivers: {},
    };
    const options = { create: true, server: "https://ark.example", chain: this.chain.source(fate), network: "regtest" } as const;
    openOnLog(this.#log, this.#pool.keys, ports, { seed: () => new Uint8Array(64), ...options }).then(
      (wallet) => {
        this.#wallet = wallet;
        wallet.start();
      },
      (error: unknown) => this.#report(error),
    );
    await this.settle();
  }

  /** Asks the wallet to pay to a recipient of its own; a refusal is none of the property's business. */
  async send(amountSats: bigint): Promise<void> {
    const { serverPubkey, mailboxPubkey } = this.#pool.info;
    const index = this.asked.length;
    const vtxoSecretKey = RECIPIENT.vtxoSecretKey(index);
    const { mailboxId } = RECIPIENT;
    const address = encodeAddress(buildAddress({ serverPubkey, mailboxPubkey, vtxoSecretKey, mailboxId, mainnet: false }));
    const asked: Asked = { owner: encodeHex(RECIPIENT.vtxoPublicKey(index)), amountSats };
    this.asked.push(asked);
    this.wallet.send(address, amountSats).then(
      ({ id }) => {
        asked.id = id;
      },
      () => {},
    );
    await this.settle();
  }

  /** Lets everything happen that needs no time; a process that died on the way is replaced by a new one. */
  async settle(): Promise<void> {
    for (let quiet = 0, rounds = 0; quiet < QUIET_ROUNDS; rounds++) {
      assert.ok(rounds < MOST_ROUNDS, "the wallet comes to rest");
      await tick();
      if (this.#problem !== undefined) throw this.#problem.error;
      if (this.server.broken !== undefined) throw this.server.broken;
      if (!this.#fate.alive) {
        this.clock.forget();
        this.server.disconnect();
        await this.#underlying?.close();
        if (this.isSalvaged) await this.#noteSalvage();
        return this.open();
      }
      quiet = this.clock.fireDue() || this.#log?.isBusy === true ? 0 : quiet + 1;
    }
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    for (let more = true; more; ) {
      more = this.clock.moveTowards(untilMs);
      await this.settle();
    }
  }

  /** The log, read again, says what the commits said. */
  async checkReplay(): Promise<void> {
    const log = await this.#memory.open({ readOnly: true });
    const again = new WalletState();
    await replay(log, again);
    assert.ok(isDeepStrictEqual(again, this.#fold), "a replay gives the state that the commits gave");
    const restored = decodeState({ seq: again.seq, parts: [...encodeState(again)] });
    assert.ok(isDeepStrictEqual(restored, again), "a snapshot gives it too");
    await log.close();
  }

  /** Ends the process in order. */
  async close(): Promise<void> {
    await this.wallet.close();
  }

  async #noteSalvage(): Promise<void> {
    this.isSalvaged = false;
    const log = await this.#memory.open();
    const { seq } = log.head();
    const randomness = { bytes: (length: number) => this.#draw(length) };
    const note = { keptSeq: seq, lostTo: seq + 9n, damage: [], keyGap: 9 };
    await noteSalvage(log, note, { clock: this.clock, randomness });
    for await (const { record } of log.read({ from: seq + 1n })) this.#fold.apply(decodeTransition(record));
    await log.close();
  }

  #draw(length: number): Uint8Array {
    const bytes = [...Array(Math.ceil(length / 32)).keys()].flatMap(() => [
      ...sha256(new TextEncoder().encode(`${this.#drawn++}`)),
    ]);
    return Uint8Array.from(bytes.slice(0, length));
  }

  #report(error: unknown): void {
    this.#problem ??= { error };
  }

  readonly #onDurable = ({ bodies }: AppendRequest): void => {
    try {
      for (const body of bodies) {
        this.#fold.apply(decodeTransition(LogRecord.decode(body)));
        checkBooks(this.#fold);
      }
    } catch (error) {
      this.#report(error);
    }
  };
}

/** The balance equation, and that what is locked is locked by a payment that is open. */
function checkBooks(state: WalletState): void {
  const { balance, movements, vtxos } = statusOf(state);
  assert.equal(
    movements.reduce((sum, one) => sum + one.effectiveBalanceSats, 0n),
    balance.totalSats,
    "Σ movements is the total",
  );
  const { spendableSats, awaitingRegistrationSats, lockedSats, unsureSats, expiredSats, unanchoredSats } = balance;
  const waiting = awaitingRegistrationSats + unsureSats + expiredSats + unanchoredSats;
  const parts = spendableSats + waiting + lockedSats + balance.pendingInSats + balance.exitingSats;
  assert.equal(parts, balance.totalSats, "the parts are the total");
  assert.equal(sumOf(vtxos), balance.totalSats + balance.pendingOutSats, "Σ VTXOs is the total");
  for (const { state: place, lockedBy } of vtxos) {
    if (place === "locked") assert.ok(state.instances.has(lockedBy ?? ""), `${lockedBy} has a VTXO locked and is open`);
  }
}

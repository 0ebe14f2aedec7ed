import { GrowingRows } from "./growing-column.ts";
import type { TracedState } from "./traced-state.ts";
import { type Balance, balanceFrom, balancePartOf, isUnconfirmed, unconfirmedOf } from "./view.ts";
import type { Coin, Counters, QuarantineEntry } from "./wallet-rows.ts";
import { MAILBOX } from "./wallet-state.ts";

const LOW_BITS = 32n;
const LOW_MASK = (1n << LOW_BITS) - 1n;
const PARTS = [
  "spendableSats",
  "awaitingRegistrationSats",
  "unsureSats",
  "expiredSats",
  "unanchoredSats",
  "lockedSats",
  "pendingInSats",
  "exitingSats",
  "pendingOutSats",
] as const satisfies readonly (keyof Balance)[];
const COUNTERS = ["messages", "packages", "ignored", "halts", "redeliveries", "quarantined", "released"] as const;

/** Numbers of the wallet after each record: its money, its counters, its checkpoint. Kept where they change. */
export class HistoryNumbers {
  readonly #money = new GrowingRows([...PARTS, "unconfirmed"]);
  readonly #counts = new GrowingRows([...COUNTERS, "halted", "high", "low"]);
  readonly #sums: number[] = PARTS.map(() => 0);
  readonly #unconfirmed = new Map<string, QuarantineEntry>();
  #checkpoint = 0n;
  #high = 0;
  #low = 0;

  /**
   * Takes the state after the next record, with what it changed.
   *
   * @returns by how much the wallet has more or less, in sats
   */
  note(seq: number, state: TracedState): number {
    const { counters } = state;
    if (state.checkpoint !== this.#checkpoint) {
      this.#checkpoint = state.checkpoint;
      [this.#high, this.#low] = [Number(state.checkpoint >> LOW_BITS), Number(state.checkpoint & LOW_MASK)];
    }
    const halted = state.instances.get(MAILBOX)?.state === "Halted" ? 1 : 0;
    this.#counts.note(seq, [...COUNTERS.map((name) => counters[name]), halted, this.#high, this.#low]);
    return state.coins.changes.size + state.quarantine.changes.size === 0 ? 0 : this.#noteMoney(seq, state);
  }

  /** The money after a record. */
  balanceAt(seq: number): Balance {
    const sums = this.#money.after(seq);
    return balanceFrom((part) => BigInt(part in sums ? sums[part as keyof typeof sums] : 0), BigInt(sums.unconfirmed));
  }

  checkpointAt(seq: number): bigint {
    const { high, low } = this.#counts.after(seq);
    return (BigInt(high) << LOW_BITS) | BigInt(low);
  }

  countersAt(seq: number): Counters {
    const { halted: _, high: _high, low: _low, ...counters } = this.#counts.after(seq);
    return counters;
  }

  isHaltedAt(seq: number): boolean {
    return this.#counts.after(seq).halted === 1;
  }

  #noteMoney(seq: number, state: TracedState): number {
    let earned = 0;
    for (const [id, before] of state.coins.changes) {
      earned += this.#add(state.coins.get(id), 1) + this.#add(before, -1);
    }
    for (const key of state.quarantine.changes.keys()) {
      const entry = state.quarantine.get(key);
      if (entry !== undefined && isUnconfirmed(entry)) this.#unconfirmed.set(key, entry);
      else this.#unconfirmed.delete(key);
    }
    this.#money.note(seq, [...this.#sums, Number(unconfirmedOf(this.#unconfirmed.values(), state))]);
    return earned;
  }

  /** @returns by how much that changes what the wallet has */
  #add(coin: Coin | undefined, sign: 1 | -1): number {
    if (coin === undefined) return 0;
    const name = balancePartOf(coin);
    const change = sign * Number(coin.amountSats);
    const at = PARTS.indexOf(name);
    this.#sums[at] = (this.#sums[at] ?? 0) + change;
    return name === "pendingOutSats" ? 0 : change;
  }
}

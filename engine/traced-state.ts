import type { RecordedMovement } from "./recorded-movement.ts";
import type { Coin, OpenCommand, QuarantineEntry } from "./wallet-rows.ts";
import { WalletState } from "./wallet-state.ts";

/** A map that tells of what is done to it. */
class TracedMap<Value> extends Map<string, Value> {
  /** Keys that were set or deleted since it was cleared, with what was there before. */
  readonly changes = new Map<string, Value | undefined>();

  override set(key: string, value: Value): this {
    this.#note(key);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    if (!this.has(key)) return false;
    this.#note(key);
    return super.delete(key);
  }

  #note(key: string): void {
    if (!this.changes.has(key)) this.changes.set(key, this.get(key));
  }
}

/** The state of a wallet that tells which rows a record changes. */
export class TracedState extends WalletState {
  override readonly coins = new TracedMap<Coin>();
  override readonly movements = new TracedMap<RecordedMovement>();
  override readonly quarantine = new TracedMap<QuarantineEntry>();
  override readonly outbox = new TracedMap<OpenCommand>();
}

import type { MachineDefinition } from "../machines/step.ts";
import type { HistoryIndex } from "./history-index.ts";
import type { HistoryReader } from "./history-reader.ts";
import type { Coin } from "./wallet-rows.ts";
import { ANCHORS, SALVAGE, WalletState } from "./wallet-state.ts";

/** Folds one record on what it needs to stand on. */
export async function applyAgain(index: HistoryIndex, reader: HistoryReader, state: WalletState, seq: number): Promise<void> {
  const { transition } = await reader.get(seq);
  const { instance, machine, revision, version } = transition;
  const before = await reader.before(seq);
  const salvage = index.instances.numberOf(SALVAGE);
  const salvaged = salvage === undefined ? undefined : index.instances.lastOf(salvage, seq - 1);
  const reconciling = salvaged === undefined ? undefined : await reader.after(salvaged);
  if (reconciling !== undefined && instance !== SALVAGE) {
    state.putInstance(SALVAGE, { machine: "salvage", revision: 1, version: 1n, ...reconciling });
  }
  if (before !== undefined) {
    const first = index.instances.firstOf(index.instances.numberOf(instance) ?? 0);
    const gap = reconciling !== undefined && first <= Number(reconciling.context.keptSeq) ? ({ hasGap: true } as const) : {};
    state.putInstance(instance, { machine, revision, version: version - 1n, ...before, ...gap });
  }
  if (instance !== ANCHORS) await bringAnchors(index, reader, state, seq);
  state.checkpoint = index.numbers.checkpointAt(seq - 1);
  state.apply(transition);
}

/** What was believed of anchors before a record: what it makes is under it too. */
async function bringAnchors(index: HistoryIndex, reader: HistoryReader, state: WalletState, seq: number): Promise<void> {
  const number = index.instances.numberOf(ANCHORS);
  const last = number === undefined ? undefined : index.instances.lastOf(number, seq - 1);
  if (last === undefined) return;
  state.putInstance(ANCHORS, { machine: "anchors", revision: 1, version: 1n, ...(await reader.after(last)) });
}

/** A state without the rows that nobody asked for: a record that touches such a coin as well finds an empty one there. */
export class SparseState extends WalletState {
  override readonly coins: SparseCoins;

  /** @param wanted ids of the coins that are asked for */
  constructor(among: readonly MachineDefinition[], wanted: Iterable<string>) {
    super(among);
    this.coins = new SparseCoins(wanted);
  }
}

/** Keeps only coins that are asked for: a record may bring hundreds. */
class SparseCoins extends Map<string, Coin> {
  readonly #wanted: Set<string>;

  constructor(wanted: Iterable<string>) {
    super();
    this.#wanted = new Set(wanted);
  }

  /** Asks for one more. */
  want(id: string): void {
    this.#wanted.add(id);
  }

  override get(id: string): Coin | undefined {
    return super.get(id) ?? (this.#wanted.has(id) ? undefined : { ...EMPTY_COIN, id });
  }

  override set(id: string, coin: Coin): this {
    return this.#wanted.has(id) ? super.set(id, coin) : this;
  }
}

const EMPTY_COIN: Coin = {
  id: "",
  amountSats: 0n,
  expiryHeight: 0,
  exitDepth: 0,
  keyIndex: 0,
  source: { digest: "", entry: null },
  registered: true,
  flags: [],
  checkpoint: 0n,
  seq: 0n,
};

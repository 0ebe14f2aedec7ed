import { isAction } from "../machines/books.ts";
import type { WithdrawnVtxo } from "../machines/salvage.machine.ts";
import { digestOf } from "./blob-reader.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { policyKindOf } from "./free-coins.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { Transition } from "./transition.ts";
import { Undecided } from "./undecided.ts";
import { askSpendState } from "./vet-vtxo.ts";
import type { Coin } from "./wallet-rows.ts";
import { CONNECTION, SALVAGE, type WalletState } from "./wallet-state.ts";

/** VTXOs whose answers stand in one record. */
const BATCH_VTXOS = 64;
/** VTXOs that are asked about at the same time. */
const CONCURRENT_VTXOS = 8;
/** Hex digits of a digest that name a held item. */
const KEY_DIGITS = 32;
/** Entries with which an action sets VTXOs free. */
const FREEING: ReadonlySet<string> = new Set(["createCoins", "releaseCoins", "doubtCoins"]);

/**
 * For everything that spends, or promises to take a payment of which the wallet must remember something. A restore may still
 * find keys that are used, and VTXOs that were made of those it has.
 *
 * @throws HeartwoodError `WALLET_RECONCILING`, `WALLET_RESTORING`
 */
export function refuseWhileUnsure(state: Readonly<WalletState>): void {
  if (state.isRestoring()) {
    throw new HeartwoodError(
      "WALLET_RESTORING",
      "expected a wallet that is restored, got one that waits for answers about VTXOs of its backup: connect with sync() or start()",
      { retryable: true },
    );
  }
  if (!state.isReconciling()) return;
  throw new HeartwoodError(
    "WALLET_RECONCILING",
    "expected a wallet that knows which of its VTXOs are unspent, got one that was salvaged: connect once with sync() or start()",
    { retryable: true },
  );
}

/**
 * Whether records of an action may be among those that a salvage lost: then it may have gone further than the log says. Only
 * then is a server believed that says so.
 */
export function mayHaveLostRecords(state: Readonly<WalletState>, instance: string): boolean {
  const keptSeq = state.contextOf(SALVAGE)?.keptSeq;
  if (typeof keptSeq !== "bigint") return false;
  return [...state.outbox.values()].some((command) => command.instance === instance && command.seq <= keptSeq);
}

/**
 * Asks the server about every VTXO that may be spent although the log does not say so: with each connection, with each
 * look at the tip, and at once when a payment sets one free, so that none is paid with before.
 */
export class Doubts {
  readonly #engine: Engine;
  #asking: Promise<void> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Asks where a record of a payment gives reason to. Without a connection the next one does. */
  consider({ machine, effects }: Transition): void {
    if (!isAction(machine) || !effects.some(({ type }) => FREEING.has(type))) return;
    const { session, signal } = this.#engine.connection;
    if (session === undefined || signal.aborted || unsureOf(this.#engine).length === 0) return;
    void this.ask(signal).then(
      () => {
        if (this.#engine.loop.pending.instances.get(CONNECTION)?.state === "Live") finishReconciling(this.#engine);
      },
      () => {},
    );
  }

  /**
   * Resolves when every VTXO in doubt was asked about, in turn; one that gets no answer stays in doubt.
   *
   * @throws the reason of the signal
   */
  ask(signal: AbortSignal): Promise<void> {
    const asked = this.#asking.then(() => checkUnsure(this.#engine, signal));
    this.#asking = asked.catch(() => {});
    return asked;
  }
}

function unsureOf({ loop }: Engine): Coin[] {
  return [...loop.pending.coins.values()].filter((coin) => coin.isUnsure === true);
}

async function checkUnsure(engine: Engine, signal: AbortSignal): Promise<void> {
  const unsure = unsureOf(engine);
  for (let from = 0; from < unsure.length; from += BATCH_VTXOS) {
    const batch = unsure.slice(from, from + BATCH_VTXOS);
    const answers = await mapConcurrently(batch, CONCURRENT_VTXOS, (coin) => check(coin, engine, signal));
    signal.throwIfAborted();
    const unspent = answers.flatMap((answer) => (typeof answer === "string" ? [answer] : []));
    const withdrawn = answers.flatMap((answer) => (typeof answer === "object" ? [answer] : []));
    if (unspent.length + withdrawn.length === 0) continue;
    engine.notify({ instance: SALVAGE, event: { type: "vtxos.checked", unspent, withdrawn } });
  }
}

/**
 * Ends the reconciling of a wallet that has read its mailbox to the end, if every VTXO got its answer, and every payment
 * that had inputs locked too: what it makes may have been spent in the records that were lost.
 */
export function finishReconciling(engine: Engine): void {
  const { pending } = engine.loop;
  const isOpen = (coin: Coin): boolean =>
    coin.isUnsure === true || (coin.holder !== undefined && coin.exitBy === undefined && policyKindOf(coin) === "pubkey");
  if (!pending.isReconciling() || [...pending.coins.values()].some(isOpen)) return;
  engine.notify({ instance: SALVAGE, event: { type: "wallet.reconciled" } });
}

/** Its id if it is unspent, the item that it becomes if not, or undefined if nobody could tell. */
async function check(coin: Coin, engine: Engine, signal: AbortSignal): Promise<string | WithdrawnVtxo | undefined> {
  const { id, amountSats, keyIndex, source, checkpoint, seq } = coin;
  const { connection, keyring, ports } = engine;
  const { session } = connection;
  if (session === undefined) return undefined;
  try {
    const answer = await askSpendState(id, keyIndex, { session, keyring, signal });
    if (typeof answer === "string") return id;
    // Apart from other items with these bytes: this one was money before. So is what it becomes if it is money again.
    const key = `${digestOf(await engine.blobs.vtxo(source)).slice(0, KEY_DIGITS)}.${seq}`;
    const movement = `arkoor_receive.${checkpoint}.${id}.${seq}`;
    return { id, amountSats, key, item: { id, amountSats, source, checkpoint, ...answer, permanent: false, movement } };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Undecided)) throw error;
    ports.logger("warn", "a VTXO could not be asked about", { id, code: error.code, message: error.message });
    return undefined;
  }
}

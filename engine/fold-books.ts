import type { VtxoId } from "../ark/vtxo-id.ts";
import { MachineError } from "../machines/errors.ts";
import { addCoin } from "./fold-anchors.ts";
import { markRegistered } from "./fold-packages.ts";
import type { IssuedEffect, Transition } from "./transition.ts";
import type { Coin } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/**
 * Folds the entries of a record into the books: what an action locks, spends, makes and moves (lightning.md §4.5, §11).
 *
 * @param hasGap whether records of the action may be lost: what it sets free is for the server to call unspent first
 * @throws MachineError `MACHINE_FAULT` for an entry that no action may make: nothing of its record is written
 */
export function foldBooks(state: WalletState, transition: Transition, hasGap: boolean): void {
  const doubt = hasGap || state.isReconciling() ? ({ isUnsure: true } as const) : {};
  for (const effect of transition.effects) foldEntry(state, transition, effect, doubt);
}

type Doubt = Pick<Coin, "isUnsure">;

function foldEntry(state: WalletState, { instance, seq, atMs }: Transition, effect: IssuedEffect, doubt: Doubt): void {
  switch (effect.type) {
    case "lockCoins":
      for (const id of effect.params.ids) put(state, { ...own(state, id, instance, effect.type), holder: instance });
      break;
    case "releaseCoins":
      for (const id of effect.params.ids) put(state, { ...withoutHolder(own(state, id, instance, effect.type)), ...doubt });
      break;
    case "doubtCoins":
      for (const id of effect.params.ids) {
        put(state, { ...withoutHolder(own(state, id, instance, effect.type)), isUnsure: true });
      }
      break;
    case "spendCoins":
      for (const id of effect.params.ids.filter((spent) => !state.isSpent(spent))) {
        own(state, id, instance, effect.type);
        state.spend(id, seq);
      }
      break;
    case "createCoins":
      for (const vtxo of effect.params.coins.filter(({ id }) => !state.isKnown(id))) {
        // About what an action holds it asks the server itself.
        addCoin(state, { ...vtxo, ...(effect.params.locked ? { holder: instance } : doubt), checkpoint: 0n, seq });
        state.useKey(vtxo.keyIndex);
      }
      break;
    case "offerCoins":
      markRegistered(state, effect.params.ids);
      break;
    case "requireExit":
      for (const id of effect.params.ids) {
        put(state, { ...own(state, id, instance, effect.type), holder: instance, exitBy: effect.params.byHeight });
      }
      break;
    case "markExited":
      for (const id of effect.params.ids) {
        exiting(state, id, instance);
        state.spend(id, seq);
      }
      break;
    case "reserveKeys":
      state.useKey(effect.params.from + effect.params.count - 1);
      break;
    case "writeMovement": {
      const { movement } = effect.params;
      const before = state.movements.get(movement.id);
      const { seq: firstSeq, atMs: firstAtMs } = before ?? { seq, atMs };
      state.movements.set(movement.id, { ...movement, seq: firstSeq, atMs: firstAtMs, checkpoint: 0n, updatedAtMs: atMs });
      break;
    }
  }
}

/** A VTXO that is free or this instance's. */
function own(state: WalletState, id: VtxoId, instance: string, entry: string): Coin {
  const coin = state.coins.get(id);
  if (coin !== undefined && (coin.holder === undefined || coin.holder === instance)) return coin;
  const got = coin === undefined ? "none" : `one locked by ${coin.holder}`;
  throw new MachineError("MACHINE_FAULT", `${instance} asks for ${entry}: expected ${id} free or its own, got ${got}`);
}

/** A VTXO that nobody goes on with. */
function exiting(state: WalletState, id: VtxoId, instance: string): void {
  const coin = state.coins.get(id);
  if (coin !== undefined && (coin.holder === undefined || !state.instances.has(coin.holder))) return;
  const got = coin === undefined ? "none" : `one of ${coin.holder}, which goes on`;
  throw new MachineError(
    "MACHINE_FAULT",
    `${instance} asks for markExited: expected ${id} of a payment that has ended, got ${got}`,
  );
}

/** What has to be exited stays where it is. */
function withoutHolder(coin: Coin): Coin {
  if (coin.exitBy !== undefined) return coin;
  const { holder: _, ...free } = coin;
  return free;
}

function put(state: WalletState, coin: Coin): void {
  state.putCoin(coin);
}

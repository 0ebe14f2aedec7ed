import { type AcceptedVtxo, type HeldItem, leftOf, type ReceiveMovement } from "../machines/package.ts";
import type { Instance, MachineEvent } from "../machines/step.ts";
import { addCoin } from "./fold-anchors.ts";
import type { Transition } from "./transition.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/** Folds a record of a message in: the one that decides it brings its coins, its movement and the advance of the checkpoint. */
export function foldMessage(state: WalletState, transition: Transition, context: Instance["context"]): void {
  const { event } = transition;
  const { counters } = state;
  const checkpoint = context.checkpoint as bigint;
  // A message of a kind that was unknown is received once more by a build that knows it.
  const isFirst = transition.version === 1n;
  if (event.type === "message.received" && isFirst) counters.messages++;
  if (event.type === "message.redelivered") counters.redeliveries++;
  if (event.type === "package.undecided" || event.type === "package.poisoned") counters.halts++;
  if (event.type === "vtxos.registered") markRegistered(state, takenIds(context, event));
  const isPassedOver = transition.state === "Ignored" || transition.state === "Kept";
  if (event.type !== "package.vetted" && !(isFirst && isPassedOver)) return;
  if (transition.state === "Applied") {
    counters.packages++;
    credit(state, transition, checkpoint, context);
  } else {
    counters.ignored++;
  }
  if (context.advance === true) state.reach(checkpoint);
}

/** Folds a record of a held item in. */
export function foldQuarantined(state: WalletState, transition: Transition, context: Instance["context"]): void {
  const { event, instance } = transition;
  const key = instance.slice("quarantined/".length);
  const item = context.item as HeldItem;
  if (event.type === "item.held") state.counters.quarantined++;
  if (event.type === "vtxos.registered") markRegistered(state, idsOf(context));
  if (transition.state === "Held") {
    const { heldAtMs, attempts, nextTryAtMs } = context as unknown as Omit<QuarantineEntry, "key">;
    state.quarantine.set(key, { ...item, key, heldAtMs, attempts, nextTryAtMs });
    return;
  }
  state.quarantine.delete(key);
  if (transition.state === "Released" && event.type === "item.vetted") {
    state.counters.released++;
    credit(state, transition, item.checkpoint, context);
  }
}

/** Notes of VTXOs that the server has their signatures. */
export function markRegistered(state: WalletState, ids: readonly string[]): void {
  for (const id of ids) {
    const coin = state.coins.get(id);
    if (coin !== undefined && !coin.registered) state.coins.set(id, { ...coin, registered: true });
  }
}

function credit(state: WalletState, { seq, atMs }: Transition, checkpoint: bigint, context: Instance["context"]): void {
  const movement = context.movement as ReceiveMovement;
  for (const id of movement.inputs ?? []) state.spend(id, seq);
  for (const vtxo of context.vtxos as readonly AcceptedVtxo[]) {
    for (const id of vtxo.madeOf ?? []) state.spend(id, seq);
    addCoin(state, { ...vtxo, checkpoint, seq });
    state.useKey(vtxo.keyIndex);
  }
  state.movements.set(movement.id, { ...movement, seq, atMs, checkpoint });
}

function idsOf(context: Instance["context"]): string[] {
  return (context.vtxos as readonly AcceptedVtxo[]).map(({ id }) => id);
}

/** All that the server has by now: what it did not take has its own mark to wait for (mailbox.md W-34). */
function takenIds(context: Instance["context"], event: MachineEvent): string[] {
  const left = leftOf(event);
  return idsOf(context).filter((id) => !left.includes(id));
}

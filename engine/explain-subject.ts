import type { VtxoId } from "../ark/vtxo-id.ts";
import type { AnchoredVtxo } from "../machines/anchors.machine.ts";
import { type HeldItem, type ReceiveMovement, type Verdict, verdictIds } from "../machines/package.ts";
import type { WithdrawnVtxo } from "../machines/salvage.machine.ts";
import { withdrawalId } from "./fold-salvage.ts";
import type { Transition } from "./transition.ts";

/** What can be explained. */
export interface Subject {
  readonly kind: "vtxo" | "movement" | "checkpoint" | "quarantined";
  readonly id: string;
}

/** Everything that a record is about. */
export function mentionsOf(transition: Transition): Subject[] {
  const { machine, instance, event, change, seq } = transition;
  switch (machine) {
    case "message": {
      const verdicts = event.type === "package.vetted" ? (event.verdicts as readonly Verdict[]) : [];
      const held = transition.effects.flatMap((effect) => (effect.type === "holdItem" ? [effect.params.key] : []));
      return [
        { kind: "checkpoint", id: instance.split("/")[1] ?? "" },
        ...verdicts.flatMap(verdictIds).map(vtxo),
        ...held.map(item),
        ...replacedBy(change.movement).map(vtxo),
        ...movementOf(change.movement),
      ];
    }
    case "quarantined": {
      const verdict = event.type === "item.vetted" ? [event.verdict as Verdict] : [];
      const heldItem = event.type === "item.held" ? [event.item as HeldItem] : [];
      return [
        item(instance.slice("quarantined/".length)),
        ...verdict.flatMap(verdictIds).map(vtxo),
        ...heldItem.flatMap(({ id }) => (id === null ? [] : [vtxo(id)])),
        ...heldItem.map(({ checkpoint }): Subject => ({ kind: "checkpoint", id: String(checkpoint) })),
        ...replacedBy(change.movement).map(vtxo),
        ...movementOf(change.movement),
      ];
    }
    case "mailbox":
    case "connection":
      return typeof event.checkpoint === "bigint" ? [{ kind: "checkpoint", id: String(event.checkpoint) }] : [];
    case "salvage": {
      if (event.type !== "vtxos.checked") return [];
      const withdrawn = event.withdrawn as readonly WithdrawnVtxo[];
      return [
        ...(event.unspent as readonly VtxoId[]).map(vtxo),
        ...withdrawn.flatMap(({ id, key }) => [vtxo(id), item(key)]),
        ...(withdrawn.length === 0 ? [] : [{ kind: "movement", id: withdrawalId(seq) } as const]),
      ];
    }
    case "expiry":
      return event.type === "tip.seen" ? (event.changes as readonly { readonly id: VtxoId }[]).map(({ id }) => vtxo(id)) : [];
    case "anchors":
      return event.type === "anchors.seen" ? (event.vtxos as readonly AnchoredVtxo[]).map(({ id }) => vtxo(id)) : [];
    default:
      return entriesOf(transition);
  }
}

/** What the entries of an action's record are about. */
function entriesOf({ effects }: Transition): Subject[] {
  return effects.flatMap((effect): Subject[] => {
    switch (effect.type) {
      case "lockCoins":
      case "releaseCoins":
      case "doubtCoins":
      case "spendCoins":
      case "offerCoins":
      case "requireExit":
      case "markExited":
        return effect.params.ids.map(vtxo);
      case "createCoins":
        return effect.params.coins.map(({ id }) => vtxo(id));
      case "writeMovement":
        return movementOf(effect.params.movement);
      default:
        return [];
    }
  });
}

/** VTXOs of the wallet in whose place those of a receive came. */
export function replacedBy(movement: unknown): readonly VtxoId[] {
  return (movement as ReceiveMovement | undefined | null)?.inputs ?? [];
}

function vtxo(id: VtxoId): Subject {
  return { kind: "vtxo", id };
}

function item(key: string): Subject {
  return { kind: "quarantined", id: key };
}

function movementOf(movement: unknown): Subject[] {
  return movement === undefined || movement === null ? [] : [{ kind: "movement", id: (movement as { readonly id: string }).id }];
}

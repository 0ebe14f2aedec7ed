import type { VtxoId } from "../ark/vtxo-id.ts";
import type { AnchoredVtxo, AnchorFinding } from "../machines/anchors.machine.ts";
import { movementIdOf } from "../machines/books.ts";
import type { Notice } from "../machines/drive.machine.ts";
import { type HeldItem, type Verdict, verdictIds } from "../machines/package.ts";
import type { WithdrawnVtxo } from "../machines/salvage.machine.ts";
import type { MachineEvent } from "../machines/step.ts";
import { isNextAttempt } from "./attempts.ts";
import { type ExpiryTerms, expiryChanges } from "./expiry-stage.ts";
import { breakOf, byPoint } from "./fold-anchors.ts";
import { driveKey } from "./fold-drives.ts";
import { isFree } from "./free-coins.ts";
import { coinsUnder } from "./kin-index.ts";
import { isPlausible } from "./plausible-checkpoint.ts";
import type { Randomness } from "./ports.ts";
import { settleVerdicts } from "./settle-verdicts.ts";
import { CONNECTION, type WalletState } from "./wallet-state.ts";

/** Where facts come from: the pending state in the tick that uses them. */
export interface FactSource {
  /** The instance that gets the event. */
  readonly instance: string;
  /** The time by which a place in the mailbox is judged. */
  readonly referenceMs: number;
  readonly state: Readonly<WalletState>;
  readonly randomness: Randomness;
}

/**
 * The event with the facts that instances share (DESIGN §6): so no two of them can find the same VTXO new, pick the same
 * coin, or use the same key.
 */
export function withFacts(event: MachineEvent, source: FactSource): MachineEvent {
  const { instance, referenceMs, state, randomness } = source;
  switch (event.type) {
    case "message.received":
      return { ...event, advance: event.ahead !== true && isPlausible(event.checkpoint as bigint, referenceMs) };
    case "package.vetted":
      return { ...event, ...factsOfPackage(event, source) };
    case "item.vetted":
      return { ...event, ...factsOfItem(event, source) };
    case "vtxos.checked": {
      const isUnsure = (id: VtxoId): boolean => state.coins.get(id)?.isUnsure === true;
      const unspent = (event.unspent as readonly VtxoId[]).filter(isUnsure);
      return { ...event, unspent, withdrawn: (event.withdrawn as readonly WithdrawnVtxo[]).filter(({ id }) => isUnsure(id)) };
    }
    case "drive.finished": {
      const { seq } = state.drives.get(driveKey(event as unknown as Notice)) ?? {};
      return { ...event, isLatest: seq !== undefined && seq <= (event.throughSeq as bigint) };
    }
    case "tip.seen":
      return { ...event, changes: expiryChanges(state.coins.values(), event as unknown as ExpiryTerms) };
    case "anchors.seen":
      return { ...event, ...factsOfAnchors(event, state) };
    case "address.issued":
      return { ...event, keyIndex: state.nextKeyIndex };
    case "payment.requested": {
      const inputs = event.inputs as readonly { readonly id: VtxoId }[];
      const inputsAreFree =
        new Set(inputs.map(({ id }) => id)).size === inputs.length && inputs.every(({ id }) => isFree(state, id));
      const attempt = instance.startsWith("lightning-send/") ? { isNextAttempt: isNextAttempt(state, instance) } : {};
      return { ...event, inputsAreFree, ...attempt, keyIndex: state.nextKeyIndex, movement: movementIdOf(instance) };
    }
    case "exit.ended": {
      const payment = instance.slice("exit/".length);
      return { ...event, payment, vtxos: exitsLeftBy(state, payment), movement: movementIdOf(instance) };
    }
    case "payment.restored": {
      const areNew = (event.htlcs as readonly { readonly id: VtxoId }[]).every(({ id }) => !state.isKnown(id));
      return { ...event, areNew, movement: movementIdOf(instance) };
    }
    case "invoice.requested":
      return { ...event, keyIndex: state.nextKeyIndex, movement: movementIdOf(instance) };
    case "connection.failed":
      return { ...event, jitterPermille: jitterPermille(randomness) };
    case "package.halted":
      return instance === CONNECTION ? { ...event, jitterPermille: jitterPermille(randomness) } : event;
    default:
      return event;
  }
}

/** What a payment that has ended left to be exited. */
function exitsLeftBy(state: Readonly<WalletState>, payment: string) {
  if (state.instances.has(payment)) return [];
  const left = [...state.coins.values()].filter(({ holder, exitBy }) => holder === payment && exitBy !== undefined);
  return left.map(({ id, amountSats }) => ({ id, amountSats }));
}

/** What hangs by now from the anchors that were asked about, and is not in order or was not: some may be spent since. */
function factsOfAnchors(event: MachineEvent, state: Readonly<WalletState>) {
  const isHeld = (anchor: string): boolean => coinsUnder(state, anchor).length > 0;
  const findings = (event.findings as readonly AnchorFinding[]).filter(({ anchor }) => isHeld(anchor));
  const vtxos = findings.flatMap(({ anchor, breaks }) => {
    const found = byPoint(breaks);
    return coinsUnder(state, anchor).flatMap((coin): AnchoredVtxo[] => {
      const { id, amountSats, anchorCode: before = null } = coin;
      const point = breakOf(coin, found)?.point ?? null;
      return point === null && before === null ? [] : [{ anchor, id, amountSats, point, before }];
    });
  });
  const gone = state.anchorNotes().flatMap(({ anchor }) => (isHeld(anchor) ? [] : [anchor]));
  return { findings, vtxos, gone };
}

function factsOfPackage(event: MachineEvent, { instance, state }: FactSource) {
  const ids = (event.verdicts as readonly Verdict[]).flatMap(verdictIds);
  const { checkpoint, digest } = state.contextOf(instance) as { checkpoint: bigint; digest: string };
  const name = `arkoor_receive.${checkpoint}`;
  const movement = state.movements.has(name) ? `${name}.${digest}` : name;
  const known = [...new Set(ids)].filter((id) => state.isKnown(id));
  return { known, movement, ...settleVerdicts(event.verdicts as readonly Verdict[], checkpoint, state) };
}

function factsOfItem(event: MachineEvent, { instance, state }: FactSource) {
  const { item } = state.contextOf(instance) as { item: HeldItem };
  const { verdicts, ...replaced } = settleVerdicts([event.verdict as Verdict], item.checkpoint, state);
  const [verdict = event.verdict as Verdict] = verdicts;
  return { verdict, isKnown: verdictIds(verdict).some((id) => state.isKnown(id)), ...replaced };
}

function jitterPermille(randomness: Randomness): number {
  const [high = 0, low = 0] = randomness.bytes(2);
  return (high * 256 + low) % 1000;
}

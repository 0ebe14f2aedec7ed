import { decodeHex } from "../ark/hex.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { AnchorNote } from "../machines/anchors.machine.ts";
import { type ActionOutcome, isAction } from "../machines/books.ts";
import type { Plain } from "../machines/canonical.ts";
import { effectKinds } from "../machines/effects.ts";
import { machineNamed, machines } from "../machines/registry.ts";
import { type Instance, isFinished, type MachineDefinition } from "../machines/step.ts";
import { foldAnchors } from "./fold-anchors.ts";
import { foldBooks } from "./fold-books.ts";
import { type Drive, foldDrive, foldNotice } from "./fold-drives.ts";
import { foldExpiry } from "./fold-expiry.ts";
import { foldMessage, foldQuarantined } from "./fold-packages.ts";
import { foldSalvage } from "./fold-salvage.ts";
import { descentOf, KinIndex } from "./kin-index.ts";
import { isUndecided } from "./message-instance.ts";
import { NAME_KEY_BYTES, nameKey } from "./name-key.ts";
import { foldProof } from "./proofs.ts";
import type { RecordedMovement } from "./recorded-movement.ts";
import { SeqIndex } from "./seq-index.ts";
import { SpentHops } from "./spent-hops.ts";
import { contextAfter, type Transition } from "./transition.ts";
import { foldUnsolicited, NOTHING_UNSOLICITED, type Unsolicited } from "./unsolicited.ts";
import type { Coin, Counters, LiveInstance, OpenCommand, QuarantineEntry } from "./wallet-rows.ts";

/** Length of the keys under which blobs are remembered, in bytes. */
export const DIGEST_BYTES = 32;

/** Names of the instances of which there is one. */
export const WALLET = "wallet/main";
export const CONNECTION = "connection/main";
export const MAILBOX = "mailbox/main";
export const SALVAGE = "salvage/main";
export const EXPIRY = "expiry/main";
export const ANCHORS = "anchors/main";
export const DRIVE = "drive/main";
export const RECOVERY = "recovery/main";
export const BACKUP = "backup/main";

/**
 * Everything that is derived from the log: a fold of its records, and of their outcomes only.
 *
 * The engine keeps two, one with what is queued (for decisions) and one with what is durable (for readers).
 */
export class WalletState {
  /** The machines whose records are folded. */
  readonly machines: readonly MachineDefinition[];
  seq = 0n;
  checkpoint = 0n;
  nextKeyIndex = 0;
  readonly instances = new Map<string, LiveInstance>();
  /** The record that finished an instance, by {@link nameKey}. */
  finished = new SeqIndex(NAME_KEY_BYTES);
  /** Those records of them that ended a canceled action: an invoice that nobody paid has no movement that says so. */
  canceled = new SeqIndex(NAME_KEY_BYTES);
  readonly coins = new Map<VtxoId, Coin>();
  readonly movements = new Map<string, RecordedMovement>();
  readonly quarantine = new Map<string, QuarantineEntry>();
  readonly outbox = new Map<string, OpenCommand>();
  /** What notices asked to be looked at, by {@link driveKey}. */
  readonly drives = new Map<string, Drive>();
  /** The record that spent a VTXO of the wallet, by {@link nameKey} of its id. */
  spent = new SeqIndex(NAME_KEY_BYTES);
  /** Which way the chains of those went. */
  hops = new SpentHops();
  /** The record in which a notice showed the preimage of a payment hash, by that hash. */
  proofs = new SeqIndex(DIGEST_BYTES);
  /** The record of the first notice about a payment of the wallet, by {@link nameKey} of its instance. */
  noticed = new SeqIndex(NAME_KEY_BYTES);
  /** The record that holds a blob's bytes, by digest. */
  blobs = new SeqIndex(DIGEST_BYTES);
  /** What came today and is no money. */
  unsolicited: Unsolicited = NOTHING_UNSOLICITED;
  readonly kin = new KinIndex();
  readonly #undecided = new Map<string, bigint>();
  /** The latest revision of each machine and schema of each event among the records, under `machine` or `machine type`. */
  readonly versions = new Map<string, number>();
  readonly counters: Counters = {
    messages: 0,
    packages: 0,
    ignored: 0,
    halts: 0,
    redeliveries: 0,
    quarantined: 0,
    released: 0,
  };

  /** @param among the machines of this build; a test may give others */
  constructor(among: readonly MachineDefinition[] = machines) {
    this.machines = among;
  }

  /** Folds one record in. Records come in order, each once. */
  apply(transition: Transition): void {
    this.seq = transition.seq;
    this.#noteVersions(transition);
    const before = this.instances.get(transition.instance);
    const context = contextAfter(before, transition);
    this.#keepInstance(transition, context);
    this.#keepBlobs(transition);
    // What an action's state asked for ends with it, as when a notice settles a payment that is being asked about.
    const isLeft = isAction(transition.machine) && before?.state !== transition.state;
    if (isLeft) this.#drop(({ instance }) => instance === transition.instance);
    this.#keepOutbox(transition);
    foldBooks(this, transition, before?.hasGap === true);
    switch (transition.machine) {
      case "message":
        foldMessage(this, transition, context);
        foldNotice(this, transition);
        foldProof(this, transition);
        foldUnsolicited(this, transition);
        break;
      case "quarantined":
        foldQuarantined(this, transition, context);
        foldUnsolicited(this, transition);
        break;
      case "mailbox":
        this.reach(context.position as bigint);
        break;
      case "salvage":
        foldSalvage(this, transition, context);
        break;
      case "expiry":
        foldExpiry(this, context);
        break;
      case "anchors":
        foldAnchors(this, transition, context);
        break;
      case "drive":
        foldDrive(this, context);
        break;
      case "recovery":
        this.useKey(Number(context.nextKeyIndex) - 1);
        break;
      case "wallet":
        if (transition.event.type === "address.issued") this.useKey(Number(transition.event.keyIndex));
        break;
    }
  }

  /** A state of its own, equal to this one. What is in its rows is shared: rows are replaced, never changed. */
  clone(): WalletState {
    const copy = new WalletState(this.machines);
    copy.seq = this.seq;
    copy.checkpoint = this.checkpoint;
    copy.nextKeyIndex = this.nextKeyIndex;
    copy.unsolicited = this.unsolicited;
    Object.assign(copy.counters, this.counters);
    for (const [name, instance] of this.instances) copy.putInstance(name, instance);
    for (const coin of this.coins.values()) copy.putCoin(coin);
    for (const [id, movement] of this.movements) copy.movements.set(id, movement);
    for (const [key, entry] of this.quarantine) copy.quarantine.set(key, entry);
    for (const [id, command] of this.outbox) copy.outbox.set(id, command);
    for (const [key, drive] of this.drives) copy.drives.set(key, drive);
    for (const [name, version] of this.versions) copy.versions.set(name, version);
    copy.finished = this.finished.clone();
    copy.canceled = this.canceled.clone();
    copy.spent = this.spent.clone();
    copy.hops = this.hops.clone();
    copy.blobs = this.blobs.clone();
    copy.proofs = this.proofs.clone();
    copy.noticed = this.noticed.clone();
    return copy;
  }

  /** Whether an instance had its end. */
  hasFinished(instance: string): boolean {
    return !this.instances.has(instance) && this.endOf(instance) !== undefined;
  }

  /** Whether an action ended without success because somebody gave it up. */
  wasCanceled(instance: string): boolean {
    return this.canceled.get(nameKey(instance)) !== undefined;
  }

  /** The record with which an instance ended. */
  endOf(instance: string): bigint | undefined {
    return this.finished.get(nameKey(instance));
  }

  /** Whether a VTXO is the wallet's, or was until it was spent: nothing is credited twice. */
  isKnown(id: VtxoId): boolean {
    return this.coins.has(id) || this.isSpent(id);
  }

  /** Whether a VTXO of the wallet was spent. */
  isSpent(id: VtxoId): boolean {
    return this.spent.get(nameKey(id)) !== undefined;
  }

  /** Takes a VTXO out of the wallet for good. */
  spend(id: VtxoId, seq: bigint): void {
    const coin = this.coins.get(id);
    if (coin !== undefined) this.hops.add(descentOf(coin), seq);
    this.dropCoin(id);
    this.spent.set(nameKey(id), seq);
  }

  /** Takes a VTXO in, or its row anew. */
  putCoin(coin: Coin): void {
    if (!this.coins.has(coin.id)) this.kin.add(coin);
    this.coins.set(coin.id, coin);
  }

  /** Takes a VTXO out, as if it had never been there. */
  dropCoin(id: VtxoId): void {
    const coin = this.coins.get(id);
    if (coin !== undefined) this.kin.remove(coin);
    this.coins.delete(id);
  }

  /** What is noted of anchors that are not in order. */
  anchorNotes(): readonly AnchorNote[] {
    return (this.contextOf(ANCHORS)?.notes ?? []) as readonly AnchorNote[];
  }

  /** Whether the wallet's log lost its end, and what was in it is not found out yet. */
  isReconciling(): boolean {
    return this.instances.get(SALVAGE)?.state === "Reconciling";
  }

  /** Whether the wallet is made of its seed, and what the seed had is not found out yet. */
  isRestoring(): boolean {
    return this.instances.get(RECOVERY)?.state === "Restoring";
  }

  /** The record that holds the bytes with that digest (hex), if one does. */
  blobSeq(digest: string): bigint | undefined {
    return this.blobs.get(decodeHex(digest));
  }

  /** Takes a live instance as it is: to restore what was folded before. */
  putInstance(name: string, instance: LiveInstance): void {
    this.instances.set(name, instance);
    if (instance.machine !== "message") return;
    if (isUndecided(instance.state)) this.#undecided.set(name, instance.context.checkpoint as bigint);
    else this.#undecided.delete(name);
  }

  /** Context of a live instance, or undefined. */
  contextOf(instance: string): Readonly<Record<string, Plain>> | undefined {
    return this.instances.get(instance)?.context;
  }

  /** Messages that wait for an answer, in the order of their checkpoints. */
  undecidedMessages(): { name: string; checkpoint: bigint }[] {
    const found = [...this.#undecided].map(([name, checkpoint]) => ({ name, checkpoint }));
    return found.sort((a, b) => (a.checkpoint < b.checkpoint ? -1 : 1));
  }

  #noteVersions({ machine, revision, event, schema }: Transition): void {
    for (const [name, version] of [[machine, revision] as const, [`${machine} ${event.type}`, schema] as const]) {
      if (version > (this.versions.get(name) ?? 0)) this.versions.set(name, version);
    }
  }

  #keepInstance(transition: Transition, context: Instance["context"]): void {
    const { instance, machine, revision, version, state, seq } = transition;
    if (isFinished(machineNamed(machine, this.machines), state, revision)) {
      this.instances.delete(instance);
      this.#undecided.delete(instance);
      this.finished.set(nameKey(instance), seq);
      if (isAction(machine) && (context.outcome as ActionOutcome | null)?.status === "canceled") {
        this.canceled.set(nameKey(instance), seq);
      }
    } else {
      const hasGap = this.instances.get(instance)?.hasGap;
      this.putInstance(instance, { machine, revision, version, state, context, ...(hasGap && { hasGap }) });
    }
  }

  #keepBlobs({ blobs, seq }: Transition): void {
    for (const { digest, data } of blobs) if (data !== undefined) this.blobs.set(decodeHex(digest), seq);
  }

  #keepOutbox({ effectId, effects, instance, seq }: Transition): void {
    this.outbox.delete(effectId);
    for (const effect of effects) {
      if (effect.type === "cancelTimer" || effect.type === "startTimer") {
        this.#drop(({ effect: open }) => open.type === "startTimer" && open.params.timer === effect.params.timer);
      }
      if (effectKinds[effect.type] === "command") this.outbox.set(effect.id, { effect, instance, seq });
    }
  }

  #drop(isOver: (command: OpenCommand) => boolean): void {
    for (const [id, command] of this.outbox) if (isOver(command)) this.outbox.delete(id);
  }

  /** A checkpoint never goes back (mailbox.md M-34). */
  reach(checkpoint: bigint): void {
    if (checkpoint > this.checkpoint) this.checkpoint = checkpoint;
  }

  /** Notes that a key is in use: the next fresh one comes behind it. */
  useKey(index: number): void {
    this.nextKeyIndex = Math.max(this.nextKeyIndex, index + 1);
  }
}

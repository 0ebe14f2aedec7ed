import { sha256 } from "../ark/crypto.ts";
import { decodeHex } from "../ark/hex.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Plain } from "../machines/canonical.ts";
import { effectKinds } from "../machines/effects.ts";
import type { ExpiryStage } from "../machines/expiry.machine.ts";
import type { AcceptedVtxo, HeldItem, ReceiveMovement } from "../machines/package.ts";
import { machineNamed, machines } from "../machines/registry.ts";
import { type Instance, isFinished, type MachineDefinition } from "../machines/step.ts";
import { type Drive, foldDrive, foldNotice } from "./fold-drives.ts";
import { foldExpiry } from "./fold-expiry.ts";
import { foldSalvage } from "./fold-salvage.ts";
import { SeqIndex } from "./seq-index.ts";
import { contextAfter, type IssuedEffect, type Transition } from "./transition.ts";

/** A VTXO that is the wallet's money. */
export interface Coin extends AcceptedVtxo {
  /** Checkpoint of the message that brought it. */
  readonly checkpoint: bigint;
  /** The record that credited it. */
  readonly seq: bigint;
  /** Whether records that were lost may have spent it: a salvaged wallet asks the server. */
  readonly isUnsure?: true;
  /** How far it had run out at the last tip that changed it. */
  readonly expiryStage?: ExpiryStage;
}

/** A finished movement with the record that made it. */
export interface RecordedMovement extends ReceiveMovement {
  /** VTXOs that left the wallet, where some did. */
  readonly inputs?: readonly VtxoId[];
  readonly seq: bigint;
  readonly atMs: number;
  readonly checkpoint: bigint;
}

/** An item that is held now. */
export interface QuarantineEntry extends HeldItem {
  readonly key: string;
  readonly heldAtMs: number;
  readonly attempts: number;
  readonly nextTryAtMs: number;
}

/** A command without a result. */
export interface OpenCommand {
  readonly effect: IssuedEffect;
  readonly instance: string;
  readonly seq: bigint;
}

/** What happened so far, counted over the log. */
export interface Counters {
  messages: number;
  packages: number;
  ignored: number;
  halts: number;
  redeliveries: number;
  quarantined: number;
  released: number;
}

/** A machine instance; the context of a finished one is let go. */
export interface LiveInstance extends Instance {
  readonly machine: string;
  readonly revision: number;
  readonly version: bigint;
}

/** Lengths of the keys under which finished instances and blobs are remembered, in bytes. */
export const NAME_KEY_BYTES = 16;
export const DIGEST_BYTES = 32;

/** Names of the instances of which there is one. */
export const WALLET = "wallet/main";
export const CONNECTION = "connection/main";
export const MAILBOX = "mailbox/main";
export const SALVAGE = "salvage/main";
export const EXPIRY = "expiry/main";
export const DRIVE = "drive/main";

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
  readonly coins = new Map<VtxoId, Coin>();
  readonly movements = new Map<string, RecordedMovement>();
  readonly quarantine = new Map<string, QuarantineEntry>();
  readonly outbox = new Map<string, OpenCommand>();
  /** What notices asked to be looked at, by {@link driveKey}. */
  readonly drives = new Map<string, Drive>();
  /** The record that holds a blob's bytes, by digest. */
  blobs = new SeqIndex(DIGEST_BYTES);
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
    const context = contextAfter(this.instances.get(transition.instance), transition);
    this.#keepInstance(transition, context);
    this.#keepBlobs(transition);
    this.#keepOutbox(transition);
    switch (transition.machine) {
      case "message":
        this.#foldMessage(transition, context);
        foldNotice(this, transition);
        break;
      case "quarantined":
        this.#foldQuarantined(transition, context);
        break;
      case "mailbox":
        this.#reach(context.position as bigint);
        break;
      case "salvage":
        foldSalvage(this, transition, context);
        break;
      case "expiry":
        foldExpiry(this, context);
        break;
      case "drive":
        foldDrive(this, context);
        break;
      case "wallet":
        if (transition.event.type === "address.issued") this.#useKey(Number(transition.event.keyIndex));
        break;
    }
  }

  /** A state of its own, equal to this one. What is in its rows is shared: rows are replaced, never changed. */
  clone(): WalletState {
    const copy = new WalletState(this.machines);
    copy.seq = this.seq;
    copy.checkpoint = this.checkpoint;
    copy.nextKeyIndex = this.nextKeyIndex;
    Object.assign(copy.counters, this.counters);
    for (const [name, instance] of this.instances) copy.putInstance(name, instance);
    for (const [id, coin] of this.coins) copy.coins.set(id, coin);
    for (const [id, movement] of this.movements) copy.movements.set(id, movement);
    for (const [key, entry] of this.quarantine) copy.quarantine.set(key, entry);
    for (const [id, command] of this.outbox) copy.outbox.set(id, command);
    for (const [key, drive] of this.drives) copy.drives.set(key, drive);
    for (const [name, version] of this.versions) copy.versions.set(name, version);
    copy.finished = this.finished.clone();
    copy.blobs = this.blobs.clone();
    return copy;
  }

  /** Whether an instance had its end. */
  hasFinished(instance: string): boolean {
    return this.finished.get(nameKey(instance)) !== undefined;
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
    } else {
      this.putInstance(instance, { machine, revision, version, state, context });
    }
  }

  #keepBlobs({ blobs, seq }: Transition): void {
    for (const { digest, data } of blobs) if (data !== undefined) this.blobs.set(decodeHex(digest), seq);
  }

  #keepOutbox({ effectId, effects, instance, seq }: Transition): void {
    this.outbox.delete(effectId);
    for (const effect of effects) {
      if (effect.type === "cancelTimer" || effect.type === "startTimer") this.#dropTimer(effect.params.timer);
      if (effectKinds[effect.type] === "command") this.outbox.set(effect.id, { effect, instance, seq });
    }
  }

  #dropTimer(timer: string): void {
    for (const [id, { effect }] of this.outbox) {
      if (effect.type === "startTimer" && effect.params.timer === timer) this.outbox.delete(id);
    }
  }

  /** The one record that decides a message: its coins, its movement and the advance of the checkpoint. */
  #foldMessage(transition: Transition, context: Instance["context"]): void {
    const { event, state } = transition;
    const checkpoint = context.checkpoint as bigint;
    // A message of a kind that was unknown is received once more by a build that knows it.
    const isFirst = transition.version === 1n;
    if (event.type === "message.received" && isFirst) this.counters.messages++;
    if (event.type === "message.redelivered") this.counters.redeliveries++;
    if (event.type === "package.undecided" || event.type === "package.poisoned") this.counters.halts++;
    if (event.type === "vtxos.registered") this.#markRegistered(context.vtxos as readonly AcceptedVtxo[]);
    const decides = event.type === "package.vetted" || (isFirst && (state === "Ignored" || state === "Kept"));
    if (!decides) return;
    if (state === "Applied") {
      this.counters.packages++;
      this.#credit(transition, checkpoint, context);
    } else {
      this.counters.ignored++;
    }
    if (context.advance === true) this.#reach(checkpoint);
  }

  #foldQuarantined(transition: Transition, context: Instance["context"]): void {
    const { event, instance, state } = transition;
    const key = instance.slice("quarantined/".length);
    const item = context.item as HeldItem;
    if (event.type === "item.held") this.counters.quarantined++;
    if (event.type === "vtxos.registered") this.#markRegistered(context.vtxos as readonly AcceptedVtxo[]);
    if (state === "Held") {
      const { heldAtMs, attempts, nextTryAtMs } = context as unknown as Omit<QuarantineEntry, "key">;
      this.quarantine.set(key, { ...item, key, heldAtMs, attempts, nextTryAtMs });
      return;
    }
    this.quarantine.delete(key);
    if (state === "Released" && event.type === "item.vetted") {
      this.counters.released++;
      this.#credit(transition, item.checkpoint, context);
    }
  }

  #credit({ seq, atMs }: Transition, checkpoint: bigint, context: Instance["context"]): void {
    const movement = context.movement as ReceiveMovement;
    for (const vtxo of context.vtxos as readonly AcceptedVtxo[]) {
      this.coins.set(vtxo.id, { ...vtxo, checkpoint, seq });
      this.#useKey(vtxo.keyIndex);
    }
    this.movements.set(movement.id, { ...movement, seq, atMs, checkpoint });
  }

  #markRegistered(vtxos: readonly AcceptedVtxo[]): void {
    for (const { id } of vtxos) {
      const coin = this.coins.get(id);
      if (coin !== undefined && !coin.registered) this.coins.set(id, { ...coin, registered: true });
    }
  }

  /** A checkpoint never goes back (mailbox.md M-34). */
  #reach(checkpoint: bigint): void {
    if (checkpoint > this.checkpoint) this.checkpoint = checkpoint;
  }

  #useKey(index: number): void {
    this.nextKeyIndex = Math.max(this.nextKeyIndex, index + 1);
  }
}

/** Whether the wallet's log lost its end, and what was in it is not found out yet. */
export function isReconciling(state: Readonly<WalletState>): boolean {
  return state.instances.get(SALVAGE)?.state === "Reconciling";
}

/** Whether a message in that state waits for an answer. */
export function isUndecided(state: string): boolean {
  return state === "Vetting" || state === "Halted";
}

/** The key of an instance's name in {@link WalletState.finished}: the first bytes of its SHA-256. */
function nameKey(instance: string): Uint8Array {
  return sha256(new TextEncoder().encode(instance)).slice(0, NAME_KEY_BYTES);
}

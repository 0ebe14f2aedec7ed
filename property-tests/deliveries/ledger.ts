import assert from "node:assert/strict";
import { sha256 } from "../../ark/crypto.ts";
import { encodeHex } from "../../ark/hex.ts";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import type { Transition } from "../../engine/transition.ts";
import type { Notice } from "../../machines/drive.machine.ts";
import { effectKinds } from "../../machines/effects.ts";
import { type AcceptedVtxo, type HeldItem, leftOf, type ReceiveMovement } from "../../machines/package.ts";

/** A message as the log tells of it. */
interface Message {
  readonly checkpoint: bigint;
  readonly digest: string;
  readonly kind: string;
  readonly receivedAtMs: number;
  /** The wallet's checkpoint when it came. */
  readonly arrivedAt: bigint;
  /** A notice that was read behind a package that halts: it moves nothing until its turn. */
  readonly ahead: boolean;
  decided: boolean;
  rule: string | undefined;
  /** The process that is vetting it. */
  vettedBy: bigint | undefined;
}

const TIME_SHIFT = 20n;
const DAY_MS = 86_400_000n;
const RULES: Readonly<Record<string, readonly string[]>> = {
  arkoor: ["EMPTY_PACKAGE", "NOTHING_NEW"],
  unknown: ["UNKNOWN_KIND"],
  "recovery-vtxo-ids": ["RECOVERY_IDS_IN_MAIN_MAILBOX"],
  malformed: ["MALFORMED_MESSAGE"],
};

/**
 * A bookkeeping of its own over the records, which knows the promises and no machine.
 *
 * Every method throws where a promise is broken.
 */
export class Ledger {
  seq = 0n;
  /** How often a held item was looked at again. */
  looks = 0n;
  epoch = 0n;
  checkpoint = 0n;
  readonly coins = new Map<VtxoId, AcceptedVtxo>();
  readonly movements = new Map<string, ReceiveMovement>();
  readonly held = new Map<string, HeldItem>();
  /** The newest notice about each payment and round. */
  readonly notices = new Map<string, bigint>();
  readonly messages = new Map<string, Message>();
  /** Digests of their bytes. */
  readonly received = new Set<string>();
  /** Σ of what was credited, and of the movements. */
  creditedSats = 0n;
  movedSats = 0n;
  readonly blobs = new Map<string, Uint8Array>();
  /** Server commands without a result, by effect id: the VTXOs that they are about. */
  readonly openCommands = new Map<string, { readonly type: string; readonly ids: readonly VtxoId[] }>();
  /** Packages whose vetting was begun anew by a process that was at it. */
  readonly vettedAgain = new Set<string>();
  readonly #versions = new Map<string, bigint>();
  readonly #effects = new Map<string, string>();
  readonly #answered = new Set<string>();
  /** Messages that were received and neither applied nor ignored, by instance. */
  readonly #undecided = new Map<string, Message>();
  /** Decided messages whose place is not the checkpoint's, and could be so when the clock is another. */
  #implausible: Message[] = [];
  /** Where the checkpoint must be at least, and may be at most, by the messages that were decided. */
  #least = 0n;
  #most = 0n;

  /** Takes one durable record in. */
  apply(transition: Transition): void {
    const { seq, epoch, instance, machine, version } = transition;
    assert.equal(seq, this.seq + 1n, "the sequence is dense");
    assert.ok(epoch >= this.epoch, "the epoch never goes back");
    assert.equal(version, (this.#versions.get(instance) ?? 0n) + 1n, `${instance}: versions are dense`);
    this.seq = seq;
    this.epoch = epoch;
    this.#versions.set(instance, version);
    this.#keepBlobs(transition);
    if (machine === "message") this.#message(transition);
    if (machine === "quarantined") this.#quarantined(transition);
    this.#commands(transition);
  }

  /** What the wallet says after the commit. */
  check(checkpoint: bigint, nowMs: number): void {
    assert.ok(checkpoint >= this.checkpoint, `the checkpoint went back from ${this.checkpoint} to ${checkpoint}`);
    for (const { checkpoint: at } of this.#implausible.filter((message) => isPlausible(message, nowMs))) {
      this.#most = greater(at, this.#most);
    }
    this.#implausible = this.#implausible.filter(({ checkpoint: at }) => at > this.#most);
    const [least, most] = [this.#least, this.#most];
    assert.ok(checkpoint >= least && checkpoint <= most, `expected a checkpoint of ${least} … ${most}, got ${checkpoint}`);
    for (const { checkpoint: at, arrivedAt } of this.#undecided.values()) {
      assert.ok(at <= arrivedAt || checkpoint < at, `the checkpoint ${checkpoint} passed the undecided message at ${at}`);
    }
    this.checkpoint = checkpoint;
  }

  /** Messages that were received and neither applied nor ignored. */
  undecided(): Message[] {
    return [...this.#undecided.values()];
  }

  #keepBlobs({ blobs, instance }: Transition): void {
    for (const { digest, data } of blobs) {
      assert.ok(data !== undefined || this.blobs.has(digest), `${instance} refers to bytes that the log does not have`);
      if (data === undefined) continue;
      assert.equal(encodeHex(sha256(data)), digest, "bytes stand under their own digest");
      this.blobs.set(digest, data);
    }
  }

  #message(transition: Transition): void {
    const { instance, event, state, change, atMs, epoch } = transition;
    if (event.type === "message.received") {
      const { checkpoint, digest, kind } = event as unknown as { checkpoint: bigint; digest: string; kind: string };
      const ahead = event.ahead === true;
      assert.ok(!ahead || event.notice !== null, `${instance} is read ahead although it is no notice`);
      if (!ahead) this.#checkNext(instance, checkpoint);
      const notice = event.notice as Notice | null;
      if (notice !== null) this.notices.set(`${notice.kind}/${notice.hash}`, transition.seq);
      assert.ok(this.blobs.has(digest), `${instance}: the bytes of a received message are in the log`);
      const arrivedAt = this.checkpoint;
      const undecided = { decided: false, rule: undefined, vettedBy: undefined };
      const taken: Message = { checkpoint, digest, kind, receivedAtMs: atMs, arrivedAt, ahead, ...undecided };
      this.messages.set(instance, taken);
      this.received.add(digest);
      this.#undecided.set(instance, taken);
    }
    const message = this.messages.get(instance);
    assert.ok(message !== undefined, `${instance} was received before anything else happens to it`);
    if (event.type === "message.redelivered" && message.vettedBy === epoch) this.vettedAgain.add(instance);
    message.vettedBy = state === "Vetting" ? epoch : undefined;
    if (message.decided || !["Applied", "Ignored", "Kept"].includes(state)) return;
    if (!message.ahead) this.#checkNext(instance, message.checkpoint);
    message.decided = true;
    this.#undecided.delete(instance);
    if (message.ahead || !isPlausible(message, message.receivedAtMs)) this.#implausible.push(message);
    else {
      this.#least = greater(message.checkpoint, this.#least);
      this.#most = greater(message.checkpoint, this.#most);
    }
    if (state === "Applied") this.#credit(instance, change, message.checkpoint);
    else {
      message.rule = String(change.rule);
      const rules = RULES[message.kind] ?? ["NOTICE_KEPT"];
      assert.ok(rules.includes(message.rule), `${instance} is ignored under ${message.rule}, not one of ${rules}`);
    }
  }

  /** Nothing overtakes a message that is not decided. */
  #checkNext(instance: string, checkpoint: bigint): void {
    for (const [name, earlier] of this.#undecided) {
      if (name === instance) continue;
      assert.ok(earlier.checkpoint > checkpoint, `${instance} was consumed before ${name}, which stands undecided`);
    }
  }

  #quarantined({ instance, event, state, change }: Transition): void {
    const key = instance.slice("quarantined/".length);
    if (event.type === "item.vetted") this.looks++;
    if (change.item !== undefined && change.item !== null) this.held.set(key, change.item as unknown as HeldItem);
    if (state === "Held") return;
    const item = this.held.get(key);
    this.held.delete(key);
    if (event.type === "item.vetted" && state === "Released") this.#credit(instance, change, item?.checkpoint ?? -1n);
  }

  #credit(instance: string, change: Transition["change"], checkpoint: bigint): void {
    const vtxos = change.vtxos as readonly AcceptedVtxo[];
    const movement = change.movement as ReceiveMovement;
    assert.ok(vtxos.length > 0, `${instance} credits something`);
    for (const vtxo of vtxos) {
      assert.ok(!this.coins.has(vtxo.id), `${instance} credits ${vtxo.id}, which was credited before`);
      this.coins.set(vtxo.id, vtxo);
    }
    assert.ok(!this.movements.has(movement.id), `${instance} makes a second movement ${movement.id}`);
    const usual = checkpoint === 0n ? "vtxo_import." : `arkoor_receive.${checkpoint}`;
    assert.ok(movement.id.startsWith(usual), `${movement.id} names checkpoint ${checkpoint}`);
    assert.deepEqual(movement.outputs, ids(vtxos), `${movement.id}: of the new VTXOs only`);
    assert.equal(movement.amountSats, sumOf(vtxos), `${movement.id}: the sum of the new VTXOs only`);
    assert.equal(sumOf(movement.receivedOn), movement.amountSats, `${movement.id}: what each key got adds up`);
    this.movements.set(movement.id, movement);
    this.creditedSats += sumOf(vtxos);
    this.movedSats += movement.amountSats;
  }

  #commands({ effects, effectId, event, seq, change }: Transition): void {
    if (effectId !== "") {
      const type = this.#effects.get(effectId);
      assert.ok(type !== undefined, `record ${seq} answers effect ${effectId}, which nobody asked for`);
      const isCommand = effectKinds[type as keyof typeof effectKinds] === "command";
      assert.ok(!isCommand || !this.#answered.has(effectId), `record ${seq} answers command ${effectId} a second time`);
      this.#answered.add(effectId);
      this.openCommands.delete(effectId);
    }
    for (const [index, { id, type }] of effects.entries()) {
      assert.equal(id, `${seq}.${index}`);
      this.#effects.set(id, type);
      if (type !== "registerVtxos" && type !== "postRecoveryIds") continue;
      // What was credited, or what the server did not take of it.
      const asked = change.vtxos === undefined ? leftOf(event) : ids(change.vtxos as readonly AcceptedVtxo[]);
      this.openCommands.set(id, { type, ids: asked });
    }
  }
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Whether a checkpoint may become the wallet's: at most a day ahead of its clock (mailbox.md W-11). */
function isPlausible({ checkpoint }: Message, nowMs: number): boolean {
  return checkpoint < 2n ** 63n && checkpoint >> TIME_SHIFT <= BigInt(nowMs) + DAY_MS;
}

function ids(vtxos: readonly AcceptedVtxo[]): VtxoId[] {
  return vtxos.map(({ id }) => id);
}

/** Σ of amounts. */
export function sumOf(items: Iterable<{ readonly amountSats: bigint }>): bigint {
  let sum = 0n;
  for (const { amountSats } of items) sum += amountSats;
  return sum;
}

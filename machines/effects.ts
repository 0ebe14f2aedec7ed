import type { VtxoId } from "../ark/vtxo-id.ts";
import type { ActionMovement, OwnVtxo, PaymentInput } from "./books.ts";
import type { InvoiceTerms, ReceiveClaim } from "./lightning-receive.ts";
import type { HeldPayment, HtlcPackage } from "./lightning-send.ts";
import type { HeldItem, VtxoSource } from "./package.ts";

/**
 * Everything a machine may ask for, by name, with its parameters.
 *
 * A *route* is an event for another instance, taken in the same commit. An *entry* changes the wallet's books: it is folded
 * from the record itself, with the instance as the holder of what is locked. A *query* changes nothing outside and
 * is asked again when needed. A *command* starts only after its record is durable and stays in the outbox until
 * its result is recorded (DESIGN §2).
 */
export interface EffectParams {
  // routes
  consumeMessage: { checkpoint: bigint; advance: boolean };
  haltMailbox: { checkpoint: bigint; code: string };
  haltConnection: { checkpoint: bigint; code: string };
  holdItem: { key: string; item: HeldItem };
  /** Ids of new VTXOs for the recovery mailbox: posted until the server took them, however the instance goes on. */
  backUpIds: { ids: readonly VtxoId[] };
  // entries
  /** All of them are free, or this instance's already. */
  lockCoins: { ids: readonly VtxoId[] };
  releaseCoins: { ids: readonly VtxoId[] };
  /** Lets them go, but nothing pays with them before the server called them unspent. */
  doubtCoins: { ids: readonly VtxoId[] };
  /** Free, locked by this instance, or spent already. */
  spendCoins: { ids: readonly VtxoId[] };
  /** New VTXOs, locked by this instance or free; those that the wallet knows stay as they are. */
  createCoins: { coins: readonly OwnVtxo[]; locked: boolean };
  /** From now on they can be paid with: the server has their signatures, or gets them once more before. */
  offerCoins: { ids: readonly VtxoId[] };
  /** Only an exit brings them back: they stay out of every payment, also when the instance ends. */
  requireExit: { ids: readonly VtxoId[]; byHeight: number };
  /** Exiting, of an action that has ended: the owner has made the exits, or lets them go. */
  markExited: { ids: readonly VtxoId[] };
  reserveKeys: { from: number; count: number };
  /** Opens a movement, or replaces it. */
  writeMovement: { movement: ActionMovement };
  // queries
  /** `holdPoison`: what alone gets no answer has had its time, and is held (mailbox.md W-22). */
  vetPackage: { checkpoint: bigint; digest: string; holdPoison: boolean };
  openConnection: { mode: RunMode };
  openStream: Record<string, never>;
  closeConnection: Record<string, never>;
  /** Ends what is under way, but reads on for notices: until the connection is opened again, or once to the end. */
  readNotices: { mode: RunMode };
  cancelTimer: { timer: string };
  // commands
  registerVtxos: { sources: readonly VtxoSource[] };
  postRecoveryIds: { ids: readonly string[] };
  startTimer: { timer: string; dueAtMs: number };
  // commands of arkoor-send
  cosignPayment: {
    inputs: readonly PaymentInput[];
    address: string;
    amountSats: bigint;
    changeKeyIndex: number;
    changePieces: readonly bigint[];
  };
  registerPayment: { sources: readonly VtxoSource[] };
  deliverPayment: { address: string; sources: readonly VtxoSource[] };
  // commands of lightning-receive
  requestInvoice: InvoiceTerms;
  /** Asks until the payment is there, has the HTLC VTXOs granted, and judges them. */
  awaitGrant: InvoiceTerms;
  /** Asks, right before the preimage may leave, whether a claim can still succeed (lightning.md R6). */
  vetReveal: { paymentHash: string; latestExitHeight: number };
  claimReceive: ReceiveClaim;
  cancelReceive: { paymentHash: string };
  // commands of lightning-send
  cosignHtlcs: HtlcPackage;
  /** After a refusal: finds out whether the package was carried out all the same, and completes it to be revoked. */
  recoverHtlcs: HtlcPackage;
  initiatePayment: HeldPayment;
  watchPayment: HeldPayment;
  revokeHtlcs: HeldPayment;
}

/** `live` follows the mailbox until stopped, `drain` reads what is there and ends. */
export type RunMode = "live" | "drain";

export type EffectType = keyof EffectParams;

/** One effect with its parameters. */
export type Effect = { [Type in EffectType]: { readonly type: Type; readonly params: EffectParams[Type] } }[EffectType];

/** How the engine treats an effect. */
export type EffectKind = "route" | "entry" | "query" | "command";

/** The kind of every effect; the table is complete by its type. */
export const effectKinds: { readonly [Type in EffectType]: EffectKind } = {
  consumeMessage: "route",
  haltMailbox: "route",
  haltConnection: "route",
  holdItem: "route",
  backUpIds: "route",
  lockCoins: "entry",
  releaseCoins: "entry",
  doubtCoins: "entry",
  spendCoins: "entry",
  createCoins: "entry",
  offerCoins: "entry",
  requireExit: "entry",
  markExited: "entry",
  reserveKeys: "entry",
  writeMovement: "entry",
  vetPackage: "query",
  openConnection: "query",
  openStream: "query",
  closeConnection: "query",
  readNotices: "query",
  registerVtxos: "command",
  postRecoveryIds: "command",
  startTimer: "command",
  cosignPayment: "command",
  registerPayment: "command",
  deliverPayment: "command",
  requestInvoice: "command",
  awaitGrant: "command",
  vetReveal: "command",
  claimReceive: "command",
  cancelReceive: "command",
  cosignHtlcs: "command",
  recoverHtlcs: "command",
  initiatePayment: "command",
  watchPayment: "command",
  revokeHtlcs: "command",
  // Removes its timer from the outbox in the fold; the executor only forgets it.
  cancelTimer: "query",
};

/** Whether this build knows an effect of that name. */
export function isEffectType(type: string): type is EffectType {
  return Object.hasOwn(effectKinds, type);
}

/**
 * The implementations that XState wants for effect actions. They do nothing: `step.ts` hands the effects out as
 * data, and the engine's executors carry them out.
 */
export function effectActions<Type extends EffectType>(...types: readonly Type[]): EffectActions<Type> {
  const actions = {} as EffectActions<Type>;
  for (const type of types) actions[type] = () => {};
  return actions;
}

type EffectActions<Type extends EffectType> = { [T in Type]: (scope: unknown, params: EffectParams[T]) => void };

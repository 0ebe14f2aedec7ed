/** Whether a received VTXO is money: rules 1 to 6 of vtxo.md §10, with the advice given there. */
import { equalBytes } from "./bytes.ts";
import { ArkError, type ArkErrorCode } from "./errors.ts";
import type { GenesisItem } from "./genesis.ts";
import type { Outpoint } from "./outpoint.ts";
import type { PubkeyPolicy, UserPolicy } from "./policy.ts";
import { isStandard, P2TR_DUST_SATS } from "./standardness.ts";
import { decodeTransaction, type Transaction, transactionId } from "./transaction.ts";
import { validateVtxo } from "./validate.ts";
import { decodeVtxo, type Vtxo, vtxoId } from "./vtxo.ts";
import { decodeVtxoId, type VtxoId } from "./vtxo-id.ts";

const U32_MAX = 0xffff_ffff;
const ID_BYTES = 36;
/** A user's VTXO without genesis items and with the shortest policy. */
const SHORTEST_ENCODING = 156;

/** What a chain source answers about the anchor transaction. "Could not tell" is no answer: ask again later. */
export type AnchorLookup =
  /** `transaction`: the raw bytes as fetched by txid; the id is recomputed here. */
  { readonly kind: "found"; readonly transaction: Uint8Array } | { readonly kind: "absent" };

/** A received byte string and everything else that decides about it. */
export interface ReceivedVtxo {
  readonly bytes: Uint8Array;
  readonly anchor: AnchorLookup;
  readonly tipHeight: number;
  /** The server key of the wallet's server, 33 bytes. */
  readonly serverPubkey: Uint8Array;
  /** The exit delta that the server advertises, in blocks. */
  readonly exitDelta: number;
  /** The wallet had it before: it may be about to expire, as long as it has not (mailbox.md W-48). */
  readonly isBackup?: boolean;
  /** Index of an own VTXO key (33 bytes, parity included), or undefined. */
  readonly ownsKey: (publicKey: Uint8Array) => number | undefined;
}

/** What the owner of a good VTXO should know about it. */
export type VtxoFlag =
  /** Below 330 sat: cannot be exited. */
  | "dust"
  /** Its exit transactions are not relayed (vtxo.md §6.5). */
  | "nonStandard"
  /** So near its expiry that a payment with it would be refused: to be refreshed or exited at once. */
  | "nearExpiry"
  /** Until refreshed it depends on the server not colluding with a former owner. */
  | "untrustedArkoor";

/** A VTXO that is money. */
export interface AcceptedVtxo {
  readonly kind: "accepted";
  readonly id: VtxoId;
  readonly vtxo: Vtxo<PubkeyPolicy>;
  /** Index of the key that owns it. */
  readonly keyIndex: number;
  readonly flags: readonly VtxoFlag[];
  /** The outputs that its chain spends, from the chain anchor on. */
  readonly spent: readonly Outpoint[];
}

/** A received byte string that is not money, at least not now. */
export interface RefusedVtxo {
  readonly kind: "refused";
  readonly code: ArkErrorCode;
  readonly message: string;
  /** Of bytes that do not decode it is a guess, see {@link readableVtxoId}. */
  readonly id: VtxoId | undefined;
  /** Whether bytes and anchor transaction alone decide: asking again cannot change the answer for these bytes. */
  readonly permanent: boolean;
  /**
   * Whether the bytes do not decode or cannot be validated, so that another copy of the VTXO may be good: posted bytes
   * can be made up under a good id, with an anchor that does not exist (mailbox.md W-5).
   */
  readonly broken: boolean;
}

/** The answer about one received byte string. */
export type Judgement = AcceptedVtxo | RefusedVtxo;

/** Applies rules 1 to 5 of vtxo.md §10 in their order; the first that fails is the answer. */
export function judgeVtxo(received: ReceivedVtxo): Judgement {
  // What a rule adds to its refusal: the same for all rules of one stage.
  let stage = { permanent: true, broken: true };
  let id = readableVtxoId(received.bytes);
  try {
    const vtxo = decodeVtxo(received.bytes);
    id = vtxoId(vtxo);
    stage = { permanent: false, broken: received.anchor.kind === "absent" };
    const anchor = anchorTransaction(vtxo, received.anchor);
    stage = { permanent: true, broken: true };
    const spent = validateVtxo(vtxo, anchor);
    stage = { permanent: true, broken: false };
    const policy = checkPolicy(vtxo.policy);
    stage = { permanent: false, broken: false };
    checkServer(vtxo, received);
    checkExpiry(vtxo, received);
    const keyIndex = received.ownsKey(policy.userPubkey);
    if (keyIndex === undefined) throw new ArkError("NOT_OWNED", "expected a user key of this wallet, got another");
    const flags = vtxoFlags(vtxo, received.ownsKey);
    const isNear = vtxo.expiryHeight <= safeHeight(vtxo, received);
    if (isNear) flags.push("nearExpiry");
    return { kind: "accepted", id, vtxo: { ...vtxo, policy }, keyIndex, flags, spent };
  } catch (error) {
    if (!(error instanceof ArkError)) throw error;
    return { kind: "refused", code: error.code, message: error.message, id, ...stage };
  }
}

/** The accepted VTXOs of one message, sorted out by rule 6. */
export interface Deduplicated<T> {
  /** To be stored and credited: new ids, each once, in the order of the message. */
  readonly fresh: readonly T[];
  /** Already stored, in whatever state. */
  readonly known: readonly T[];
  /** Repeats of an id within the message. */
  readonly repeated: readonly T[];
}

/**
 * Rule 6: drops what is known and what is repeated, by id. Only accepted VTXOs take part, so that refused bytes under
 * the same id do not shadow good ones.
 */
export function deduplicate<T extends { readonly id: VtxoId }>(
  accepted: readonly T[],
  isKnown: (id: VtxoId) => boolean,
): Deduplicated<T> {
  const seen = new Set<VtxoId>();
  const fresh: T[] = [];
  const known: T[] = [];
  const repeated: T[] = [];
  for (const item of accepted) {
    if (seen.has(item.id)) repeated.push(item);
    else if (isKnown(item.id)) known.push(item);
    else fresh.push(item);
    seen.add(item.id);
  }
  return { fresh, known, repeated };
}

/**
 * The id that stands at the end of an encoding, for bytes that do not decode: whoever posted them may have hidden a
 * good VTXO of this id, of which the server has a copy (mailbox.md W-5). A guess, since such bytes may be anything;
 * undefined for what is too short to be a VTXO.
 */
export function readableVtxoId(bytes: Uint8Array): VtxoId | undefined {
  return bytes.length < SHORTEST_ENCODING ? undefined : decodeVtxoId(bytes.slice(-ID_BYTES));
}

/**
 * Rule 2, and that the fetched transaction is the one asked for: a source that errs may do better next time.
 *
 * @throws ArkError `ANCHOR_NOT_FOUND`, `ANCHOR_TXID_MISMATCH`, `BAD_TRANSACTION`, `SHORT_INPUT`, `TRAILING_BYTES`
 */
export function anchorTransaction(vtxo: Vtxo, anchor: AnchorLookup): Transaction {
  const { txid } = vtxo.chainAnchor;
  if (anchor.kind === "absent") throw new ArkError("ANCHOR_NOT_FOUND", `expected the anchor transaction ${txid}, found none`);
  const transaction = decodeTransaction(anchor.transaction);
  const got = transactionId(transaction);
  if (got !== txid) throw new ArkError("ANCHOR_TXID_MISMATCH", `expected the anchor transaction ${txid}, got ${got}`);
  return transaction;
}

/** Rule 4.1: an HTLC is a pending contract, not money. */
function checkPolicy(policy: UserPolicy): PubkeyPolicy {
  if (policy.kind !== "pubkey") throw new ArkError("NOT_PUBKEY_POLICY", `expected policy pubkey, got ${policy.kind}`);
  return policy;
}

/** Rule 4.2. */
function checkServer(vtxo: Vtxo, received: ReceivedVtxo): void {
  if (!equalBytes(vtxo.serverPubkey, received.serverPubkey)) {
    throw new ArkError("WRONG_SERVER_KEY", "expected the key of this wallet's server, got another");
  }
}

/** Rule 4.3, with the larger of both exit deltas: nothing else bounds the VTXO's own one. */
function checkExpiry(vtxo: Vtxo, received: ReceivedVtxo): void {
  const limit = received.isBackup === true ? received.tipHeight : safeHeight(vtxo, received);
  if (vtxo.expiryHeight <= limit) {
    throw new ArkError("NEAR_EXPIRY", `expected an expiry height above ${limit}, got ${vtxo.expiryHeight}`);
  }
}

function safeHeight(vtxo: Vtxo, { tipHeight, exitDelta }: ReceivedVtxo): number {
  return Math.min(tipHeight + Math.max(exitDelta, vtxo.exitDelta), U32_MAX);
}

/**
 * What the owner of a good VTXO should know about it.
 *
 * @param ownsKey as in {@link ReceivedVtxo}
 */
export function vtxoFlags(vtxo: Vtxo, ownsKey: ReceivedVtxo["ownsKey"]): VtxoFlag[] {
  const flags: VtxoFlag[] = [];
  if (vtxo.amountSats < P2TR_DUST_SATS) flags.push("dust");
  if (!isStandard(vtxo)) flags.push("nonStandard");
  const isForeign = ({ transition }: GenesisItem): boolean =>
    transition.kind === "arkoor" && transition.clientCosigners.every((key) => ownsKey(key) === undefined);
  if (vtxo.genesis.some(isForeign)) flags.push("untrustedArkoor");
  return flags;
}

/** Whether the VTXOs that a server grants for a Lightning payment are worth the preimage (lightning.md §9.4). */
import { type AnchorLookup, anchorTransaction } from "./accept.ts";
import { sumSats } from "./arkoor-allocation.ts";
import { compareBytes, equalBytes } from "./bytes.ts";
import { ArkError, type ArkErrorCode } from "./errors.ts";
import {
  EXIT_MARGIN_BLOCKS,
  exitMarginBlocks,
  latestReceiveExitHeight,
  MAX_GRANTED_VTXOS,
  RECEIVE_CLAIM_BLOCKS,
} from "./htlc-terms.ts";
import { type Descent, kinshipOf, lineageOf } from "./lineage.ts";
import { encodePolicy, type HtlcReceivePolicy } from "./policy.ts";
import { P2TR_DUST_SATS } from "./standardness.ts";
import { validateVtxo } from "./validate.ts";
import { decodeVtxo, exitDepth, type Vtxo, vtxoId } from "./vtxo.ts";
import { encodeVtxoId } from "./vtxo-id.ts";

/** Longest encoding of a VTXO of a grant, as of one that a mailbox brings. */
const MAX_VTXO_BYTES = 128 * 1024;

/** One VTXO of a grant, and what the chain source says of its anchor. */
export interface GrantedBytes {
  /** The full encoding, as received. */
  readonly bytes: Uint8Array;
  readonly anchor: AnchorLookup;
  readonly isAnchorConfirmed: boolean;
}

/** What a grant must fit. Heights and deltas are blocks. */
export interface GrantTerms {
  /** 32 bytes. */
  readonly paymentHash: Uint8Array;
  /** The key of the request, 33 bytes. */
  readonly userPubkey: Uint8Array;
  /** The key of the wallet's server, 33 bytes. */
  readonly serverPubkey: Uint8Array;
  /** The tip that the request was made with. */
  readonly nowHeight: number;
  /** The expiry of the request, or null where an earlier request was answered (R10). */
  readonly requestedExpiryHeight: number | null;
  /** False where the preimage is known to the server already, so that time cannot protect anything (R8). */
  readonly checkTimes: boolean;
  /** Amount of the invoice, rounded up to sats. */
  readonly invoiceSats: bigint;
  /** Amount that the server reports with the grant. */
  readonly reportedSats: bigint;
  /** The fee of an amount by today's schedule. */
  readonly feeOf: (amountSats: bigint) => bigint;
  /** The fee that was promised when the invoice was made (R1). */
  readonly promisedFeeSats: bigint;
}

/** Why a grant is refused, beside the codes of decoding and validation. */
export type GrantRefusalCode =
  | ArkErrorCode
  | "GRANT_TOO_LARGE"
  | "GRANT_NOT_HTLC_RECEIVE"
  | "GRANT_OTHER_PAYMENT_HASH"
  | "GRANT_OTHER_USER_KEY"
  | "GRANT_EARLY_EXPIRY"
  | "GRANT_WINDOW_TOO_SMALL"
  | "GRANT_REPEATED_VTXO"
  | "GRANT_CONFLICTING"
  | "GRANT_MIXED_POLICIES"
  | "GRANT_VTXO_EXPIRES_SOON"
  | "GRANT_OF_DUST"
  | "GRANT_ANCHOR_UNCONFIRMED"
  | "GRANT_TOO_LITTLE"
  | "GRANT_FEE_RAISED";

/** The answer about a grant. */
export type GrantJudgement =
  | {
      readonly kind: "accepted";
      /** In the order of their ids' raw bytes, which a claim must have (lightning.md §9.5). */
      readonly vtxos: readonly Vtxo<HtlcReceivePolicy>[];
      readonly amountSats: bigint;
      readonly feeSats: bigint;
      readonly htlcExpiryHeight: number;
      /** See {@link latestReceiveExitHeight}. */
      readonly latestExitHeight: number;
    }
  | {
      readonly kind: "refused";
      readonly code: GrantRefusalCode;
      readonly message: string;
      /** Whether no later answer can be better: a server grants once. */
      readonly isFinal: boolean;
    };

/** Applies checks 1 to 7 and the amount rule of lightning.md §9.4; the first that fails is the answer. */
export function judgeGrant(granted: readonly GrantedBytes[], terms: GrantTerms): GrantJudgement {
  try {
    checkSize(granted);
    const vtxos = granted.map((one) => checkOne(one, terms));
    checkTogether(vtxos, terms);
    checkApart(vtxos);
    checkAnchors(granted);
    const amountSats = sumSats(vtxos.map((vtxo) => vtxo.amountSats));
    const feeSats = checkAmount(amountSats, terms);
    return {
      kind: "accepted",
      vtxos: vtxos.toSorted((a, b) => compareBytes(encodeVtxoId(vtxoId(a)), encodeVtxoId(vtxoId(b)))),
      amountSats,
      feeSats,
      htlcExpiryHeight: Math.min(...vtxos.map(({ policy }) => policy.htlcExpiryHeight)),
      latestExitHeight: latestReceiveExitHeight(vtxos.map(deadlineInput)),
    };
  } catch (error) {
    if (error instanceof Refusal) {
      return { kind: "refused", code: error.code, message: error.message, isFinal: error.isFinal };
    }
    if (!(error instanceof ArkError)) throw error;
    return { kind: "refused", code: error.code, message: error.message, isFinal: false };
  }
}

class Refusal extends Error {
  readonly code: GrantRefusalCode;
  readonly isFinal: boolean;

  constructor(code: GrantRefusalCode, message: string, isFinal: boolean) {
    super(message);
    this.code = code;
    this.isFinal = isFinal;
  }
}

/** Bounds the work that a server can ask for: it grants once, so what is too much stays too much. */
function checkSize(granted: readonly GrantedBytes[]): void {
  if (granted.length > MAX_GRANTED_VTXOS) {
    throw final("GRANT_TOO_LARGE", `expected at most ${MAX_GRANTED_VTXOS} VTXOs, got ${granted.length} or more`);
  }
  const bytes = Math.max(0, ...granted.map((one) => one.bytes.length));
  if (bytes > MAX_VTXO_BYTES) throw final("GRANT_TOO_LARGE", `expected at most ${MAX_VTXO_BYTES} bytes a VTXO, got ${bytes}`);
}

/** Checks 1 to 5. */
function checkOne({ bytes, anchor }: GrantedBytes, terms: GrantTerms): Vtxo<HtlcReceivePolicy> {
  const vtxo = decodeVtxo(bytes);
  validateVtxo(vtxo, anchorTransaction(vtxo, anchor));
  const { policy } = vtxo;
  if (policy.kind !== "server-htlc-receive-v1") {
    throw passing("GRANT_NOT_HTLC_RECEIVE", `expected policy server-htlc-receive-v1, got ${policy.kind}`);
  }
  if (!equalBytes(policy.paymentHash, terms.paymentHash)) {
    throw passing("GRANT_OTHER_PAYMENT_HASH", "expected the payment hash of the invoice, got another");
  }
  if (!equalBytes(policy.userPubkey, terms.userPubkey)) {
    throw passing("GRANT_OTHER_USER_KEY", "expected the user key of the request, got another");
  }
  const { requestedExpiryHeight: requested } = terms;
  if (terms.checkTimes && requested !== null && policy.htlcExpiryHeight < requested) {
    throw passing("GRANT_EARLY_EXPIRY", `expected an expiry of at least ${requested}, got ${policy.htlcExpiryHeight}`);
  }
  if (terms.checkTimes) checkWindow({ ...vtxo, policy }, EXIT_MARGIN_BLOCKS, terms);
  return { ...vtxo, policy };
}

/** Check 5, with the margin given: there must be time to claim, and after it time to exit. */
function checkWindow(vtxo: Vtxo<HtlcReceivePolicy>, marginBlocks: number, { nowHeight }: GrantTerms): void {
  const { htlcExpiryHeight, htlcExpiryDelta } = vtxo.policy;
  const needed = nowHeight + vtxo.exitDelta + htlcExpiryDelta + marginBlocks + RECEIVE_CLAIM_BLOCKS;
  if (needed > htlcExpiryHeight) {
    throw final("GRANT_WINDOW_TOO_SMALL", `expected an HTLC expiry of at least ${needed}, got ${htlcExpiryHeight}`);
  }
}

/** Check 6 (R4). */
function checkTogether(vtxos: readonly Vtxo<HtlcReceivePolicy>[], terms: GrantTerms): void {
  const margin = exitMarginBlocks(vtxos.map(exitDepth));
  const leastExpiry = terms.nowHeight + margin + RECEIVE_CLAIM_BLOCKS;
  if (terms.checkTimes) checkDust(vtxos);
  const ids = new Set<string>();
  for (const vtxo of vtxos) {
    if (!equalBytes(vtxo.serverPubkey, terms.serverPubkey)) {
      throw final("WRONG_SERVER_KEY", "expected the key of this wallet's server, got another");
    }
    const id = vtxoId(vtxo);
    if (ids.has(id)) throw final("GRANT_REPEATED_VTXO", `expected distinct VTXOs, got ${id} twice`);
    ids.add(id);
    const [first] = vtxos;
    if (first !== undefined && !equalBytes(encodePolicy(vtxo.policy), encodePolicy(first.policy))) {
      throw final("GRANT_MIXED_POLICIES", "expected one policy for all VTXOs, got several");
    }
    if (!terms.checkTimes) continue;
    if (vtxo.expiryHeight < leastExpiry) {
      throw final("GRANT_VTXO_EXPIRES_SOON", `expected an expiry height of at least ${leastExpiry}, got ${vtxo.expiryHeight}`);
    }
    checkWindow(vtxo, margin, terms);
  }
}

/** A server alone signs what it grants: it could make several VTXOs of one output, of which one comes on chain (mailbox.md W-47). */
function checkApart(vtxos: readonly Vtxo<HtlcReceivePolicy>[]): void {
  const seen: Descent[] = [];
  for (const vtxo of vtxos) {
    const descent = { id: vtxoId(vtxo), lineage: lineageOf(vtxo) };
    const other = seen.find((one) => kinshipOf(one, descent) !== "apart");
    if (other !== undefined) {
      throw final("GRANT_CONFLICTING", `expected VTXOs that can all be exited, got ${descent.id} and ${other.id}, of one output`);
    }
    seen.push(descent);
  }
}

/**
 * What is too small to exit buys nothing for a preimage. Isolating its change leaves an honest server with one such piece,
 * and a last input with another.
 */
function checkDust(vtxos: readonly Vtxo<HtlcReceivePolicy>[]): void {
  const dustSats = sumSats(vtxos.map(({ amountSats }) => amountSats).filter((amountSats) => amountSats < P2TR_DUST_SATS));
  const limitSats = 2n * P2TR_DUST_SATS;
  if (dustSats >= limitSats) {
    throw final("GRANT_OF_DUST", `expected less than ${limitSats} sat in VTXOs too small to exit, got ${dustSats} sat`);
  }
}

/** Check 7 (R4): a matter of waiting. */
function checkAnchors(granted: readonly GrantedBytes[]): void {
  if (granted.every(({ isAnchorConfirmed }) => isAnchorConfirmed)) return;
  throw passing("GRANT_ANCHOR_UNCONFIRMED", "expected anchor transactions in blocks, got one unconfirmed");
}

/** The amount rule and R1: the fee of this grant. */
function checkAmount(amountSats: bigint, terms: GrantTerms): bigint {
  const { invoiceSats, reportedSats, feeOf, promisedFeeSats } = terms;
  const reportedFee = feeOf(reportedSats);
  const feeSats = amountSats + reportedFee === reportedSats ? reportedFee : feeOf(invoiceSats);
  if (amountSats + feeSats < invoiceSats) {
    throw passing("GRANT_TOO_LITTLE", `expected at least ${invoiceSats - feeSats} sat, got ${amountSats} sat`);
  }
  if (amountSats < invoiceSats - promisedFeeSats) {
    throw passing(
      "GRANT_FEE_RAISED",
      `expected at least ${invoiceSats - promisedFeeSats} sat as promised, got ${amountSats} sat`,
    );
  }
  return feeSats;
}

function deadlineInput(vtxo: Vtxo<HtlcReceivePolicy>) {
  const { htlcExpiryHeight, htlcExpiryDelta } = vtxo.policy;
  return { exitDelta: vtxo.exitDelta, htlcExpiryDelta, htlcExpiryHeight, exitDepth: exitDepth(vtxo) };
}

function passing(code: GrantRefusalCode, message: string): Refusal {
  return new Refusal(code, message, false);
}

function final(code: GrantRefusalCode, message: string): Refusal {
  return new Refusal(code, message, true);
}

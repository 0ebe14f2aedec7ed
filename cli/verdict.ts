import {
  ArkError,
  decodeHex,
  decodeTransaction,
  decodeVtxo,
  exitTransactions,
  isStandard,
  type Transaction,
  transactionId,
  type Vtxo,
  validateVtxo,
  vtxoId,
} from "heartwood/ark";
import { CliError } from "./errors.ts";

/** What `vtxo check` says about a VTXO and its anchor transaction. */
export interface Verdict {
  /** Whether the bytes are a full user VTXO (vtxo.md §3). */
  readonly decode: boolean;
  /** Whether it also validates against the given anchor transaction, signatures included (vtxo.md §6.3). */
  readonly valid: boolean;
  readonly id: string | null;
  /** Kind string of the policy (vtxo.md §4.1). */
  readonly kind: string | null;
  /** Number of genesis items. */
  readonly depth: number | null;
  readonly amountSats: bigint | null;
  readonly expiryHeight: number | null;
  /** Ids of the exit transactions in order; none where they cannot be built (vtxo.md §6.1, §5.2). */
  readonly txids: readonly string[];
  /** Whether all outputs are relay-standard (vtxo.md §6.5). */
  readonly standard: boolean;
  /** Why it does not decode or is not valid. */
  readonly code: string | null;
  readonly message: string | null;
}

/** A line of `vtxo check`: both values in hex. */
export interface Question {
  readonly vtxo: Uint8Array;
  readonly anchorTx: Transaction;
}

const NOT_DECODED = {
  decode: false,
  valid: false,
  id: null,
  kind: null,
  depth: null,
  amountSats: null,
  expiryHeight: null,
  txids: [],
  standard: false,
} as const;

/**
 * Reads one line of `vtxo check`. Members beside `vtxo` and `anchorTx` are left alone.
 *
 * @throws CliError `BAD_JSON`, `BAD_MEMBER`, `BAD_HEX`, `BAD_ANCHOR_TX`
 */
export function parseQuestion(line: Uint8Array): Question {
  const members = parseObject(line);
  const [vtxo, anchorTx] = [hexMember(members, "vtxo"), hexMember(members, "anchorTx")];
  try {
    return { vtxo, anchorTx: decodeTransaction(anchorTx) };
  } catch (error) {
    if (!(error instanceof ArkError)) throw error;
    throw new CliError("BAD_ANCHOR_TX", `expected a transaction as "anchorTx", got other bytes: ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * Decodes and validates a VTXO.
 *
 * The id of the anchor transaction is not compared with the VTXO's anchor, as the validation of
 * vtxo.md §6.3 leaves that to whoever fetched it.
 */
export function judge({ vtxo: bytes, anchorTx }: Question): Verdict {
  let vtxo: Vtxo;
  try {
    vtxo = decodeVtxo(bytes);
  } catch (error) {
    return { ...NOT_DECODED, ...refusalOf(error) };
  }
  const refusal = refusalFrom(() => validateVtxo(vtxo, anchorTx));
  return {
    decode: true,
    valid: refusal === undefined,
    id: vtxoId(vtxo),
    kind: vtxo.policy.kind,
    depth: vtxo.genesis.length,
    amountSats: vtxo.amountSats,
    expiryHeight: vtxo.expiryHeight,
    txids: exitTxids(vtxo),
    standard: isStandard(vtxo),
    code: refusal?.code ?? null,
    message: refusal?.message ?? null,
  };
}

/** Ids of the exit transactions in order; none where amounts overflow or a key is at infinity. */
export function exitTxids(vtxo: Vtxo): string[] {
  try {
    return exitTransactions(vtxo).map(transactionId);
  } catch (error) {
    if (error instanceof ArkError) return [];
    throw error;
  }
}

function refusalFrom(work: () => void): { code: string; message: string } | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return refusalOf(error);
  }
}

function refusalOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof ArkError)) throw error;
  return { code: error.code, message: error.message };
}

function parseObject(line: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(line));
  } catch (error) {
    throw new CliError("BAD_JSON", `expected a JSON object, got ${line.length} bytes that are no JSON`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CliError("BAD_JSON", "expected a JSON object, got another value");
  return value as Record<string, unknown>;
}

function hexMember(members: Record<string, unknown>, name: "vtxo" | "anchorTx"): Uint8Array {
  const text = Object.hasOwn(members, name) ? members[name] : undefined;
  if (typeof text !== "string")
    throw new CliError(
      "BAD_MEMBER",
      `expected hex text as "${name}", got ${text === undefined ? "no such member" : text === null ? "null" : `a ${typeof text}`}`,
    );
  try {
    return decodeHex(text);
  } catch (error) {
    if (!(error instanceof ArkError)) throw error;
    throw new CliError("BAD_HEX", `expected hex text as "${name}": ${error.message}`, { cause: error });
  }
}

/** The server's side of cosigning an arkoor package, as far as it is pure (arkoor.md §10.1). */
import { checkDustRule } from "./arkoor-allocation.ts";
import { type ArkoorCosignRequest, type ArkoorCosignResponse, arkoorAttestation } from "./arkoor-request.ts";
import { arkoorSession } from "./arkoor-session.ts";
import { type ArkoorInput, type ArkoorPart, buildArkoorPart } from "./arkoor-transactions.ts";
import { verifyAttestation } from "./attestation.ts";
import { ArkError } from "./errors.ts";
import { SecretNonce } from "./musig.ts";
import type { PolicyKind } from "./policy.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { exitDepth } from "./vtxo.ts";
import { vtxoIdOf } from "./vtxo-id.ts";

/** One line of the table of RPCs in arkoor.md §10.1. */
export interface ArkoorRpcRules {
  readonly useCheckpoint: boolean;
  /** Most normal and isolated outputs of one part. */
  readonly maxFanOut: number;
  /** Inputs of this depth or deeper are refused; `null` skips the check. */
  readonly maxExitDepth: number | null;
  readonly dustRule: boolean;
  /** Policies an input may have. */
  readonly inputPolicies: readonly PolicyKind[];
}

/** The rules of `RequestArkoorCosign` with the default limits of a server. */
export const ARKOOR_COSIGN_RULES: ArkoorRpcRules = {
  useCheckpoint: true,
  maxFanOut: 4,
  maxExitDepth: 100,
  dustRule: true,
  inputPolicies: ["pubkey"],
};

/** A request with the server's own copy of the input it names. */
export interface ArkoorServerPart {
  readonly request: ArkoorCosignRequest;
  readonly input: ArkoorInput;
}

/**
 * Checks the requests of a package, rows 1a to 7 of arkoor.md §10.1 in their order, and builds their transactions.
 * That the inputs are known, distinct, usable and not locked is for the caller.
 *
 * @throws ArkError `ARKOOR_INPUT_POLICY`, `ARKOOR_EMPTY_PACKAGE`, `ARKOOR_WRONG_MODE`, `ARKOOR_INVALID_ATTESTATION`,
 *   `ARKOOR_OVERFLOW`, `ARKOOR_UNBALANCED`, `ARKOOR_NO_OUTPUTS`, `ARKOOR_TOO_MANY_OUTPUTS`, `ARKOOR_DUST`,
 *   `ARKOOR_INVALID_NB_USER_NONCES`, `ARKOOR_EXIT_DEPTH`, `ARKOOR_FAN_OUT`; those about one part carry its `partIndex`
 */
export function checkArkoorRequests(parts: readonly ArkoorServerPart[], rules: ArkoorRpcRules): ArkoorPart[] {
  eachPart(parts, ({ input }) => checkInputPolicy(input, rules));
  if (parts.length === 0) throw new ArkError("ARKOOR_EMPTY_PACKAGE", "expected at least one part, got none");
  eachPart(parts, ({ request }) => checkMode(request, rules));
  const built = eachPart(parts, checkPart);
  eachPart(built, (part) => checkDepth(part, rules));
  eachPart(built, (part) => checkFanOut(part, rules));
  if (rules.dustRule) eachPart(built, (part) => checkDustRule(part.outputs));
  return built;
}

/**
 * Signs all transactions of a checked part (arkoor.md §10.2). Each call makes fresh nonces, so a repeated request gets
 * another, equally good answer.
 *
 * @throws ArkError `ARKOOR_INVALID_NB_USER_NONCES`, `ARKOOR_BAD_NONCE`, `ARKOOR_INCORRECT_KEY`, `BAD_SECRET_KEY`
 */
export function cosignArkoorPart(
  part: ArkoorPart,
  userPublicNonces: readonly Uint8Array[],
  server: { readonly secretKey: Uint8Array; readonly randomBytes: RandomBytes },
): ArkoorCosignResponse {
  checkNonceCount(part, userPublicNonces);
  const signed = part.transactions.map((transaction, i) => {
    const nonce = SecretNonce.generate({
      secretKey: server.secretKey,
      message: transaction.sighash,
      random: server.randomBytes(32),
    });
    const session = arkoorSession(part, transaction, {
      user: userPublicNonces[i] ?? new Uint8Array(),
      server: nonce.publicNonce,
    });
    return { publicNonce: nonce.publicNonce, partialSignature: session.sign(nonce, server.secretKey) };
  });
  return {
    serverPublicNonces: signed.map(({ publicNonce }) => publicNonce),
    serverPartialSignatures: signed.map(({ partialSignature }) => partialSignature),
  };
}

/** Rows 3 and 4: the attestation, then the constraints of the outputs, then the number of nonces. */
function checkPart({ request, input }: ArkoorServerPart): ArkoorPart {
  const inputId = vtxoIdOf(input.point);
  if (request.inputVtxoId !== inputId) throw new RangeError(`expected the input ${request.inputVtxoId}, got ${inputId}`);
  const outputs = { normal: request.outputs, isolated: request.isolatedOutputs };
  if (!verifyAttestation(arkoorAttestation({ input, outputs }), request.attestation, input.policy.userPubkey)) {
    throw new ArkError("ARKOOR_INVALID_ATTESTATION", "expected an attestation by the input's user key, got another");
  }
  const part = buildArkoorPart(input, outputs, request.useCheckpoint ? "checkpoint" : "direct");
  checkNonceCount(part, request.userPublicNonces);
  return part;
}

function checkNonceCount(part: ArkoorPart, userPublicNonces: readonly Uint8Array[]): void {
  const expected = part.transactions.length;
  if (userPublicNonces.length !== expected) {
    throw new ArkError("ARKOOR_INVALID_NB_USER_NONCES", `expected ${expected} user nonces, got ${userPublicNonces.length}`);
  }
}

function checkInputPolicy(input: ArkoorInput, rules: ArkoorRpcRules): void {
  const { kind } = input.policy;
  if (rules.inputPolicies.includes(kind)) return;
  throw new ArkError("ARKOOR_INPUT_POLICY", `expected an input of policy ${rules.inputPolicies.join(" or ")}, got ${kind}`);
}

function checkMode(request: ArkoorCosignRequest, rules: ArkoorRpcRules): void {
  if (request.useCheckpoint === rules.useCheckpoint) return;
  throw new ArkError("ARKOOR_WRONG_MODE", `expected ${rules.useCheckpoint ? "checkpoint" : "direct"} mode, got the other`);
}

function checkDepth(part: ArkoorPart, rules: ArkoorRpcRules): void {
  const depth = exitDepth(part.input);
  if (rules.maxExitDepth === null || depth < rules.maxExitDepth) return;
  throw new ArkError("ARKOOR_EXIT_DEPTH", `expected an input of depth below ${rules.maxExitDepth}, got ${depth}`);
}

function checkFanOut(part: ArkoorPart, rules: ArkoorRpcRules): void {
  const count = part.outputs.normal.length + part.outputs.isolated.length;
  if (count <= rules.maxFanOut) return;
  throw new ArkError("ARKOOR_FAN_OUT", `expected at most ${rules.maxFanOut} outputs, got ${count}`);
}

/** Runs one check on all parts and adds the position of a part to what it throws. */
function eachPart<Part, Result>(parts: readonly Part[], check: (part: Part) => Result): Result[] {
  return parts.map((part, partIndex) => {
    try {
      return check(part);
    } catch (cause) {
      if (!(cause instanceof ArkError)) throw cause;
      throw new ArkError(cause.code, `part ${partIndex}: ${cause.message}`, { partIndex, cause });
    }
  });
}

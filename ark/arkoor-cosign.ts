/** The wallet's side of cosigning an arkoor package (arkoor.md §5, §9). */
import { type ArkoorCosignRequest, type ArkoorCosignResponse, arkoorAttestation } from "./arkoor-request.ts";
import { arkoorResults } from "./arkoor-result.ts";
import { arkoorSession, SERVER } from "./arkoor-session.ts";
import type { ArkoorPart } from "./arkoor-transactions.ts";
import { signAttestation } from "./attestation.ts";
import { equalBytes } from "./bytes.ts";
import { publicKeyOf, verifySchnorr } from "./crypto.ts";
import { ArkError, type ArkErrorCode } from "./errors.ts";
import { decodePartialSignature, decodePublicNonce, SecretNonce } from "./musig.ts";
import type { UserPolicy } from "./policy.ts";
import type { RandomBytes } from "./random-bytes.ts";
import type { Vtxo } from "./vtxo.ts";
import { vtxoIdOf } from "./vtxo-id.ts";

/** What {@link ArkoorCosignSession.start} needs. */
export interface ArkoorCosignOptions {
  readonly parts: readonly ArkoorPart[];
  /** The secret key of each part's input, in the same order. Not kept. */
  readonly secretKeys: readonly Uint8Array[];
  /** Called for 32 bytes a signature and 32 bytes an attestation. */
  readonly randomBytes: RandomBytes;
}

interface Attempt {
  readonly part: ArkoorPart;
  readonly nonces: readonly SecretNonce[];
  readonly request: ArkoorCosignRequest;
}

/**
 * One attempt to get a package cosigned: send `requests`, then give the answer to `finish`.
 *
 * The secret nonces live in here, in memory only. An attempt can be finished once, successfully or not; a retry
 * starts another one from the same parts, with new nonces (arkoor.md §9).
 */
export class ArkoorCosignSession {
  /** To be sent, in input order. */
  readonly requests: readonly ArkoorCosignRequest[];
  readonly #attempts: readonly Attempt[];
  #finished = false;

  private constructor(attempts: readonly Attempt[]) {
    this.#attempts = attempts;
    this.requests = attempts.map((attempt) => attempt.request);
  }

  /**
   * Makes nonces and attestations.
   *
   * @throws ArkError `ARKOOR_INVALID_NB_KEYPAIRS`, `ARKOOR_INCORRECT_KEY`, `BAD_SECRET_KEY`
   */
  static start(options: ArkoorCosignOptions): ArkoorCosignSession {
    const { parts, secretKeys, randomBytes } = options;
    checkCount("ARKOOR_INVALID_NB_KEYPAIRS", "secret keys", parts.length, secretKeys.length);
    const attempts = parts.map((part, partIndex) => {
      const secretKey = checkKey(part, secretKeys[partIndex], partIndex);
      const nonces = part.transactions.map(({ sighash }) =>
        SecretNonce.generate({ secretKey, message: sighash, random: randomBytes(32) }),
      );
      const attestation = signAttestation(arkoorAttestation(part), secretKey, randomBytes(32));
      return { part, nonces, request: requestOf(part, nonces, attestation) };
    });
    return new ArkoorCosignSession(attempts);
  }

  /**
   * Checks the server's answer, signs, and returns the new VTXOs: per part, normal ones before isolated ones.
   *
   * The checks and their order are those of arkoor.md §9. No error here is a refusal by the server: the package stays
   * as it is and may be tried again. Errors about one part or signature carry `partIndex` and `signatureIndex`.
   *
   * @param secretKeys As for `start`.
   * @throws ArkError `ARKOOR_NONCE_REUSED` when called again; `ARKOOR_BAD_NONCE`, `ARKOOR_BAD_PARTIAL_SIGNATURE`,
   *   `ARKOOR_INVALID_NB_PACKAGES`, `ARKOOR_INVALID_NB_KEYPAIRS`, `ARKOOR_INCORRECT_KEY`,
   *   `ARKOOR_INVALID_NB_SERVER_NONCES`, `ARKOOR_INVALID_NB_SERVER_PARTIAL_SIGS`, `ARKOOR_INVALID_PARTIAL_SIGNATURE`,
   *   `ARKOOR_INVALID_SIGNATURE`
   */
  finish(responses: readonly ArkoorCosignResponse[], secretKeys: readonly Uint8Array[]): Vtxo<UserPolicy>[] {
    if (this.#finished) throw new ArkError("ARKOOR_NONCE_REUSED", "expected an unfinished attempt, got one that was finished");
    try {
      const answers = responses.map(decodeResponse);
      checkCount("ARKOOR_INVALID_NB_PACKAGES", "answered parts", this.#attempts.length, answers.length);
      checkCount("ARKOOR_INVALID_NB_KEYPAIRS", "secret keys", this.#attempts.length, secretKeys.length);
      return this.#attempts.flatMap((attempt, partIndex) => {
        const secretKey = checkKey(attempt.part, secretKeys[partIndex], partIndex);
        const signatures = signPart(attempt, at(answers, partIndex), { secretKey, partIndex });
        return arkoorResults(attempt.part, signatures);
      });
    } finally {
      this.abandon();
    }
  }

  /** Overwrites the secret nonces: the attempt can no longer be finished. */
  abandon(): void {
    this.#finished = true;
    for (const { nonces } of this.#attempts) for (const nonce of nonces) nonce.wipe();
  }
}

/** All partial signatures of the server are verified before the first own one is made. */
function signPart(
  attempt: Attempt,
  answer: ArkoorCosignResponse,
  { secretKey, partIndex }: { readonly secretKey: Uint8Array; readonly partIndex: number },
): Uint8Array[] {
  const { part, nonces } = attempt;
  const { serverPublicNonces, serverPartialSignatures } = answer;
  const count = part.transactions.length;
  checkCount("ARKOOR_INVALID_NB_SERVER_NONCES", "server nonces", count, serverPublicNonces.length, partIndex);
  checkCount("ARKOOR_INVALID_NB_SERVER_PARTIAL_SIGS", "partial signatures", count, serverPartialSignatures.length, partIndex);

  const verified = part.transactions.map((transaction, signatureIndex) => {
    const nonce = at(nonces, signatureIndex);
    const theirs = at(serverPartialSignatures, signatureIndex);
    const publicNonces = { user: nonce.publicNonce, server: at(serverPublicNonces, signatureIndex) };
    const session = arkoorSession(part, transaction, publicNonces);
    if (!session.verifyPartial(SERVER, theirs)) {
      throw badSignature("ARKOOR_INVALID_PARTIAL_SIGNATURE", partIndex, signatureIndex);
    }
    return { transaction, nonce, theirs, session };
  });
  return verified.map(({ transaction, nonce, theirs, session }, signatureIndex) => {
    const signature = session.aggregate([session.sign(nonce, secretKey), theirs]);
    const outputKey = transaction.spentOutput.script.slice(2);
    if (!verifySchnorr(signature, transaction.sighash, outputKey)) {
      throw badSignature("ARKOOR_INVALID_SIGNATURE", partIndex, signatureIndex);
    }
    return signature;
  });
}

function requestOf(part: ArkoorPart, nonces: readonly SecretNonce[], attestation: Uint8Array): ArkoorCosignRequest {
  return {
    inputVtxoId: vtxoIdOf(part.input.point),
    outputs: part.outputs.normal,
    isolatedOutputs: part.outputs.isolated,
    userPublicNonces: nonces.map((nonce) => nonce.publicNonce),
    useCheckpoint: part.mode === "checkpoint",
    attestation,
  };
}

function decodeResponse(response: ArkoorCosignResponse): ArkoorCosignResponse {
  return {
    serverPublicNonces: response.serverPublicNonces.map(decodePublicNonce),
    serverPartialSignatures: response.serverPartialSignatures.map(decodePartialSignature),
  };
}

function checkKey(part: ArkoorPart, secretKey: Uint8Array | undefined, partIndex: number): Uint8Array {
  if (secretKey === undefined || !equalBytes(publicKeyOf(secretKey), part.input.policy.userPubkey)) {
    throw new ArkError("ARKOOR_INCORRECT_KEY", `expected the key of input ${partIndex}, got another`, { partIndex });
  }
  return secretKey;
}

function checkCount(code: ArkErrorCode, what: string, expected: number, got: number, partIndex?: number): void {
  if (got === expected) return;
  throw new ArkError(code, `expected ${expected} ${what}, got ${got}`, partIndex === undefined ? {} : { partIndex });
}

function badSignature(code: ArkErrorCode, partIndex: number, signatureIndex: number): ArkError {
  const message = `expected a valid signature ${signatureIndex} of part ${partIndex}, got another`;
  return new ArkError(code, message, { partIndex, signatureIndex });
}

/** An element of a list whose length was checked. */
function at<Element>(list: readonly Element[], index: number): Element {
  const element = list[index];
  if (element === undefined) throw new RangeError(`expected an element ${index}, got a list of ${list.length}`);
  return element;
}

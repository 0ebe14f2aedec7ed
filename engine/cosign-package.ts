import { vtxoFlags } from "../ark/accept.ts";
import type { Destination } from "../ark/arkoor-allocation.ts";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../ark/arkoor-request.ts";
import { type ArkoorPart, buildArkoorPackage } from "../ark/arkoor-transactions.ts";
import { lineageOf } from "../ark/lineage.ts";
import type { UserPolicy } from "../ark/policy.ts";
import { decodeTransaction } from "../ark/transaction.ts";
import { validateVtxo } from "../ark/validate.ts";
import { decodeVtxo, encodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { OwnVtxo, PaymentInput } from "../machines/books.ts";
import type { EffectParams } from "../machines/effects.ts";
import type { VtxoSource } from "../machines/package.ts";
import type { CallOptions } from "../streams/calls.ts";
import { StreamError } from "../streams/errors.ts";
import type { ActionCall } from "./action-driver.ts";
import { digestOf } from "./blob-reader.ts";
import type { Engine } from "./engine.ts";
import { checkInputs, isUnknown, registerVtxos } from "./server-calls.ts";
import type { Blob } from "./transition.ts";

/** Attempts in a row that end at a refused registration of inputs. */
const REGISTRATION_RETRIES = 5;
/** Answers INTERNAL of a cosign call in a row after which the inputs are asked about. */
const INTERNAL_RETRIES = 5;

/** The server refused the call of a step itself, and changed nothing in it (lightning.md §4.2). */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: string;

  constructor({ code, message }: StreamError) {
    super(message);
    this.code = code;
  }
}

/** A package to be cosigned: the same on every retry (arkoor.md §11.3). */
export interface Package {
  readonly inputs: readonly Pick<PaymentInput, "keyIndex" | "source">[];
  /** Payment first, then the change. */
  readonly destinations: readonly Destination[];
  /** Whether the server has the signatures of the inputs for sure. */
  readonly isRegistered?: boolean;
  /** The call that fits the purpose; `built` is what it is asked to sign. */
  readonly request: (
    parts: readonly ArkoorCosignRequest[],
    options: CallOptions,
    built: readonly ArkoorPart[],
  ) => Promise<readonly ArkoorCosignResponse[]>;
}

/**
 * Has a package cosigned, as arkoor.md §9 says: registers the inputs, asks, checks, signs, and validates every new VTXO
 * against its own chain anchor. Nonces live in this call alone.
 *
 * @throws Refused by the cosign call itself; whatever else is no refusal: the package may be tried again as it is
 */
export async function cosignPackage<Type extends keyof EffectParams>(
  call: ActionCall<Type>,
  { inputs, destinations, isRegistered = false, request }: Package,
): Promise<Vtxo<UserPolicy>[]> {
  const { engine, keyring, signal } = call;
  const vtxos = await Promise.all(inputs.map(async ({ source }) => decodeVtxo(await engine.blobs.vtxo(source))));
  const sources = inputs.map(({ source }) => source);
  if (!isRegistered) await registerInputs(sources, call);
  const parts = buildArkoorPackage({ inputs: vtxos, destinations });
  const attempt = keyring.startCosigning(
    parts,
    inputs.map(({ keyIndex }) => keyIndex),
  );
  try {
    const responses = await orRefused(() => request(attempt.requests, { signal }, parts));
    signal.throwIfAborted();
    const results = attempt.finish(responses);
    await validateResults(results, engine, signal);
    return results;
  } finally {
    attempt.abandon();
  }
}

/**
 * A refused registration is no refusal of the package (arkoor.md §9). But where the server does not know an input, or refuses
 * it again and again, only the cosign call itself brings the payment to an end.
 */
async function registerInputs<Type extends keyof EffectParams>(
  sources: readonly VtxoSource[],
  call: ActionCall<Type>,
): Promise<void> {
  try {
    await registerVtxos(sources, call);
  } catch (error) {
    const isLasting = isUnknown(error) || call.failures >= REGISTRATION_RETRIES;
    if (!(error instanceof StreamError && error.isRejection && isLasting)) throw error;
    const details = { instance: call.instance, code: error.code, message: error.message };
    call.engine.ports.logger("warn", "inputs could not be registered; their payment is asked for all the same", details);
  }
}

/**
 * Tells a refusal of the step's own call from everything that may pass.
 *
 * @throws Refused
 */
export async function orRefused<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof StreamError && error.isRejection) throw new Refused(error);
    throw error;
  }
}

/** Answers INTERNAL in a row, by the command's parameters: forgotten with the process, as they may be. */
const internalAnswers = new WeakMap<object, number>();

/**
 * A cosign call that takes an answer INTERNAL, given again and again while an input is spent, for a refusal. Another copy of
 * the wallet may have spent it in a package of the same amounts for somebody else: its checkpoint transaction is the same,
 * and the server answers so for ever (arkoor.md §10.2). As long as no input is spent, it may pass.
 *
 * @param isMade whether the server knows what only this package makes: then its own inputs are spent, and it may pass too
 */
export function orSpentElsewhere<Type extends keyof EffectParams>(
  call: ActionCall<Type>,
  inputs: readonly PaymentInput[],
  request: Package["request"],
  isMade: (built: readonly ArkoorPart[]) => Promise<boolean> = async () => false,
): Package["request"] {
  return async (parts, options, built) => {
    try {
      return await request(parts, options, built);
    } catch (error) {
      const isInternal = error instanceof StreamError && error.code === "SERVER_FAILED";
      const count = isInternal ? (internalAnswers.get(call.params) ?? 0) + 1 : 0;
      internalAnswers.set(call.params, count);
      if (!isInternal || count <= INTERNAL_RETRIES || (await checkInputs(inputs, call)).spent.length === 0) throw error;
      if (await isMade(built)) throw error;
      throw new Refused(error);
    }
  };
}

/** A new VTXO of the wallet, for its books, and the bytes that the log has to keep. */
export function ownVtxo(vtxo: Vtxo<UserPolicy>, keyIndex: number, { keyring }: Pick<Engine, "keyring">): Kept<OwnVtxo> {
  const { source, blob } = keptBytes(vtxo);
  const flags = vtxoFlags(vtxo, (key) => keyring.usedIndex(key, keyIndex + 1));
  const { amountSats, expiryHeight, genesis, policy } = vtxo;
  const ofHtlc = policy.kind === "pubkey" ? {} : { policyKind: policy.kind };
  const place = { expiryHeight, exitDepth: genesis.length, keyIndex, source, lineage: lineageOf(vtxo) };
  return { vtxo: { id: vtxoId(vtxo), amountSats, ...place, registered: false, flags, ...ofHtlc }, blob };
}

/** A VTXO of somebody else that the wallet has to hand over. */
export function foreignVtxo(vtxo: Vtxo<UserPolicy>): Kept<{ id: VtxoId; amountSats: bigint; source: VtxoSource }> {
  const { source, blob } = keptBytes(vtxo);
  return { vtxo: { id: vtxoId(vtxo), amountSats: vtxo.amountSats, source }, blob };
}

/** Something that a record tells, with the bytes behind it. */
interface Kept<T> {
  readonly vtxo: T;
  readonly blob: Blob & { readonly data: Uint8Array };
}

function keptBytes(vtxo: Vtxo): { source: VtxoSource; blob: Blob & { readonly data: Uint8Array } } {
  const data = encodeVtxo(vtxo);
  const digest = digestOf(data);
  return { source: { digest, entry: null }, blob: { digest, data } };
}

/**
 * Validates VTXOs, each against its own chain anchor. Those of a package share their inputs', so each is asked for once.
 *
 * @throws ArkError by the rule that one breaks; whatever else says nothing about them
 */
export async function validateResults(results: readonly Vtxo[], { chain }: Engine, signal: AbortSignal): Promise<void> {
  const anchors = [...new Set(results.map(({ chainAnchor }) => chainAnchor.txid))];
  for (const txid of anchors) {
    const answer = await chain.transaction(txid, { signal });
    if (answer.kind === "unknown") throw answer.error;
    if (answer.kind === "absent") throw new Error(`expected anchor transaction ${txid}, got none`);
    const transaction = decodeTransaction(answer.value);
    for (const vtxo of results) if (vtxo.chainAnchor.txid === txid) validateVtxo(vtxo, transaction);
  }
}

// What the folder ark/ computes of bytes alone, as the model lanes have it: their wallets are sent the same few hundred
// encodings again and again, so each is decoded and validated once a process. library-loader.ts puts this in the places of
// the modules that it takes these functions from.
import * as crypto from "../../ark/crypto.ts";
import * as transaction from "../../ark/transaction.ts";
import * as validate from "../../ark/validate.ts";
import * as vtxo from "../../ark/vtxo.ts";

export * from "../../ark/crypto.ts";
export * from "../../ark/transaction.ts";
export * from "../../ark/validate.ts";
export * from "../../ark/vtxo.ts";

let isRemembering = false;

/** From now on this process asks each of these functions once for equal arguments. For test keys: some are remembered. */
export function rememberResults(): void {
  isRemembering = true;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** A pure function of bytes. What it gives is frozen: whoever gets it a second time gets what the first one got. */
function ofBytes<Parts extends readonly Uint8Array[], T>(compute: (...parts: Parts) => T): (...parts: Parts) => T {
  const outcomes = new Map<string, Outcome<T>>();
  return (...parts) => {
    if (!isRemembering) return compute(...parts);
    const key = parts.map((part) => `${part.length}:${latin1(part)}`).join();
    const outcome = outcomes.get(key) ?? attempt(() => frozen(compute(...parts)));
    outcomes.set(key, outcome);
    return result(outcome);
  };
}

export const decodeVtxo: typeof vtxo.decodeVtxo = ofBytes(vtxo.decodeVtxo);
export const decodeTransaction: typeof transaction.decodeTransaction = ofBytes(transaction.decodeTransaction);
const publicKeys = ofBytes(crypto.publicKeyOf);
const products = ofBytes(crypto.multiplyPoint);

/** Bytes cannot be frozen. */
export const publicKeyOf: typeof crypto.publicKeyOf = (secretKey) => Uint8Array.from(publicKeys(secretKey));
export const multiplyPoint: typeof crypto.multiplyPoint = (point, secretKey) => Uint8Array.from(products(point, secretKey));

const ids = new WeakMap<transaction.Transaction, string>();

/** Of what was decoded here; others are built anew each time. */
export const transactionId: typeof transaction.transactionId = (decoded) => {
  if (!isRemembering || !Object.isFrozen(decoded)) return transaction.transactionId(decoded);
  const id = ids.get(decoded) ?? transaction.transactionId(decoded);
  ids.set(decoded, id);
  return id;
};

const validations = new WeakMap<vtxo.Vtxo, WeakMap<transaction.Transaction, Outcome<ReturnType<typeof validate.validateVtxo>>>>();

/** Of a VTXO and an anchor transaction that were both decoded here. */
export const validateVtxo: typeof validate.validateVtxo = (decoded, anchor, options) => {
  const isKnown = Object.isFrozen(decoded) && Object.isFrozen(anchor) && options === undefined;
  if (!isRemembering || !isKnown) return validate.validateVtxo(decoded, anchor, options);
  const byAnchor = validations.get(decoded) ?? new WeakMap();
  const outcome = byAnchor.get(anchor) ?? attempt(() => frozen(validate.validateVtxo(decoded, anchor)));
  validations.set(decoded, byAnchor.set(anchor, outcome));
  return result(outcome);
};

function attempt<T>(compute: () => T): Outcome<T> {
  try {
    return { value: compute() };
  } catch (error) {
    return { error };
  }
}

function result<T>(outcome: Outcome<T>): T {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}

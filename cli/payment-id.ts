import type { Payment, Wallet } from "heartwood";

/** Digits of a VTXO's id that name it. */
const LEAST_DIGITS = 8;

/**
 * The payment that a command line names: by its id, by that of its movement, or by that of a VTXO that it has, of which the
 * first 8 digits will do.
 *
 * @throws HeartwoodError `NOT_FOUND`
 */
export function namedPayment(wallet: Wallet, id: string): Payment {
  const found = wallet.vtxos().filter((vtxo) => vtxo.id === id || (id.length >= LEAST_DIGITS && vtxo.id.startsWith(id)));
  const [holder, other] = new Set(found.flatMap(({ lockedBy }) => lockedBy ?? []));
  return wallet.payment(holder === undefined || other !== undefined ? id : holder);
}

import type { GenesisItem } from "../ark/genesis.ts";
import { decodeVtxo, encodeVtxo, type Vtxo } from "../ark/vtxo.ts";
import { SimulatorError } from "./errors.ts";

/** Ways to spoil a VTXO, and what a receiver finds wrong with it. */
export const CORRUPTIONS = ["signature", "missing-signature", "amount", "point", "expiry", "truncate"] as const;

/** Name of a way to spoil a VTXO. */
export type Corruption = (typeof CORRUPTIONS)[number];

/**
 * A spoiled copy of a VTXO encoding.
 *
 * `signature`: the last one no longer verifies. `missing-signature`: the last one is absent. `amount`: one sat more than
 * the chain carries. `point`: names an output that does not follow from the chain. `expiry`: one block later, so that
 * scripts differ. `truncate`: the last byte is gone, so that it does not decode.
 *
 * @param bytes Full encoding of a user's VTXO.
 * @throws ArkError if the bytes do not decode, SimulatorError `CORRUPTION_IMPOSSIBLE` where there is no signature
 */
export function corruptVtxo(bytes: Uint8Array, how: Corruption): Uint8Array {
  const vtxo = decodeVtxo(bytes);
  switch (how) {
    case "signature":
      return encodeVtxo(withLastSignature(vtxo, flipped));
    case "missing-signature":
      return encodeVtxo(withLastSignature(vtxo, () => null));
    case "amount":
      return encodeVtxo({ ...vtxo, amountSats: vtxo.amountSats + 1n });
    case "point":
      return encodeVtxo({ ...vtxo, point: { ...vtxo.point, vout: vtxo.point.vout + 1 } });
    case "expiry":
      return encodeVtxo({ ...vtxo, expiryHeight: vtxo.expiryHeight + 1 });
    case "truncate":
      return bytes.slice(0, -1);
  }
}

function withLastSignature(vtxo: Vtxo, change: (signature: Uint8Array) => Uint8Array | null): Vtxo {
  const last = vtxo.genesis.at(-1);
  if (!last?.transition.signature) throw new SimulatorError("CORRUPTION_IMPOSSIBLE", "expected a signed VTXO, got one without");
  const item: GenesisItem = { ...last, transition: { ...last.transition, signature: change(last.transition.signature) } };
  return { ...vtxo, genesis: [...vtxo.genesis.slice(0, -1), item] };
}

/** One bit in the second half: r stays a point's coordinate, so only the equation fails. */
function flipped(signature: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(signature);
  changed[63] = (changed[63] ?? 0) ^ 1;
  return changed;
}

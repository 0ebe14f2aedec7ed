import { sumSats } from "./arkoor-allocation.ts";
import { type ArkoorPart, buildArkoorPackage } from "./arkoor-transactions.ts";
import { compareBytes } from "./bytes.ts";
import type { UserPolicy } from "./policy.ts";
import type { Vtxo } from "./vtxo.ts";
import { vtxoId } from "./vtxo.ts";
import { encodeVtxoId } from "./vtxo-id.ts";

/**
 * The package that turns granted HTLC VTXOs into money: all of them, in the order of their ids' raw bytes, to one
 * destination (lightning.md §9.5). The same VTXOs and policy give the same transactions, so a claim may be repeated.
 *
 * @param policy Who gets the money.
 * @throws ArkError `ARKOOR_NO_OUTPUTS`, `ARKOOR_OVERFLOW`
 */
export function buildClaim(htlcs: readonly Vtxo<UserPolicy>[], policy: UserPolicy): ArkoorPart[] {
  const inputs = htlcs.toSorted((a, b) => compareBytes(encodeVtxoId(vtxoId(a)), encodeVtxoId(vtxoId(b))));
  const amountSats = sumSats(inputs.map((input) => input.amountSats));
  return buildArkoorPackage({ inputs, destinations: [{ amountSats, policy }], mode: "checkpoint" });
}

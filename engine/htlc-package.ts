import type { Destination } from "../ark/arkoor-allocation.ts";
import { arkoorResults, vtxosOfPolicy } from "../ark/arkoor-result.ts";
import type { ArkoorPart } from "../ark/arkoor-transactions.ts";
import { decodeHex } from "../ark/hex.ts";
import type { HtlcSendPolicy, PubkeyPolicy } from "../ark/policy.ts";
import { vtxoId } from "../ark/vtxo.ts";
import type { HtlcPackage } from "../machines/lightning-send.ts";
import type { ActionCall } from "./action-driver.ts";
import { checkInputs } from "./server-calls.ts";

/** What a package of HTLCs pays to, in its order: the HTLCs, then the change (lightning.md §8.4). */
export function destinationsOf(params: HtlcPackage, userPubkey: Uint8Array) {
  const { paymentHash, amountSats, feeSats, htlcExpiryHeight, changePieces } = params;
  const htlcPolicy: HtlcSendPolicy = {
    kind: "server-htlc-send-v1",
    userPubkey,
    paymentHash: decodeHex(paymentHash),
    htlcExpiryHeight,
  };
  const changePolicy: PubkeyPolicy = { kind: "pubkey", userPubkey };
  const destinations: Destination[] = [
    { amountSats: amountSats + feeSats, policy: htlcPolicy },
    ...changePieces.map((piece) => ({ amountSats: piece, policy: changePolicy })),
  ];
  return { htlcPolicy, changePolicy, destinations };
}

/**
 * Whether the server knows an HTLC of the package. A change VTXO would not tell: a package of another copy of the wallet, of
 * the same amounts, makes the same one.
 */
export async function areHtlcsMade(call: ActionCall<"recoverHtlcs">, built: readonly ArkoorPart[]): Promise<boolean> {
  const { keyIndex } = call.params;
  const { htlcPolicy } = destinationsOf(call.params, call.keyring.publicKey(keyIndex));
  const [htlc] = vtxosOfPolicy(
    built.flatMap((part) => arkoorResults(part)),
    htlcPolicy,
  );
  if (htlc === undefined) return false;
  return (await checkInputs([{ id: vtxoId(htlc), keyIndex }], call)).unknown.length === 0;
}

import type { Destination } from "../ark/arkoor-allocation.ts";
import { arkoorResults, vtxosOfPolicy } from "../ark/arkoor-result.ts";
import { type ArkoorPart, buildArkoorPackage } from "../ark/arkoor-transactions.ts";
import { ArkError } from "../ark/errors.ts";
import { decodeHex } from "../ark/hex.ts";
import type { HtlcSendPolicy, PubkeyPolicy, UserPolicy } from "../ark/policy.ts";
import { decodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { HtlcPackage } from "../machines/lightning-send.ts";
import { StreamError } from "../streams/errors.ts";
import type { ActionCall } from "./action-driver.ts";
import { validateResults } from "./cosign-package.ts";
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
  const htlc = htlcOf(call, built);
  if (htlc === undefined) return false;
  return (await checkInputs([{ id: vtxoId(htlc), keyIndex: call.params.keyIndex }], call)).unknown.length === 0;
}

/**
 * Whether the server has an HTLC of the package with all its signatures, some of which only this seed can have made: then the
 * package was completed before, by an old copy of this wallet or in records that were lost.
 *
 * @throws where server or chain source give no answer
 */
export async function areHtlcsSigned(call: ActionCall<"recoverHtlcs">): Promise<boolean> {
  const { engine, keyring, params, session, signal } = call;
  const vtxos = await Promise.all(params.inputs.map(async ({ source }) => decodeVtxo(await engine.blobs.vtxo(source))));
  const { destinations } = destinationsOf(params, keyring.publicKey(params.keyIndex));
  const htlc = htlcOf(call, buildArkoorPackage({ inputs: vtxos, destinations }));
  if (htlc === undefined) return false;
  try {
    const shown = decodeVtxo(await session.getVtxo(vtxoId(htlc), { signal }));
    await validateResults([shown], engine, signal);
    return vtxoId(shown) === vtxoId(htlc);
  } catch (error) {
    // Not shown, not signed, or no VTXO at all.
    if ((error instanceof StreamError && error.isRejection) || error instanceof ArkError) return false;
    throw error;
  }
}

function htlcOf({ keyring, params }: ActionCall<"recoverHtlcs">, built: readonly ArkoorPart[]): Vtxo<UserPolicy> | undefined {
  const { htlcPolicy } = destinationsOf(params, keyring.publicKey(params.keyIndex));
  const results = built.flatMap((part) => arkoorResults(part));
  return vtxosOfPolicy(results, htlcPolicy)[0];
}

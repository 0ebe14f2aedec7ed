import { ArkoorCosignSession } from "../../ark/arkoor-cosign.ts";
import { buildArkoorPart } from "../../ark/arkoor-transactions.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { decodeVtxo, encodeVtxo, vtxoId } from "../../ark/vtxo.ts";
import { encodeVtxoId, type VtxoId } from "../../ark/vtxo-id.ts";
import { Heartwood, type OpenOptions, type Wallet } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { readCosignResponse, writeCosignRequest } from "../../simulator/arkoor-wire.ts";
import type { Simulator } from "../../simulator/index.ts";
import { connect } from "../simulator/support.ts";
import { addressOf, fastOptions, freshDirectory, MNEMONIC, simulate } from "./helpers.ts";

/** Keys of the seed that is restored. */
export const keys = WalletKeys.fromMnemonic(MNEMONIC);

/** A simulator, and how a wallet of the seed lives on it; its directories are new each time. */
export async function world(): Promise<{ simulator: Simulator; options: () => Promise<OpenOptions> }> {
  const simulator = await simulate();
  return { simulator, options: async () => fastOptions(simulator, await freshDirectory()) };
}

/** As an owner restores, but without the search for keys very far ahead, which takes long. */
export const restored = (options: OpenOptions): Promise<Wallet> => Heartwood.restore({ restoreLookAhead: 1_000, ...options });

/** Ids of a wallet's VTXOs. */
export const idsOf = (wallet: Wallet) =>
  wallet
    .vtxos()
    .map(({ id }) => id)
    .sort();

/** Writes ids into the seed's recovery mailbox, as anybody can. */
export async function backUp(simulator: Simulator, ...ids: VtxoId[]): Promise<void> {
  using client = connect(simulator);
  const authorization = undefined;
  const vtxoIds = ids.map(encodeVtxoId);
  await client.mailbox.postRecoveryVtxoIds({ mailboxId: keys.recoveryMailboxId, vtxoIds, authorization });
}

/** A VTXO of the seed that never was in its mailbox: of a board, a round, or change. */
export async function elsewhere(simulator: Simulator, amountSats: bigint, request: object = {}, keyIndex = 0): Promise<VtxoId> {
  const address = addressOf(simulator, MNEMONIC, keyIndex);
  const [vtxo] = await simulator.createPackage(address, { amountsSats: [amountSats], ...request });
  return vtxo?.id ?? "";
}

/** Spends a VTXO of the seed's first key to its second: the new one descends from it. */
export async function sendToSelf(simulator: Simulator, id: VtxoId): Promise<VtxoId> {
  using client = connect(simulator);
  const vtxo = decodeVtxo(simulator.vtxo(id)?.bytes ?? new Uint8Array());
  const policy = { kind: "pubkey", userPubkey: keys.vtxoPublicKey(1) } as const;
  const part = buildArkoorPart(vtxo, { normal: [{ amountSats: vtxo.amountSats, policy }], isolated: [] }, "checkpoint");
  const secretKeys = [keys.vtxoSecretKey(0)];
  const { randomness } = defaultPorts;
  const session = ArkoorCosignSession.start({ parts: [part], secretKeys, randomBytes: (length) => randomness.bytes(length) });
  const answer = await client.ark.requestArkoorCosign({ parts: session.requests.map(writeCosignRequest) });
  const [created] = session.finish(answer.parts.map(readCosignResponse), secretKeys);
  if (created === undefined) throw new Error("expected a new VTXO, got none");
  await client.ark.registerVtxoTransactions({ vtxos: [encodeVtxo(created)] });
  return vtxoId(created);
}

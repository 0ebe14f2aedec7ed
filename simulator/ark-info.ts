import { ArkInfo, type FeeSchedule } from "../proto/generated/bark_server.ts";
import type { SimulatorNetwork } from "./network.ts";
import type { ServerKeys } from "./server-keys.ts";

/** The terms of the server that a test may want to set. Blocks unless another unit is named. */
export interface ServerTerms {
  readonly vtxoExitDelta: number;
  readonly vtxoLifetime: number;
  readonly maxVtxoExitDepth: number;
  /** Most outputs of one arkoor part; not announced. */
  readonly maxArkoorFanout: number;
  readonly requiredBoardConfirmations: number;
}

/** What a server has unless told otherwise. */
export const DEFAULT_TERMS: ServerTerms = {
  vtxoExitDelta: 144,
  vtxoLifetime: 4_320,
  maxVtxoExitDepth: 100,
  maxArkoorFanout: 4,
  requiredBoardConfirmations: 1,
};

const FEES: FeeSchedule = {
  board: { minFeeSat: 0n, baseFeeSat: 0n, ppm: 0n },
  offboard: { baseFeeSat: 0n, fixedAdditionalVb: 0n, ppmExpiryTable: [{ expiryBlocksThreshold: 0, ppm: 0n }] },
  refresh: {
    baseFeeSat: 0n,
    ppmExpiryTable: [
      { expiryBlocksThreshold: 0, ppm: 0n },
      { expiryBlocksThreshold: 2_016, ppm: 1_000n },
    ],
  },
  lightningReceive: { baseFeeSat: 0n, ppm: 0n },
  lightningSend: { minFeeSat: 10n, baseFeeSat: 0n, ppmExpiryTable: [{ expiryBlocksThreshold: 0, ppm: 5_000n }] },
};

/** The answer to `GetArkInfo`: every member of mailbox.md §1.3 that a current server sends. */
export function arkInfo(network: SimulatorNetwork, keys: ServerKeys, terms: ServerTerms): ArkInfo {
  return ArkInfo.fromPartial({
    network,
    serverPubkey: keys.serverPubkey,
    mailboxPubkey: keys.mailboxPubkey,
    roundIntervalSecs: 300,
    nbRoundNonces: 10,
    vtxoExitDelta: terms.vtxoExitDelta,
    vtxoExpiryDelta: terms.vtxoLifetime,
    vtxoLifetime: terms.vtxoLifetime,
    htlcSendExpiryDelta: 258,
    htlcExpiryDelta: 40,
    requiredBoardConfirmations: terms.requiredBoardConfirmations,
    maxUserInvoiceCltvDelta: 250,
    minBoardAmount: 330n,
    offboardFeerateSatVkb: 1_000n,
    lnReceiveAntiDosRequired: false,
    maxVtxoExitDepth: terms.maxVtxoExitDepth,
    maxOffboardInputs: 10,
    fees: FEES,
  });
}

import type { FeeSchedule, PpmExpiryFee } from "../ark/fees.ts";
import { ArkInfo, type PpmExpiryFeeEntry, type FeeSchedule as WireFeeSchedule } from "../proto/generated/bark_server.ts";
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
  /** Life of an HTLC for a payment out. */
  readonly htlcSendExpiryDelta: number;
  /** Δ of lightning.md §2. */
  readonly htlcExpiryDelta: number;
  /** Longest CLTV delta that a receive may ask for. */
  readonly maxUserInvoiceCltvDelta: number;
  /** Largest receive; `null` for none. */
  readonly maxVtxoAmountSats: bigint | null;
  /** Whether a receive is granted only with a proof or token. */
  readonly lnReceiveAntiDosRequired: boolean;
  readonly fees: FeeSchedule;
  /** Builds after release 0.6.0, or that release itself (mailbox.md §3.12, lightning.md §13.3). */
  readonly release: ServerRelease;
}

/** Which builds of the server are simulated. */
export type ServerRelease = "later" | "0.6.0";

/** The table of payments out, offboards and refreshes (lightning.md §5.2). */
const FEE_TABLE: readonly PpmExpiryFee[] = [
  { expiryBlocksThreshold: 0, ppm: 0n },
  { expiryBlocksThreshold: 97, ppm: 1_000n },
  { expiryBlocksThreshold: 199, ppm: 4_000n },
  { expiryBlocksThreshold: 2_161, ppm: 8_000n },
];

const DEFAULT_FEES: FeeSchedule = {
  board: { minFeeSats: 330n, baseFeeSats: 100n, ppm: 1_000n },
  offboard: { baseFeeSats: 200n, fixedAdditionalVbytes: 212n, ppmExpiryTable: FEE_TABLE },
  refresh: { baseFeeSats: 150n, ppmExpiryTable: FEE_TABLE },
  lightningReceive: { baseFeeSats: 100n, ppm: 2_000n },
  lightningSend: { minFeeSats: 10n, baseFeeSats: 75n, ppmExpiryTable: FEE_TABLE },
};

/** What a server has unless told otherwise. */
export const DEFAULT_TERMS: ServerTerms = {
  vtxoExitDelta: 144,
  vtxoLifetime: 4_320,
  maxVtxoExitDepth: 100,
  maxArkoorFanout: 4,
  requiredBoardConfirmations: 1,
  htlcSendExpiryDelta: 258,
  htlcExpiryDelta: 40,
  maxUserInvoiceCltvDelta: 250,
  maxVtxoAmountSats: null,
  lnReceiveAntiDosRequired: false,
  fees: DEFAULT_FEES,
  release: "later",
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
    ...(terms.release === "0.6.0" ? {} : { vtxoLifetime: terms.vtxoLifetime }),
    htlcSendExpiryDelta: terms.htlcSendExpiryDelta,
    htlcExpiryDelta: terms.htlcExpiryDelta,
    ...(terms.maxVtxoAmountSats === null ? {} : { maxVtxoAmount: terms.maxVtxoAmountSats }),
    requiredBoardConfirmations: terms.requiredBoardConfirmations,
    maxUserInvoiceCltvDelta: terms.maxUserInvoiceCltvDelta,
    minBoardAmount: 330n,
    offboardFeerateSatVkb: 1_000n,
    lnReceiveAntiDosRequired: terms.lnReceiveAntiDosRequired,
    maxVtxoExitDepth: terms.maxVtxoExitDepth,
    maxOffboardInputs: 10,
    fees: wireFees(terms.fees),
  });
}

/** A fee schedule as it goes over the wire. */
export function wireFees(fees: FeeSchedule): WireFeeSchedule {
  const { board, offboard, refresh, lightningReceive, lightningSend } = fees;
  return {
    board: { minFeeSat: board.minFeeSats, baseFeeSat: board.baseFeeSats, ppm: board.ppm },
    offboard: {
      baseFeeSat: offboard.baseFeeSats,
      fixedAdditionalVb: offboard.fixedAdditionalVbytes,
      ppmExpiryTable: wireTable(offboard.ppmExpiryTable),
    },
    refresh: { baseFeeSat: refresh.baseFeeSats, ppmExpiryTable: wireTable(refresh.ppmExpiryTable) },
    lightningReceive: { baseFeeSat: lightningReceive.baseFeeSats, ppm: lightningReceive.ppm },
    lightningSend: {
      minFeeSat: lightningSend.minFeeSats,
      baseFeeSat: lightningSend.baseFeeSats,
      ppmExpiryTable: wireTable(lightningSend.ppmExpiryTable),
    },
  };
}

function wireTable(table: readonly PpmExpiryFee[]): PpmExpiryFeeEntry[] {
  return table.map(({ expiryBlocksThreshold, ppm }) => ({ expiryBlocksThreshold, ppm }));
}

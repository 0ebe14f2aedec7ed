import type { FeeSchedule, PpmExpiryFee } from "../ark/fees.ts";
import type { ArkInfo, PpmExpiryFeeEntry, FeeSchedule as WireFeeSchedule } from "../proto/generated/bark_server.ts";
import { StreamError } from "./errors.ts";

/** Most entries of one table; a bound on what a server can make us keep. */
const MAX_TABLE_ENTRIES = 1_000;

/**
 * Converts the fee schedule: it and its five parts must be there, and its tables must be non-decreasing.
 *
 * @throws StreamError `SERVER_BAD_INFO`
 */
export function convertFees(info: Pick<ArkInfo, "fees">): FeeSchedule {
  const fees = present("fees", info.fees);
  return { ...flatFees(fees), ...tableFees(fees) };
}

function flatFees(fees: WireFeeSchedule): Pick<FeeSchedule, "board" | "lightningReceive"> {
  const board = present("fees.board", fees.board);
  const receive = present("fees.lightning_receive", fees.lightningReceive);
  return {
    board: { minFeeSats: board.minFeeSat, baseFeeSats: board.baseFeeSat, ppm: board.ppm },
    lightningReceive: { baseFeeSats: receive.baseFeeSat, ppm: receive.ppm },
  };
}

function tableFees(fees: WireFeeSchedule): Pick<FeeSchedule, "offboard" | "refresh" | "lightningSend"> {
  const offboard = present("fees.offboard", fees.offboard);
  const refresh = present("fees.refresh", fees.refresh);
  const send = present("fees.lightning_send", fees.lightningSend);
  return {
    offboard: {
      baseFeeSats: offboard.baseFeeSat,
      fixedAdditionalVbytes: offboard.fixedAdditionalVb,
      ppmExpiryTable: convertTable("fees.offboard", offboard.ppmExpiryTable),
    },
    refresh: { baseFeeSats: refresh.baseFeeSat, ppmExpiryTable: convertTable("fees.refresh", refresh.ppmExpiryTable) },
    lightningSend: {
      minFeeSats: send.minFeeSat,
      baseFeeSats: send.baseFeeSat,
      ppmExpiryTable: convertTable("fees.lightning_send", send.ppmExpiryTable),
    },
  };
}

function convertTable(name: string, table: readonly PpmExpiryFeeEntry[]): PpmExpiryFee[] {
  if (table.length > MAX_TABLE_ENTRIES) {
    throw new StreamError("SERVER_BAD_INFO", `expected at most ${MAX_TABLE_ENTRIES} entries in ${name}, got ${table.length}`);
  }
  let before: PpmExpiryFee | undefined;
  return table.map(({ expiryBlocksThreshold, ppm }, i) => {
    if (before !== undefined && (expiryBlocksThreshold < before.expiryBlocksThreshold || ppm < before.ppm)) {
      throw new StreamError("SERVER_BAD_INFO", `expected a non-decreasing table in ${name}, got a smaller entry at ${i}`);
    }
    before = { expiryBlocksThreshold, ppm };
    return before;
  });
}

function present<T>(name: string, value: T | undefined): T {
  if (value === undefined) throw new StreamError("SERVER_BAD_INFO", `expected ${name} in the server's information, got none`);
  return value;
}

import { ByteReader } from "./bytes.ts";
import { ArkError } from "./errors.ts";
import { decodeOutpoint, encodeOutpoint, type Outpoint } from "./outpoint.ts";

/** Names a VTXO by its own outpoint: `txid:vout`, lower-case hex in display order (vtxo.md §2). */
export type VtxoId = string;

const TEXT = /^([0-9a-fA-F]{64}):(0|[1-9][0-9]{0,9})$/;
const MAX_VOUT = 0xffff_ffff;

/** The id of the VTXO at an outpoint. */
export function vtxoIdOf(point: Outpoint): VtxoId {
  return `${point.txid}:${point.vout}`;
}

/** The outpoint that an id names; @throws ArkError `BAD_VTXO_ID` */
export function outpointOf(text: string): Outpoint {
  const [, txid, digits] = TEXT.exec(text) ?? [];
  if (txid === undefined || digits === undefined || Number(digits) > MAX_VOUT) {
    throw new ArkError("BAD_VTXO_ID", `expected 64 hex digits, ":" and a plain decimal index, got ${text.length} characters`);
  }
  return { txid: txid.toLowerCase(), vout: Number(digits) };
}

/**
 * Reads the text form of either case; the result is lower case (vtxo.md §2).
 *
 * @throws ArkError `BAD_VTXO_ID` on a sign, blanks, leading zeros or anything else
 */
export function parseVtxoId(text: string): VtxoId {
  return vtxoIdOf(outpointOf(text));
}

/** 36 bytes: the txid in wire order and the index, u32; @throws ArkError `BAD_VTXO_ID` */
export function encodeVtxoId(id: VtxoId): Uint8Array {
  return encodeOutpoint(outpointOf(id));
}

/** The counterpart of {@link encodeVtxoId}; @throws ArkError `BAD_VTXO_ID` unless there are exactly 36 bytes */
export function decodeVtxoId(bytes: Uint8Array): VtxoId {
  if (bytes.length !== 36) throw new ArkError("BAD_VTXO_ID", `expected 36 bytes, got ${bytes.length}`);
  return vtxoIdOf(decodeOutpoint(new ByteReader(bytes)));
}

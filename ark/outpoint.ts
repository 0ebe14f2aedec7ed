import type { ByteReader } from "./bytes.ts";
import { ByteWriter } from "./bytes.ts";
import { decodeHex, encodeHex } from "./hex.ts";
import { checkLength } from "./limits.ts";

/** An output of a Bitcoin transaction. */
export interface Outpoint {
  /** 64 lower-case hex digits in display order, the reverse of the wire order. */
  readonly txid: string;
  /** Index of the output, a u32. */
  readonly vout: number;
}

/** The display text of a transaction id of 32 bytes in wire order. */
export function displayTxid(wire: Uint8Array): string {
  return encodeHex(checkLength(wire, 32).toReversed());
}

/**
 * The 32 bytes in wire order of a transaction id in display order.
 *
 * @throws ArkError `BAD_HEX`, `OUT_OF_RANGE`
 */
function wireTxid(txid: string): Uint8Array {
  return checkLength(decodeHex(txid), 32).reverse();
}

/** Reads 36 bytes: the txid in wire order and the index, u32 (vtxo.md §1.1); @throws ArkError `SHORT_INPUT` */
export function decodeOutpoint(reader: ByteReader): Outpoint {
  return { txid: displayTxid(reader.bytes(32)), vout: reader.u32() };
}

/** The counterpart of {@link decodeOutpoint}: 36 bytes; @throws ArkError `BAD_HEX`, `OUT_OF_RANGE` */
export function encodeOutpoint(outpoint: Outpoint): Uint8Array {
  return new ByteWriter().bytes(wireTxid(outpoint.txid)).u32(outpoint.vout).finish();
}

/** Whether two outpoints name the same output. */
export function equalOutpoints(a: Outpoint, b: Outpoint): boolean {
  return a.vout === b.vout && a.txid === b.txid;
}

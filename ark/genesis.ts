import { ByteReader, ByteWriter } from "./bytes.ts";
import { ArkError } from "./errors.ts";
import { checkListLength, decodeListLength } from "./limits.ts";
import { decodeTransition, encodeTransition, type Transition } from "./transition.ts";
import { checkScriptLength, decodeTxOutput, encodeTxOutput, type TxOutput } from "./tx-output.ts";

/** Most genesis items of a VTXO (vtxo.md §1.4). */
export const MAX_GENESIS_ITEMS = 19_230;

/** Most siblings of the output that continues towards a VTXO: the count of both fits one byte (vtxo.md §3.2). */
const MAX_SIBLINGS = 254;

/** What is needed to build one exit transaction between the chain anchor and a VTXO (vtxo.md §3.2). */
export interface GenesisItem {
  readonly transition: Transition;
  /** Position of the output that continues towards the VTXO, among all outputs but the fee anchor. */
  readonly outputIndex: number;
  /** The other outputs but the fee anchor, in order. */
  readonly siblings: readonly TxOutput[];
  /** Amount of the fee anchor; 0 where encoding version 1 was read. */
  readonly feeSats: bigint;
}

/** Version 1 has no fees; version 2 is the one that is written (vtxo.md §3.1). */
export type EncodingVersion = 1 | 2;

/**
 * Reads the genesis section: the item count and the items, from the chain anchor towards the VTXO (vtxo.md §3.2).
 *
 * @throws ArkError `OVERSIZED_LIST`, `ZERO_OUTPUTS`, `OUTPUT_INDEX_RANGE`, `OVERSIZED_SCRIPT`, `NON_MINIMAL_SIZE`,
 * `SHORT_INPUT` and the codes of {@link decodeTransition}
 */
export function decodeGenesis(reader: ByteReader, version: EncodingVersion): GenesisItem[] {
  const count = decodeListLength(reader, MAX_GENESIS_ITEMS);
  const items: GenesisItem[] = [];
  for (let i = 0; i < count; i++) items.push(decodeItem(reader, version));
  return items;
}

function decodeItem(reader: ByteReader, version: EncodingVersion): GenesisItem {
  const transition = decodeTransition(reader);
  const outputCount = reader.u8();
  if (outputCount === 0) throw new ArkError("ZERO_OUTPUTS", "expected at least one output, got none");
  const outputIndex = checkOutputIndex(reader.u8(), outputCount);
  const siblings: TxOutput[] = [];
  for (let i = 1; i < outputCount; i++) siblings.push(decodeTxOutput(reader));
  return { transition, outputIndex, siblings, feeSats: version === 1 ? 0n : reader.u64() };
}

/**
 * The counterpart of {@link decodeGenesis}, in version 2.
 *
 * @throws ArkError `OVERSIZED_LIST`, `TOO_MANY_OUTPUTS`, `OUTPUT_INDEX_RANGE`, `OVERSIZED_SCRIPT`, `OUT_OF_RANGE` and
 * the codes of {@link encodeTransition}
 */
export function encodeGenesis(items: readonly GenesisItem[]): Uint8Array {
  const writer = new ByteWriter().compactSize(checkListLength(items.length, MAX_GENESIS_ITEMS));
  for (const item of items) {
    if (item.siblings.length > MAX_SIBLINGS) {
      throw new ArkError("TOO_MANY_OUTPUTS", `expected at most ${MAX_SIBLINGS} siblings, got ${item.siblings.length}`);
    }
    const outputCount = item.siblings.length + 1;
    writer.bytes(encodeTransition(item.transition)).u8(outputCount).u8(checkOutputIndex(item.outputIndex, outputCount));
    for (const sibling of item.siblings) {
      checkScriptLength(sibling.script.length);
      writer.bytes(encodeTxOutput(sibling));
    }
    writer.u64(item.feeSats);
  }
  return writer.finish();
}

/**
 * Reads a genesis section that is stored apart from the bare form (vtxo.md §3.3); `version` is the one found in the
 * bare bytes. Left-over bytes are refused.
 *
 * @throws ArkError `TRAILING_BYTES` and the codes of {@link decodeGenesis}
 */
export function decodeGenesisBlob(bytes: Uint8Array, version: EncodingVersion): GenesisItem[] {
  const reader = new ByteReader(bytes);
  const items = decodeGenesis(reader, version);
  reader.end();
  return items;
}

function checkOutputIndex(outputIndex: number, outputCount: number): number {
  if (outputIndex >= outputCount) {
    throw new ArkError("OUTPUT_INDEX_RANGE", `expected an output index below ${outputCount}, got ${outputIndex}`);
  }
  return outputIndex;
}

import { ByteWriter, concatBytes } from "./bytes.ts";
import { sha256, taggedHash } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { encodeOutpoint } from "./outpoint.ts";
import type { Transaction } from "./transaction.ts";
import { encodeTxOutput, type TxOutput } from "./tx-output.ts";

/** Which input is signed, and how it is spent. */
export interface SighashOptions {
  /** The outputs that the inputs spend, in the order of the inputs. */
  readonly spentOutputs: readonly TxOutput[];
  /** 0 unless given. */
  readonly inputIndex?: number;
  /** The hash of the revealed leaf for a script path; a key path without it. */
  readonly leafHash?: Uint8Array | undefined;
}

/**
 * The 32-byte message of a taproot signature of type DEFAULT (vtxo.md §5.4, BIP-341).
 *
 * @throws ArkError `OUT_OF_RANGE` unless every input has its spent output
 */
export function taprootSighash(transaction: Transaction, options: SighashOptions): Uint8Array {
  const { spentOutputs, inputIndex = 0, leafHash } = options;
  const { inputs, outputs, version, lockTime } = transaction;
  if (spentOutputs.length !== inputs.length || inputIndex >= inputs.length) {
    throw new ArkError("OUT_OF_RANGE", `expected a spent output for each of ${inputs.length} inputs, got ${spentOutputs.length}`);
  }
  const message = new ByteWriter()
    .u8(0) // epoch
    .u8(0) // sighash type DEFAULT
    .u32(version)
    .u32(lockTime)
    .bytes(sha256(...inputs.map((input) => encodeOutpoint(input.outpoint))))
    .bytes(sha256(...spentOutputs.map((output) => new ByteWriter().u64(output.amountSats).finish())))
    .bytes(sha256(...spentOutputs.map(({ script }) => new ByteWriter().compactSize(script.length).bytes(script).finish())))
    .bytes(sha256(...inputs.map((input) => new ByteWriter().u32(input.sequence).finish())))
    .bytes(sha256(...outputs.map(encodeTxOutput)))
    .u8(leafHash === undefined ? 0 : 2)
    .u32(inputIndex)
    .finish();
  return taggedHash("TapSighash", leafHash === undefined ? message : concatBytes(message, leafHash, NO_CODE_SEPARATOR));
}

/** Key version 0 and the position of the last OP_CODESEPARATOR, of which there is none (BIP-342). */
const NO_CODE_SEPARATOR = Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff);

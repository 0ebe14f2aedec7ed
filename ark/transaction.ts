import { ByteReader, ByteWriter } from "./bytes.ts";
import { doubleSha256 } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { decodeOutpoint, displayTxid, encodeOutpoint, type Outpoint } from "./outpoint.ts";
import { encodeTxOutput, type TxOutput } from "./tx-output.ts";

/** An input of a Bitcoin transaction. */
export interface TxInput {
  readonly outpoint: Outpoint;
  /** scriptSig; empty for everything this protocol spends. */
  readonly script: Uint8Array;
  /** u32. */
  readonly sequence: number;
  /** Bottom to top; empty if there is none. */
  readonly witness: readonly Uint8Array[];
}

/** A Bitcoin transaction. */
export interface Transaction {
  /** u32. */
  readonly version: number;
  readonly inputs: readonly TxInput[];
  readonly outputs: readonly TxOutput[];
  /** u32. */
  readonly lockTime: number;
}

/** Segregated witness: the marker stands where the input count would, and no transaction has zero inputs (BIP-144). */
const MARKER = 0;
const FLAG = 1;

/** The id of a transaction in display order: its witness does not count (vtxo.md §6.2). */
export function transactionId(transaction: Transaction): string {
  return displayTxid(doubleSha256(encodeTransaction(transaction, { witness: false })));
}

/**
 * The standard serialisation; marker, flag and witnesses only if there is one and `witness` is not `false` (BIP-144).
 *
 * @throws ArkError `OUT_OF_RANGE`, `BAD_HEX`
 */
export function encodeTransaction(transaction: Transaction, { witness = true }: { witness?: boolean } = {}): Uint8Array {
  const { version, inputs, outputs, lockTime } = transaction;
  const withWitness = witness && inputs.some((input) => input.witness.length > 0);
  const writer = new ByteWriter().u32(version);
  if (withWitness) writer.u8(MARKER).u8(FLAG);
  writer.compactSize(inputs.length);
  for (const input of inputs) {
    writer.bytes(encodeOutpoint(input.outpoint)).compactSize(input.script.length).bytes(input.script).u32(input.sequence);
  }
  writer.compactSize(outputs.length);
  for (const output of outputs) writer.bytes(encodeTxOutput(output));
  if (withWitness) for (const input of inputs) writeWitness(writer, input.witness);
  return writer.u32(lockTime).finish();
}

function writeWitness(writer: ByteWriter, witness: readonly Uint8Array[]): void {
  writer.compactSize(witness.length);
  for (const element of witness) writer.compactSize(element.length).bytes(element);
}

/**
 * Reads any transaction that can stand in a block, and nothing else: no left-over bytes, no non-minimal sizes, at least
 * one input and one output, no marker without a witness.
 *
 * @throws ArkError `BAD_TRANSACTION`
 */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const reader = new ByteReader(bytes);
  try {
    const transaction = readTransaction(reader);
    reader.end();
    return transaction;
  } catch (cause) {
    if (!(cause instanceof ArkError) || cause.code === "BAD_TRANSACTION") throw cause;
    throw new ArkError("BAD_TRANSACTION", `expected a transaction, got ${bytes.length} other bytes: ${cause.message}`, { cause });
  }
}

function readTransaction(reader: ByteReader): Transaction {
  const version = reader.u32();
  let inputCount = reader.compactSize();
  const withWitness = inputCount === BigInt(MARKER);
  if (withWitness) {
    const flag = reader.u8();
    if (flag !== FLAG) throw new ArkError("BAD_TRANSACTION", `expected an input or the segwit flag 1, got flag ${flag}`);
    inputCount = reader.compactSize();
  }
  const stripped = readMany(inputCount, () => readInput(reader));
  const outputs = readMany(reader.compactSize(), () => ({ amountSats: reader.u64(), script: readSized(reader) }));
  if (stripped.length === 0 || outputs.length === 0) {
    throw new ArkError("BAD_TRANSACTION", `expected inputs and outputs, got ${stripped.length} and ${outputs.length}`);
  }
  const inputs = withWitness
    ? stripped.map((input) => ({ ...input, witness: readMany(reader.compactSize(), () => readSized(reader)) }))
    : stripped;
  if (withWitness && inputs.every((input) => input.witness.length === 0)) {
    throw new ArkError("BAD_TRANSACTION", "expected a witness after the segwit marker, got none");
  }
  return { version, inputs, outputs, lockTime: reader.u32() };
}

function readInput(reader: ByteReader): TxInput {
  return { outpoint: decodeOutpoint(reader), script: readSized(reader), sequence: reader.u32(), witness: [] };
}

/** Nothing is allocated by the count: a count beyond the input ends in `SHORT_INPUT`, each element being at least a byte. */
function readMany<Element>(count: bigint, read: () => Element): Element[] {
  const elements: Element[] = [];
  for (let i = 0n; i < count; i++) elements.push(read());
  return elements;
}

function readSized(reader: ByteReader): Uint8Array {
  return reader.bytes(Number(reader.compactSize()));
}

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** One field of a protobuf message as it stands on the wire. */
export interface WireField {
  readonly number: number;
  /** Value of a varint field. */
  readonly varint?: bigint;
  /** Value of a length-delimited field: a view, not a copy. */
  readonly bytes?: Uint8Array;
}

/** What a buffer may hold beside the bytes that fill it, such as the header of a gRPC message. */
const SHARED_BYTES = 64;
/** From here on a copy costs more than it is worth. */
const MANY_BYTES = 64 * 1024;

/** Most fields that one message or one page may have: a bound on the work that a server can cause. */
const MAX_WIRE_FIELDS = 100_000;

/**
 * Walks the fields of a protobuf message in order, unknown ones included.
 *
 * The generated decoders drop what they do not know; whoever has to keep or name it reads it here.
 *
 * @throws Error on bytes that are no protobuf message, or have more than {@link MAX_WIRE_FIELDS} fields
 */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  const reader = new BinaryReader(bytes);
  for (let count = 0; reader.pos < reader.len; count++) {
    if (count >= MAX_WIRE_FIELDS) throw new RangeError(`expected at most ${MAX_WIRE_FIELDS} fields, got more`);
    const [number, wireType] = reader.tag();
    if (wireType === WireType.Varint) yield { number, varint: BigInt(reader.uint64()) };
    else if (wireType === WireType.LengthDelimited) yield { number, bytes: reader.bytes() };
    else {
      reader.skip(wireType, number);
      yield { number };
    }
  }
}

/** All values of a length-delimited field, in order: views, since they may be 64 MiB together. */
export function repeatedBytes(bytes: Uint8Array, number: number): Uint8Array[] {
  const values: Uint8Array[] = [];
  for (const field of wireFields(bytes)) {
    if (field.number === number && field.bytes !== undefined) values.push(field.bytes);
  }
  return values;
}

/** Bytes that share their buffer with nobody: many that fill theirs as they are, others copied. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = bytes;
  const isAlone = byteLength >= MANY_BYTES && buffer.byteLength - byteLength <= SHARED_BYTES;
  return isAlone ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(bytes);
}

/** The last value of a length-delimited field, as a copy, or undefined if the field is absent. */
export function lastBytes(bytes: Uint8Array, number: number): Uint8Array | undefined {
  let last: Uint8Array | undefined;
  for (const field of wireFields(bytes)) {
    if (field.number === number && field.bytes !== undefined) last = field.bytes;
  }
  return last === undefined ? undefined : new Uint8Array(last);
}

/** The last value of a varint field; 0 if the field is absent, as proto3 wants it. */
export function lastVarint(bytes: Uint8Array, number: number): bigint {
  let last = 0n;
  for (const field of wireFields(bytes)) {
    if (field.number === number && field.varint !== undefined) last = field.varint;
  }
  return last;
}

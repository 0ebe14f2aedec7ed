/**
 * Bytes from their compressed form in the raw format of Snappy; undefined if they are no such form.
 *
 * A preamble says the length; then each element is a literal or a copy of what came before.
 */
export function decompressSnappy(bytes: Uint8Array): Uint8Array | undefined {
  const preamble = readVarint(bytes, 0);
  // No element makes more of its bytes than this.
  if (preamble === undefined || preamble.value > bytes.length * 64) return undefined;
  const output = new Uint8Array(preamble.value);
  let from = preamble.next;
  let to = 0;
  while (from < bytes.length) {
    const tag = bytes[from++] ?? 0;
    const element = (tag & 3) === 0 ? literal(bytes, tag, from) : copy(bytes, tag, from);
    from = element.next;
    if (to + element.length > output.length || from > bytes.length) return undefined;
    if (element.back === 0) {
      from += element.length;
      if (from > bytes.length) return undefined;
      output.set(bytes.subarray(element.next, from), to);
    } else {
      if (element.back > to) return undefined;
      // Byte by byte: a copy may reach into what it makes.
      for (let at = 0; at < element.length; at++) output[to + at] = output[to + at - element.back] ?? 0;
    }
    to += element.length;
  }
  return to === output.length ? output : undefined;
}

interface Element {
  readonly length: number;
  /** How far back what is copied lies, 0 for a literal. */
  readonly back: number;
  readonly next: number;
}

function literal(bytes: Uint8Array, tag: number, from: number): Element {
  const short = tag >> 2;
  const extra = short < 60 ? 0 : short - 59;
  const length = extra === 0 ? short : littleEndian(bytes, from, extra);
  return { length: length + 1, back: 0, next: from + extra };
}

function copy(bytes: Uint8Array, tag: number, from: number): Element {
  if ((tag & 3) === 1) {
    return { length: ((tag >> 2) & 7) + 4, back: ((tag >> 5) << 8) | (bytes[from] ?? 0), next: from + 1 };
  }
  const width = (tag & 3) === 2 ? 2 : 4;
  return { length: (tag >> 2) + 1, back: littleEndian(bytes, from, width), next: from + width };
}

function littleEndian(bytes: Uint8Array, from: number, width: number): number {
  let value = 0;
  for (let at = width - 1; at >= 0; at--) value = value * 256 + (bytes[from + at] ?? 0);
  return value;
}

/** A number in groups of seven bits, the lowest first, and where it ends; undefined beyond 2^53 or the end. */
export function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length && scale < 2 ** 53; at++, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? { value, next: at + 1 } : undefined;
  }
  return undefined;
}

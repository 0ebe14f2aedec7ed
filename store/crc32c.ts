const POLYNOMIAL = 0x82f63b78;

const TABLE = new Int32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0);
  return value;
});

/** CRC-32C (Castagnoli, reflected), as LevelDB seals its blocks with. */
export function crc32c(bytes: Uint8Array): number {
  let value = -1;
  for (let at = 0; at < bytes.length; at++) value = (value >>> 8) ^ (TABLE[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~value >>> 0;
}

const MASK = 0xa282ead8;

/** A CRC from how LevelDB stores it: masked, so that a CRC of bytes that hold CRCs still says something. */
export function unmasked(crc: number): number {
  const rotated = (crc - MASK) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

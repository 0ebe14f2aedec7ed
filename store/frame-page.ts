import type { RawFrame } from "./chain-reader.ts";

/** `seq u64 ‖ length u32` before each frame. */
const HEADER_BYTES = 12;

/** Frames of a log as one run of bytes (docs/log-format.md §12). */
export function encodePage(frames: readonly RawFrame[]): Uint8Array {
  const page = new Uint8Array(frames.reduce((sum, { bytes }) => sum + HEADER_BYTES + bytes.length, 0));
  const view = new DataView(page.buffer);
  let at = 0;
  for (const { seq, bytes } of frames) {
    view.setBigUint64(at, seq);
    view.setUint32(at + 8, bytes.length);
    page.set(bytes, at + HEADER_BYTES);
    at += HEADER_BYTES + bytes.length;
  }
  return page;
}

/** The frames of a page, as views of it; undefined if it does not end with one. */
export function decodePage(page: Uint8Array): RawFrame[] | undefined {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const frames: RawFrame[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= page.length) {
    const end = at + HEADER_BYTES + view.getUint32(at + 8);
    if (end > page.length) return undefined;
    frames.push({ seq: view.getBigUint64(at), bytes: page.subarray(at + HEADER_BYTES, end) });
    at = end;
  }
  return at === page.length ? frames : undefined;
}

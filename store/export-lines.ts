import { Buffer } from "node:buffer";
import { StoreError } from "./errors.ts";

/** More than the largest record can be: the server's messages are 64 MiB at most. */
const LINE_BYTES_MAX = 256 * 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * The lines of an export file, without their line feeds.
 *
 * @throws StoreError `STORE_BAD_EXPORT` for a line that is too long, or none at the end
 */
export async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of content) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]);
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LINE_BYTES_MAX) {
      throw new StoreError("STORE_BAD_EXPORT", `expected lines of at most ${LINE_BYTES_MAX} bytes, got a longer one`);
    }
  }
  if (length > 0) throw new StoreError("STORE_BAD_EXPORT", "expected an export that ends with a line feed, got a cut one");
}

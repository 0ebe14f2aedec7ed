import { describe, expect, test } from "vitest";
import { firstLink } from "../../store/chain.ts";
import { ChainReader, startOf } from "../../store/chain-reader.ts";
import { isStoreError } from "../../store/errors.ts";
import { decodeFrame, encodeFrame, sealFrame } from "../../store/frame.ts";
import { recordBody } from "./helpers.ts";

const LOG_ID = "5a".repeat(32);
const CHAIN = new Uint8Array(16).fill(0xab);

describe("a frame", () => {
  test("is read back as it was written, also from a view into a larger buffer", () => {
    const frame = { commit: 0x0102_0304_0506_0708n, endsCommit: false, chain: CHAIN, body: recordBody(7n, 1n) };
    const bytes = encodeFrame(frame);
    expect(decodeFrame(bytes)).toEqual(frame);
    expect(decodeFrame(encodeFrame({ ...frame, endsCommit: true }))).toEqual({ ...frame, endsCommit: true });
    const padded = new Uint8Array(bytes.length + 10);
    padded.set(bytes, 5);
    expect(decodeFrame(padded.subarray(5, 5 + bytes.length))).toEqual(frame);
  });

  test("shares no memory with the bytes it was read from", () => {
    const bytes = Buffer.from(encodeFrame({ commit: 1n, endsCommit: true, chain: CHAIN, body: new Uint8Array([1, 2, 3]) }));
    const frame = decodeFrame(bytes);
    bytes.fill(0);
    expect(frame).toEqual({ commit: 1n, endsCommit: true, chain: CHAIN, body: new Uint8Array([1, 2, 3]) });
  });

  test("with any single bit flipped, cut anywhere or lengthened is refused", () => {
    const bytes = encodeFrame({ commit: 3n, endsCommit: true, chain: CHAIN, body: recordBody(1n, 1n) });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusedAsFrame(flipped), `bit ${bit}`).toBe(true);
    }
    for (let length = 0; length < bytes.length; length++)
      expect(refusedAsFrame(bytes.subarray(0, length)), `length ${length}`).toBe(true);
    expect(refusedAsFrame(Uint8Array.from([...bytes, 0]))).toBe(true);
  });
});

describe("the chain", () => {
  const frames = chainOf([1n, 1n, 2n, 3n, 3n]);

  test("accepts the records that were written", () => {
    const reader = new ChainReader(startOf(LOG_ID));
    expect(frames.map((raw) => reader.accept(raw).record.type)).toEqual(["type-1", "type-2", "type-3", "type-4", "type-5"]);
    expect(reader.position).toMatchObject({ seq: 5n, commit: 3n, epoch: 1n });
  });

  test("refuses a record that is left out, repeated, moved or of another log, and a commit that is left out", () => {
    const [first, second, third] = frames as [Raw, Raw, Raw];
    expect(codeOf([first, third])).toBe("STORE_SEQUENCE_GAP");
    expect(codeOf([first, first])).toBe("STORE_SEQUENCE_GAP");
    expect(codeOf([second])).toBe("STORE_SEQUENCE_GAP");
    expect(codeOf([first, { seq: 2n, bytes: third.bytes }])).toBe("STORE_BROKEN_CHAIN");
    expect(codeOf([first], "77".repeat(32))).toBe("STORE_BROKEN_CHAIN");
    expect(codeOf(chainOf([1n, 3n]))).toBe("STORE_BROKEN_CHAIN");
    expect(codeOf(chainOf([0n]))).toBe("STORE_BROKEN_CHAIN");
    expect(codeOf(chainOf([2n]))).toBe("STORE_BROKEN_CHAIN");
    expect(codeOf(chainOf([1n, 2n, 1n]))).toBe("STORE_BROKEN_CHAIN");
  });

  test("refuses a commit that begins before the one before has ended, and one that goes on after its end", () => {
    expect(codeOf(chainOf([1n, 1n, 2n], { marks: [false, true, true] }))).toBeUndefined();
    expect(codeOf(chainOf([1n, 2n], { marks: [false, true] }))).toBe("STORE_BROKEN_CHAIN");
    expect(codeOf(chainOf([1n, 1n], { marks: [true, true] }))).toBe("STORE_BROKEN_CHAIN");
  });

  test("covers the mark: a record that ends its commit is refused where its link says that it does not", () => {
    const [first] = frames as [Raw];
    const changed = encodeFrame({ ...decodeFrame(first.bytes), endsCommit: true });
    expect(codeOf([{ seq: 1n, bytes: changed }])).toBe("STORE_BROKEN_CHAIN");
  });

  test("refuses a well-formed frame whose body is changed, is no record, has another seq or an epoch that falls", () => {
    const [first] = frames as [Raw];
    const { chain } = decodeFrame(first.bytes);
    expect(codeOf([{ seq: 1n, bytes: encodeFrame({ commit: 1n, endsCommit: false, chain, body: recordBody(1n, 2n) }) }])).toBe(
      "STORE_BROKEN_CHAIN",
    );
    expect(codeOf(chainOf([1n], { bodyOf: () => new Uint8Array([0xff]) }))).toBe("STORE_BAD_RECORD");
    expect(codeOf(chainOf([1n], { bodyOf: () => recordBody(2n, 1n) }))).toBe("STORE_BAD_RECORD");
    expect(codeOf(chainOf([1n, 2n], { bodyOf: (seq) => recordBody(seq, 3n - seq) }))).toBe("STORE_BAD_RECORD");
  });
});

interface Raw {
  readonly seq: bigint;
  readonly bytes: Uint8Array;
}

interface ChainOptions {
  readonly bodyOf?: (seq: bigint) => Uint8Array;
  /** Whether the record ends its commit; without it, the last of each commit does. */
  readonly marks?: readonly boolean[];
}

function chainOf(commits: readonly bigint[], { bodyOf = (seq) => recordBody(seq, 1n), marks }: ChainOptions = {}): Raw[] {
  let chain = firstLink(new Uint8Array(32).fill(0x5a));
  return commits.map((commit, index) => {
    const seq = BigInt(index + 1);
    const body = bodyOf(seq);
    const sealed = sealFrame(chain, { commit, endsCommit: marks?.[index] ?? commits[index + 1] !== commit, body });
    chain = sealed.chain;
    return { seq, bytes: sealed.bytes };
  });
}

function codeOf(frames: readonly Raw[], logId = LOG_ID): string | undefined {
  const reader = new ChainReader(startOf(logId));
  try {
    for (const raw of frames) reader.accept(raw);
    return undefined;
  } catch (error) {
    return isStoreError(error) ? error.code : String(error);
  }
}

function refusedAsFrame(bytes: Uint8Array): boolean {
  try {
    decodeFrame(bytes);
    return false;
  } catch (error) {
    return isStoreError(error, "STORE_BAD_FRAME");
  }
}

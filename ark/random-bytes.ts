/**
 * A source of fresh, unpredictable bytes, given by the caller: nothing in this folder makes its own.
 *
 * A source that repeats itself gives away secret keys when it feeds MuSig2 nonces.
 */
export type RandomBytes = (length: number) => Uint8Array;

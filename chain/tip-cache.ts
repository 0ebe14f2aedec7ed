import type { Answer, ChainTip, TipOptions } from "./source.ts";

/** Options of a source that remembers its tip. */
export interface TipCacheOptions {
  /** How long the tip is remembered, at most 1 000 (mailbox.md §7). Default 1 000. */
  tipCacheMs?: number;
}

const MAX_TIP_CACHE_MS = 1000;

/** Remembers the tip for a moment. */
export class TipCache {
  readonly #cacheMs: number;
  #tip: { readonly height: number; readonly at: number } | undefined;

  constructor({ tipCacheMs = MAX_TIP_CACHE_MS }: TipCacheOptions) {
    this.#cacheMs = Math.min(tipCacheMs, MAX_TIP_CACHE_MS);
  }

  /** The remembered height if it is young enough and nobody wants a fresh one, else what `ask` finds. */
  async get({ signal, fresh }: TipOptions, ask: () => Promise<Answer<number>>): Promise<Answer<ChainTip>> {
    signal?.throwIfAborted();
    // The age counts from before the question, so that a slow answer is not remembered for longer.
    const now = performance.now();
    if (fresh !== true && this.#tip !== undefined && now - this.#tip.at < this.#cacheMs)
      return { kind: "found", value: { height: this.#tip.height } };
    const answer = await ask();
    if (answer.kind !== "found") return answer;
    this.#tip = { height: answer.value, at: now };
    return { kind: "found", value: { height: answer.value } };
  }
}

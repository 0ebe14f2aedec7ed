import type { Parameters } from "fast-check";

/**
 * Runs, seed and path of every property: `npm run property -- --seed N --path P --runs N`.
 *
 * fast-check prints seed and path of a failure; the same two values replay it.
 *
 * PROPERTY_SHRINK=0 ends at the first failure, for `npm run planted`, which only asks whether there is one.
 *
 * @param runs how many runs a plain `npm test` makes; PROPERTY_RUNS replaces it
 */
export function propertyOptions<T>(runs = 100): Parameters<T> {
  const { PROPERTY_SEED: seed, PROPERTY_PATH: path, PROPERTY_RUNS: asked, PROPERTY_SHRINK: shrink } = process.env;
  return {
    numRuns: asked === undefined ? runs : Number(asked),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
    ...(shrink === "0" ? { endOnFailure: true } : {}),
  };
}

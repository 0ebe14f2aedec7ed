import type { ResolveHook } from "node:module";

const OURS = new URL("./library-of-curves.js", import.meta.url).href;

/** Gives whoever asks for the library of curves ours; ours gets the library. */
export const resolve: ResolveHook = (specifier, context, next) =>
  specifier === "@noble/secp256k1" && context.parentURL !== OURS
    ? { url: OURS, format: "module", shortCircuit: true }
    : next(specifier, context);

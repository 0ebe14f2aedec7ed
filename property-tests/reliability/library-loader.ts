import type { ResolveHook } from "node:module";

/** Modules that the lanes put in the place of others, from which they take what they do not change. */
const CURVES = new URL("./library-of-curves.js", import.meta.url).href;
const HASHES = new URL("./library-of-hashes.js", import.meta.url).href;
const REMEMBERED = new URL("./remembered.js", import.meta.url).href;

const replacements = new Map([
  ["@noble/secp256k1", CURVES],
  ["@noble/hashes/sha2.js", HASHES],
]);
for (const name of ["crypto", "transaction", "validate", "vtxo"]) {
  replacements.set(new URL(`../../ark/${name}.js`, import.meta.url).href, REMEMBERED);
}

/** Gives whoever asks for such a module ours; ours gets the module itself. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const isPath = specifier.startsWith(".") && context.parentURL !== undefined;
  const url = replacements.get(isPath ? new URL(specifier, context.parentURL).href : specifier);
  if (url === undefined || context.parentURL === url) return next(specifier, context);
  return { url, format: "module", shortCircuit: true };
};

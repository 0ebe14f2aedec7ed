import { CliError } from "./errors.ts";

const MOST_SATS = 21_000_000n * 100_000_000n;

/**
 * An amount of an operand: a whole number of sats above 0.
 *
 * @throws CliError `USAGE`
 */
export function parseSats(text: string): bigint {
  const amountSats = /^[0-9]{1,16}$/.test(text) ? BigInt(text) : 0n;
  if (amountSats > 0n && amountSats <= MOST_SATS) return amountSats;
  throw new CliError("USAGE", `expected SATS as a whole number of 1 … ${MOST_SATS}, got ${JSON.stringify(text.slice(0, 50))}`);
}

/**
 * The amount of an operand that may be left out.
 *
 * @throws CliError `USAGE`
 */
export function amountOperand(text: string | undefined): { readonly amountSats?: bigint } {
  return text === undefined ? {} : { amountSats: parseSats(text) };
}

import { ChainError } from "./errors.ts";
import type { ChainSource, QuestionOptions } from "./source.ts";

/** Hash of block 0 for every network a server can name (mailbox.md §1.3), in display order. */
export const GENESIS_HASHES = {
  bitcoin: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
  testnet: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
  testnet4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
  signet: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
  regtest: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
} as const;

/** The networks a wallet can live on. All signets share one genesis block and cannot be told apart by it. */
export type ChainNetwork = keyof typeof GENESIS_HASHES;

/**
 * Makes sure that a source serves the wallet's network, by its genesis block (mailbox.md §7).
 *
 * @throws ChainError `CHAIN_WRONG_NETWORK` (report), or the error of an `unknown` answer (wait and ask again)
 */
export async function checkNetwork(source: ChainSource, network: ChainNetwork, options: QuestionOptions = {}): Promise<void> {
  const answer = await source.blockHash(0, options);
  if (answer.kind === "unknown") throw answer.error;
  if (answer.kind === "absent") throw new ChainError("CHAIN_BAD_RESPONSE", "expected a block at height 0, got none");
  if (answer.value === GENESIS_HASHES[network]) return;
  const actual = Object.entries(GENESIS_HASHES).find(([, hash]) => hash === answer.value)?.[0] ?? `genesis ${answer.value}`;
  throw new ChainError("CHAIN_WRONG_NETWORK", `expected a chain source for ${network}, got one for ${actual}`);
}

import type { Network } from "heartwood";

/** Names for `--network`. Stated here once more so that commands without a wallet start without loading the engine. */
export const NETWORKS = ["bitcoin", "testnet", "testnet4", "signet", "regtest"] as const satisfies readonly Network[];

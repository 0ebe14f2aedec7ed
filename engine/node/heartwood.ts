import { explainDirectory } from "./explain-directory.ts";
import { openHistory } from "./open-history.ts";
import { openWallet, openWalletOn } from "./open-wallet.ts";
import { readRecords } from "./read-records.ts";
import { readWallet } from "./read-wallet.ts";
import { restoreWallet } from "./restore-wallet.ts";
import { salvageWallet } from "./salvage-wallet.ts";
import { verifyWallet } from "./verify-wallet.ts";

/** Where everything begins: `await using wallet = await Heartwood.open({ … })`. */
export const Heartwood = {
  open: openWallet,
  openOn: openWalletOn,
  read: readWallet,
  records: readRecords,
  history: openHistory,
  explain: explainDirectory,
  verify: verifyWallet,
  salvage: salvageWallet,
  restore: restoreWallet,
} as const;

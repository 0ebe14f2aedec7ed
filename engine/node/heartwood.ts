import { openWallet, openWalletOn } from "./open-wallet.ts";
import { readWallet } from "./read-wallet.ts";

/** Where everything begins: `await using wallet = await Heartwood.open({ … })`. */
export const Heartwood = {
  open: openWallet,
  openOn: openWalletOn,
  read: readWallet,
} as const;

import type { ExpiryStage } from "heartwood";

/** What is said of a VTXO in a stage of running out. */
export const EXPIRY_WORDS: { readonly [Stage in ExpiryStage]: string } = {
  refresh: "expiring soon",
  exit: "about to expire",
  expired: "expired",
};

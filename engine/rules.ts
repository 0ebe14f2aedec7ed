/** Reasons with a rule of their own; those of another shape are rules for bytes (vtxo.md §3, §6.3). */
const RULES: Readonly<Record<string, readonly string[]>> = {
  // a VTXO is refused
  NOT_PUBKEY_POLICY: ["mailbox.md M-41"],
  WRONG_SERVER_KEY: ["mailbox.md M-42"],
  NEAR_EXPIRY: ["mailbox.md M-43"],
  NOT_OWNED: ["mailbox.md M-44"],
  ANCHOR_NOT_FOUND: ["mailbox.md M-40", "mailbox.md W-1"],
  ANCHOR_TXID_MISMATCH: ["mailbox.md M-40"],
  ANCHOR_UNCONFIRMED: ["mailbox.md W-41"],
  ANCHOR_SPENT: ["vtxo.md §10"],
  SERVER_SAYS_SPENT: ["mailbox.md W-14"],
  SERVER_SAYS_OTHER: ["mailbox.md W-14"],
  SERVER_DOES_NOT_KNOW: ["mailbox.md W-14"],
  SUPERSEDED: ["mailbox.md W-47"],
  CONFLICTING: ["mailbox.md W-47"],
  TOO_MANY_ENTRIES: ["mailbox.md W-39"],
  TOO_LARGE: ["mailbox.md W-39"],
  TOO_DEEP: ["mailbox.md W-39"],
  // a message is passed over
  EMPTY_PACKAGE: ["mailbox.md W-45"],
  RECOVERY_IDS_IN_MAIN_MAILBOX: ["mailbox.md M-36"],
  UNKNOWN_KIND: ["mailbox.md M-35", "mailbox.md W-12"],
  MALFORMED_MESSAGE: ["mailbox.md W-4", "mailbox.md W-22"],
  NOTICE_KEPT: ["mailbox.md M-32", "mailbox.md W-24"],
  MALFORMED_HASH: ["mailbox.md M-55", "mailbox.md M-58"],
  NOTHING_NEW: ["mailbox.md M-46", "mailbox.md M-47"],
};

/** What the specification says of VTXOs that are refused, or messages that are passed over, for that reason. */
export function rulesOf(code: string): readonly string[] {
  if (Object.hasOwn(RULES, code)) return RULES[code] ?? [];
  // What alone got no answer from chain source or server, or made this build fail.
  if (/^(CHAIN_|SERVER_|UNEXPECTED$)/.test(code)) return ["mailbox.md W-22"];
  return ["mailbox.md M-39", "mailbox.md M-40", "vtxo.md §6.3"];
}

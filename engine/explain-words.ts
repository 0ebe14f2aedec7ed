/** What a record means to the subject of a story. */
export interface Described {
  readonly text: string;
  readonly code?: string;
  readonly rules?: readonly string[];
  /** What the subject is from here on, if that changed. */
  readonly now?: string;
  /** Whether that gives way to what was decided before: another copy or message is no news of it. */
  readonly isProvisional?: true;
  /** Whether that is so only for what was one of these until here. */
  readonly onlyFrom?: readonly string[];
  /** How far a VTXO has run out from here on, if that changed; empty if it has not. */
  readonly expiry?: string;
  /** What the chain has against its anchor from here on, if that changed; empty if nothing. */
  readonly anchor?: string;
}

/** What a VTXO is that can be paid with. */
export const SPENDABLE = "spendable";
/** What a VTXO is that the server has not registered yet. */
export const AWAITING_REGISTRATION = "credited, awaiting registration";
/** What a VTXO is that nothing has locked and nothing has taken away; past its expiry height it is only `EXPIRED`. */
export const FREE: readonly string[] = [SPENDABLE, AWAITING_REGISTRATION];
/** How far a VTXO has run out whose expiry height is reached: the server can take it, and no payment is made with it. */
export const EXPIRED = "expired";
/** What leaves the wallet does not run out, and its anchor is not looked at any more. */
export const GONE = { expiry: "", anchor: "" } as const;

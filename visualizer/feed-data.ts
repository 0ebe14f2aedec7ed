/** A bigint in decimal digits. */
export type Decimal = string;

/** A value of an event, a context or a parameter. */
export type FeedValue =
  | null
  | boolean
  | number
  | string
  | readonly FeedValue[]
  | FeedBigint
  | FeedBytes
  | FeedRedacted
  | { readonly [name: string]: FeedValue };

/** A bigint inside a value. */
export type FeedBigint = { readonly $n: Decimal };

/** Bytes inside a value: hex of the first ones, and how many there are. Cut where `length` is more than the hex has. */
export type FeedBytes = { readonly $b: string; readonly length: number };

/** A secret that did not leave the process, by the name of its member. */
export type FeedRedacted = { readonly $redacted: string };

/** Where a list or a text inside a value is longer than what is sent, its last member says how much is left out. */
export const LEFT_OUT = "…";

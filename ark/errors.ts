/**
 * Every reason for which the Ark protocol code refuses something.
 *
 * A name of the specification such as `transition:missing-signature` is the code
 * `TRANSITION_MISSING_SIGNATURE` here (vtxo.md sections 1 to 9).
 */
export type ArkErrorCode =
  // hex and primitives (vtxo.md §1)
  | "BAD_HEX"
  | "SHORT_INPUT"
  | "TRAILING_BYTES"
  | "NON_MINIMAL_SIZE"
  | "OVERSIZED_LIST"
  | "OVERSIZED_SCRIPT"
  | "BAD_PUBKEY"
  | "OUT_OF_RANGE"
  // VTXO decoding (vtxo.md §2 to §5)
  | "BAD_VTXO_ID"
  | "BAD_VERSION"
  | "BAD_HEIGHT"
  | "BAD_DELTA"
  | "BAD_TRANSITION_TYPE"
  | "EMPTY_COSIGNERS"
  | "BAD_TWEAK"
  | "BAD_PREIMAGE_FLAG"
  | "ZERO_OUTPUTS"
  | "OUTPUT_INDEX_RANGE"
  | "BAD_POLICY_TYPE"
  | "MISSING_GENESIS"
  | "UNEXPECTED_GENESIS"
  | "TOO_MANY_OUTPUTS"
  // completing the last item (vtxo.md §5.3)
  | "NOT_HASH_LOCKED"
  | "WRONG_PREIMAGE"
  // validation (vtxo.md §6.3)
  | "ANCHOR_OUTPUT_MISSING"
  | "ANCHOR_OUTPUT_MISMATCH"
  | "POINT_IS_NOT_ANCHOR"
  | "TOTAL_OVERFLOW"
  | "BAD_OUTPUT_KEY"
  | "SUM_OVERFLOW"
  | "AMOUNT_UNDERFLOW"
  | "TRANSITION_OUTPUT_INDEX"
  | "TRANSITION_MISSING_SIGNATURE"
  | "TRANSITION_INVALID_SIGNATURE"
  | "TRANSITION_MISSING_PREIMAGE"
  | "POINT_MISMATCH"
  // on-chain transactions
  | "BAD_TRANSACTION"
  // addresses (vtxo.md §7)
  | "ADDRESS_BECH32"
  | "ADDRESS_PREFIX"
  | "ADDRESS_MALFORMED"
  | "ADDRESS_OTHER_IMPLEMENTATION"
  | "ADDRESS_UNKNOWN_VERSION"
  | "ADDRESS_POLICY"
  | "ADDRESS_WRONG_NETWORK"
  | "ADDRESS_WRONG_SERVER"
  | "ADDRESS_NOT_PUBKEY"
  | "ADDRESS_NO_DELIVERY"
  // keys and mailbox (vtxo.md §8, §9)
  | "BAD_MNEMONIC"
  | "BAD_SEED"
  | "BAD_SECRET_KEY"
  | "KEYS_WIPED"
  | "BAD_MAILBOX_ID"
  | "BAD_TIMESTAMP"
  | "BAD_AUTHORIZATION"
  | "AUTHORIZATION_MAILBOX_MISMATCH"
  | "AUTHORIZATION_EXPIRED"
  | "AUTHORIZATION_SIGNATURE"
  // acceptance (vtxo.md §10)
  | "NOT_PUBKEY_POLICY"
  | "WRONG_SERVER_KEY"
  | "NEAR_EXPIRY"
  | "NOT_OWNED"
  | "ANCHOR_NOT_FOUND"
  | "ANCHOR_TXID_MISMATCH"
  // arkoor building and cosigning (arkoor.md §9)
  | "INSUFFICIENT_FUNDS"
  | "ARKOOR_UNBALANCED"
  | "ARKOOR_DUST"
  | "ARKOOR_NO_OUTPUTS"
  | "ARKOOR_TOO_MANY_OUTPUTS"
  | "ARKOOR_TOO_MANY_INPUTS"
  | "ARKOOR_OVERFLOW"
  | "ARKOOR_INVALID_ATTESTATION"
  | "ARKOOR_INVALID_NB_USER_NONCES"
  | "ARKOOR_INVALID_NB_SERVER_NONCES"
  | "ARKOOR_INVALID_NB_SERVER_PARTIAL_SIGS"
  | "ARKOOR_INVALID_PARTIAL_SIGNATURE"
  | "ARKOOR_INVALID_NB_PACKAGES"
  | "ARKOOR_INVALID_NB_KEYPAIRS"
  | "ARKOOR_INCORRECT_KEY"
  | "ARKOOR_BAD_NONCE"
  | "ARKOOR_BAD_PARTIAL_SIGNATURE"
  | "ARKOOR_NONCE_REUSED"
  | "ARKOOR_INVALID_SIGNATURE"
  // Lightning invoices (lightning.md §6)
  | "INVOICE_BECH32"
  | "INVOICE_PREFIX"
  | "INVOICE_BAD_AMOUNT"
  | "INVOICE_MALFORMED"
  | "INVOICE_FEATURES"
  | "INVOICE_SIGNATURE"
  | "INVOICE_WRONG_NETWORK"
  | "INVOICE_EXPIRED"
  | "INVOICE_AMOUNT_REQUIRED"
  | "INVOICE_AMOUNT_FIXED"
  | "INVOICE_AMOUNT_ZERO"
  | "OWN_INVOICE_OTHER_HASH"
  | "OWN_INVOICE_OTHER_AMOUNT"
  | "OWN_INVOICE_SHORT_LIFE"
  | "OWN_INVOICE_SHORT_CLTV"
  | "UNSUPPORTED_BOLT12"
  | "UNSUPPORTED_LNURL"
  | "UNSUPPORTED_URI"
  // a server's rules for arkoor requests (arkoor.md §10.1)
  | "ARKOOR_INPUT_POLICY"
  | "ARKOOR_EMPTY_PACKAGE"
  | "ARKOOR_WRONG_MODE"
  | "ARKOOR_EXIT_DEPTH"
  | "ARKOOR_FAN_OUT";

/** Options of {@link ArkError}: where it happened, and the cause. */
export interface ArkErrorOptions {
  /** Index of the genesis item concerned, counted from the chain anchor. */
  readonly genesisIndex?: number;
  /** Position of the part concerned within an arkoor package (arkoor.md §5). */
  readonly partIndex?: number;
  /** Position of the signature concerned within its part (arkoor.md §4.3). */
  readonly signatureIndex?: number;
  readonly cause?: unknown;
}

/** Refused protocol data. Never retryable: the same bytes are refused again. */
export class ArkError extends Error {
  override readonly name = "ArkError";
  readonly code: ArkErrorCode;
  readonly retryable = false;
  readonly genesisIndex: number | undefined;
  readonly partIndex: number | undefined;
  readonly signatureIndex: number | undefined;

  constructor(code: ArkErrorCode, message: string, options: ArkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.genesisIndex = options.genesisIndex;
    this.partIndex = options.partIndex;
    this.signatureIndex = options.signatureIndex;
  }
}

/** Loads the known answers of `test/vectors/`; their schema is vtxo.md §12.1. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const own = fileURLToPath(new URL("./vectors/", import.meta.url));

/** Parses one of our own vector files. */
export function readVectors(name: string): string {
  const bytes = readFileSync(join(own, name));
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/** Our own copy, without the strings published with the reference, or the full file of another directory. */
export function loadKnownAnswers(directory: string = own): KnownAnswers {
  return JSON.parse(readFileSync(join(directory, "bark-known-answers.json"), "utf8"));
}

/** The code of a specification's error name: `transition:missing-signature` is `TRANSITION_MISSING_SIGNATURE`. */
export function errorCode(name: string): string {
  return name.replaceAll(/[-:]/g, "_").toUpperCase();
}

/** `bark-known-answers.json`. */
export interface KnownAnswers {
  readonly secrets: Readonly<Record<string, string>>;
  readonly public_keys: Readonly<Record<string, string>>;
  readonly change_pubkeys: Readonly<Record<string, string>>;
  readonly transactions: readonly TransactionVector[];
  readonly vtxos: readonly VtxoVector[];
  readonly addresses: readonly AddressVector[];
  readonly mailbox_authorizations: readonly AuthorizationVector[];
  readonly policies: readonly PolicyVector[];
  readonly transitions: readonly TransitionVector[];
  readonly key_aggregation: readonly { readonly pubkeys: readonly string[]; readonly aggregate_pubkey: string }[];
  readonly key_derivation: readonly KeyDerivationVector[];
  readonly output_standardness: readonly OutputStandardnessVector[];
  readonly vtxo_id_text: readonly { readonly text: string; readonly id_hex: string }[];
  readonly rejections: readonly RejectionVector[];
}

export interface OutputVector {
  readonly value_sat: string;
  readonly script_hex: string;
}

export interface TransactionVector {
  readonly name: string;
  readonly hex: string;
  readonly txid: string;
  readonly outputs: readonly OutputVector[];
}

export interface PolicyFields {
  readonly type_byte: number;
  readonly kind: string;
  readonly user_pubkey?: string;
  readonly payment_hash?: string;
  readonly unlock_hash?: string;
  readonly htlc_expiry?: number;
  readonly htlc_expiry_delta?: number;
  readonly internal_key?: string;
}

export interface GenesisItemVector {
  readonly type_byte: number;
  readonly kind: string;
  readonly pubkeys?: readonly string[];
  readonly client_cosigners?: readonly string[];
  readonly tap_tweak?: string;
  readonly user_pubkey?: string;
  readonly preimage?: string | null;
  readonly unlock_hash?: string;
  readonly signature: string | null;
  readonly output_count: number;
  readonly output_index: number;
  readonly other_outputs: readonly OutputVector[];
  readonly fee_sat: string;
}

export interface Verdict {
  readonly result: "accept" | "reject";
  readonly error?: string;
  readonly genesis_index?: number;
}

export interface VtxoVector {
  readonly name: string;
  readonly origin: string;
  readonly hex: string;
  readonly anchor_transaction: string;
  readonly decoded: {
    readonly encoding_version: number;
    readonly amount_sat: string;
    readonly expiry_height: number;
    readonly server_pubkey: string;
    readonly exit_delta: number;
    readonly chain_anchor: string;
    readonly exit_depth: number;
    readonly genesis: readonly GenesisItemVector[];
    readonly policy: PolicyFields;
    readonly point: string;
    readonly id_hex: string;
    readonly output_script_hex: string;
    readonly chain_anchor_amount_sat: string;
  };
  readonly canonical_v2_hex: string;
  readonly bare_v2_hex: string;
  readonly exit_transactions: readonly { readonly txid: string; readonly vout: number; readonly raw_hex: string }[];
  readonly validation: Verdict;
  readonly validation_without_signatures: Verdict;
  readonly all_witnesses_present: boolean;
  readonly standardness: string;
}

export interface DeliveryVector {
  readonly type_byte: number;
  readonly kind: string;
  readonly blinded_id?: string;
  readonly data_hex?: string;
}

export interface AddressVector {
  readonly name: string;
  readonly text: string;
  readonly built_from?: Readonly<Record<string, unknown>>;
  readonly decoded: {
    readonly testnet: boolean;
    readonly ark_id: string;
    readonly policy: PolicyFields;
    readonly delivery: readonly DeliveryVector[];
  };
  readonly payload_hex: string;
  readonly canonical_text: string;
}

export interface AuthorizationVector {
  readonly name: string;
  readonly hex: string;
  readonly decoded: { readonly mailbox_id: string; readonly expiry_unix: string; readonly signature: string };
  readonly message_digest: string;
  readonly signature_valid: boolean;
}

export interface PolicyVector {
  readonly policy_hex: string;
  readonly policy: PolicyFields;
  readonly server_pubkey: string;
  readonly exit_delta: number;
  readonly expiry_height: number;
  readonly internal_key: string;
  readonly leaves: readonly { readonly script_hex: string; readonly control_block_hex: string }[];
  readonly merkle_root: string | null;
  readonly tap_tweak: string;
  readonly output_script_hex: string;
}

export interface TransitionVector {
  readonly name: string;
  readonly hex: string;
  readonly server_pubkey: string;
  readonly expiry_height: number;
  readonly spent_output_script_hex: string;
  readonly witness: readonly string[];
}

export interface KeyDerivationVector {
  readonly mnemonic: string;
  readonly bip39_seed_hex: string;
  readonly wallet_fingerprint: string;
  readonly vtxo_pubkeys: readonly string[];
  readonly vtxo_secret_keys: readonly string[];
  readonly mailbox_pubkey: string;
  readonly mailbox_secret_key: string;
  readonly recovery_mailbox_pubkey: string;
  readonly recovery_mailbox_secret_key: string;
  readonly address_index_0: {
    readonly server_pubkey: string;
    readonly server_mailbox_pubkey: string;
    readonly testnet: boolean;
    readonly blinded_id: string;
    readonly text: string;
  };
}

export interface OutputStandardnessVector {
  readonly script_type: string;
  readonly script_hex: string;
  readonly value_sat: string;
  readonly result: "standard" | "dust" | "non-standard-script";
}

export interface RejectionVector {
  readonly name: string;
  readonly input:
    | "full-vtxo"
    | "genesis-transition"
    | "address-text"
    | "address-payload"
    | "mailbox-authorization"
    | "vtxo-id-text";
  readonly hex?: string;
  readonly text?: string;
  readonly stage: "decode" | "validate" | "verify";
  readonly error: string;
  readonly anchor_transaction?: string;
  readonly anchor_transaction_hex?: string;
  readonly genesis_index?: number;
}

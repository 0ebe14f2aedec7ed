/** The Ark protocol as pure functions: VTXOs, policies, transactions, validation. `heartwood/ark`. */
export { withFinalPreimage, withFinalSignature } from "./complete.ts";
export { memoiseVerifier, type SignatureVerifier, setSignatureVerifier } from "./crypto.ts";
export { ArkError, type ArkErrorCode, type ArkErrorOptions } from "./errors.ts";
export { allWitnessesPresent, chainAnchorAmountSats, exitTransactions, vtxoOutput } from "./exit.ts";
export { encodeGenesis, type GenesisItem } from "./genesis.ts";
export { decodeHex, encodeHex } from "./hex.ts";
export type { Outpoint } from "./outpoint.ts";
export {
  type CheckpointPolicy,
  type ExpiryPolicy,
  type HarkForfeitPolicy,
  type HarkLeafPolicy,
  type HtlcReceivePolicy,
  type HtlcSendPolicy,
  isUserPolicy,
  type Policy,
  type PolicyKind,
  type PubkeyPolicy,
  type ServerOwnedPolicy,
  type UserPolicy,
} from "./policy.ts";
export { type PolicyContext, policyOutput } from "./policy-output.ts";
export { findNonStandardOutput, isStandard, type NonStandardOutput } from "./standardness.ts";
export type { TapLeaf, TaprootOutput } from "./taproot.ts";
export { decodeTransaction, encodeTransaction, type Transaction, type TxInput, transactionId } from "./transaction.ts";
export type { ArkoorTransition, CosignedTransition, HashLockedTransition, Transition } from "./transition.ts";
export type { TxOutput } from "./tx-output.ts";
export { type ValidateOptions, validateVtxo } from "./validate.ts";
export {
  type BareVtxo,
  decodeBareVtxo,
  decodeServerVtxo,
  decodeVtxo,
  decodeVtxoParts,
  encodeBareVtxo,
  encodeVtxo,
  exitDepth,
  type Vtxo,
  vtxoId,
} from "./vtxo.ts";
export { decodeVtxoId, encodeVtxoId, parseVtxoId, type VtxoId } from "./vtxo-id.ts";

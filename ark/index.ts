/** The Ark protocol as pure functions: VTXOs, keys, addresses, validation, arkoor payments. `heartwood/ark`. */
export {
  type AcceptedVtxo,
  type AnchorLookup,
  type Deduplicated,
  deduplicate,
  type Judgement,
  judgeVtxo,
  type ReceivedVtxo,
  type RefusedVtxo,
  readableVtxoId,
  type VtxoFlag,
} from "./accept.ts";
export {
  type Address,
  type AddressNetwork,
  type AddressParts,
  arkIdOf,
  buildAddress,
  checkAddressPayable,
  type Delivery,
  encodeAddress,
  parseAddress,
} from "./address.ts";
export {
  allocateDestinations,
  changePieces,
  type Destination,
  DUST_LIMIT_SATS,
  isolateDust,
  type PartOutputs,
} from "./arkoor-allocation.ts";
export { type ArkoorCosignOptions, ArkoorCosignSession } from "./arkoor-cosign.ts";
export { type ArkoorCosignRequest, type ArkoorCosignResponse, decodeDestination } from "./arkoor-request.ts";
export { arkoorResults, vtxosOfPolicy } from "./arkoor-result.ts";
export {
  ARKOOR_COSIGN_RULES,
  type ArkoorRpcRules,
  type ArkoorServerPart,
  checkArkoorRequests,
  cosignArkoorPart,
} from "./arkoor-server.ts";
export {
  type ArkoorInput,
  type ArkoorMode,
  type ArkoorPackageOptions,
  type ArkoorPart,
  type ArkoorTransaction,
  buildArkoorPackage,
  buildArkoorPart,
  spendingTxid,
} from "./arkoor-transactions.ts";
export { type Attestation, attestationDigest, type RoundDestination, signAttestation, verifyAttestation } from "./attestation.ts";
export {
  type Authorization,
  type AuthorizationRequest,
  createAuthorization,
  decodeAuthorization,
  encodeAuthorization,
  verifyAuthorization,
} from "./authorization.ts";
export {
  type BoardOptions,
  type BoardTerms,
  boardFunding,
  buildBoard,
  signBoard,
  type UnsignedBoard,
  withBoardSignature,
} from "./board.ts";
export {
  type Bolt11Invoice,
  checkInvoicePayable,
  type InvoiceNetwork,
  type InvoicePayer,
  invoicePaymentSats,
  parseBolt11,
} from "./bolt11.ts";
export type { Bolt11Fields } from "./bolt11-fields.ts";
export { type Bolt11Draft, signBolt11 } from "./bolt11-sign.ts";
export { type Coin, type CoinSelectionOptions, selectCoins } from "./coin-selection.ts";
export { withFinalPreimage, withFinalSignature } from "./complete.ts";
export { memoiseVerifier, type SignatureVerifier, setSignatureVerifier } from "./crypto.ts";
export { ArkError, type ArkErrorCode, type ArkErrorOptions } from "./errors.ts";
export { allWitnessesPresent, ancestorIds, chainAnchorAmountSats, exitTransactions, vtxoOutput } from "./exit.ts";
export {
  type AmountFee,
  boardFee,
  estimateLightningSendFee,
  type FeeInput,
  type FeeSchedule,
  lightningReceiveFee,
  lightningSendFee,
  type OffboardOutput,
  offboardFee,
  type PpmExpiryFee,
  ppmExpiryFee,
  refreshFee,
} from "./fees.ts";
export { encodeGenesis, type GenesisItem } from "./genesis.ts";
export { decodeHex, encodeHex } from "./hex.ts";
export { type HtlcDeltas, invoiceCltvDelta, latestReceiveExitHeight, type ReceiveDeadlineInput } from "./htlc-terms.ts";
export { type JointKeys, type JointSignature, signArkoorPartJointly, signJointly } from "./joint-signing.ts";
export { type KeyRange, WalletKeys } from "./keys.ts";
export { buildClaim } from "./lightning-claim.ts";
export { type GrantedBytes, type GrantJudgement, type GrantRefusalCode, type GrantTerms, judgeGrant } from "./lightning-grant.ts";
export { blindMailboxId, decodeMailboxId, MAILBOX_MESSAGE_KINDS, mailboxIdOf, unblindMailboxId } from "./mailbox.ts";
export {
  type Cosigner,
  decodePartialSignature,
  decodePublicNonce,
  MusigSession,
  type MusigSessionOptions,
  type NonceRequest,
  SecretNonce,
} from "./musig.ts";
export type { Outpoint } from "./outpoint.ts";
export { checkOwnInvoice, type InvoiceRequest, invoiceExpiresAtMs } from "./own-invoice.ts";
export { type PaymentRequest, parsePaymentRequest, requestPaymentSats } from "./payment-request.ts";
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
export type { RandomBytes } from "./random-bytes.ts";
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

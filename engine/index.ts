/** The public entry `heartwood`. */

export { type BitcoinCoreOptions, type BitcoinCoreSource, bitcoinCore } from "../chain/bitcoin-core.ts";
export { ChainError, type ChainErrorCode } from "../chain/errors.ts";
export { type EsploraOptions, type EsploraSource, esplora } from "../chain/esplora.ts";
export type { RpcCredentials } from "../chain/rpc.ts";
export type {
  Answer,
  ChainSource,
  ChainTip,
  QuestionOptions,
  SpendStatus,
  TipOptions,
  TransactionStatus,
} from "../chain/source.ts";
export type { AnchorCode } from "../machines/anchors.machine.ts";
export { MachineError, type MachineErrorCode } from "../machines/errors.ts";
export type { ExpiryChange, ExpiryStage } from "../machines/expiry.machine.ts";
export type { RecoveryReport } from "../machines/recovery.machine.ts";
export { StreamError, type StreamErrorCode } from "../streams/errors.ts";
export { isNetwork, NETWORKS, type Network } from "../streams/server-info.ts";
export { HEARTWOOD_VERSION } from "../streams/user-agent.ts";
export { codeOf, HeartwoodError, type HeartwoodErrorCode } from "./errors.ts";
export type { ExpiringOptions, ExpiringVtxo } from "./expiry.ts";
export type { ExplainedStep, Explanation } from "./explain.ts";
export { History } from "./history.ts";
export type { HistoryChange } from "./history-changes.ts";
export { HISTORY_MARKS, type HistoryMark } from "./history-marks.ts";
export type { HistoryInstance, HistoryPage, HistoryTables } from "./history-rows.ts";
export type { HistoryPoint } from "./history-series.ts";
export type {
  HistoryDetail,
  HistoryFacts,
  HistoryMoment,
  HistoryProgress,
  HistoryRecord,
  HistorySearch,
  HistoryVerdict,
} from "./history-types.ts";
export type { VettedVtxo } from "./import-vtxo.ts";
export type { Invoice, InvoiceOptions } from "./invoice.ts";
export type { OpenInvoice } from "./invoice-view.ts";
export { type MachineConfig, machineDefinitions, type StateConfig, type TransitionConfig } from "./machine-definitions.ts";
export type { Movement } from "./movement-view.ts";
export { Heartwood } from "./node/heartwood.ts";
export type { RecordsOptions } from "./node/read-records.ts";
export type { WalletSalvage } from "./node/salvage-wallet.ts";
export type { VerifiedWallet, VerifyWalletOptions, VerifyWalletProgress } from "./node/verify-wallet.ts";
export type { OpenOptions, SecretSource, WalletOptions } from "./options.ts";
export type { PayOptions, Quote, QuoteOptions } from "./pay.ts";
export { Payment, type PaymentEvent, type SettledPayment } from "./payment.ts";
export { checkpointTimeMs } from "./plausible-checkpoint.ts";
export type { Clock, Logger, Ports, Randomness, Transport } from "./ports.ts";
export type { RecordBlob, RecordValue, RecordView } from "./record-view.ts";
export type { RestoreProgress } from "./recovery.ts";
export type { ReplayOptions, ReplayProgress } from "./replay.ts";
export type { SendOptions } from "./send.ts";
export type { SyncOptions, SyncResult } from "./sync.ts";
export type { UnsolicitedLimits } from "./unsolicited.ts";
export type { Balance, QuarantinedVtxo, Reconciling, Restore, WalletStatus, WalletVtxo } from "./view.ts";
export { Wallet } from "./wallet.ts";
export type { AnchorNotice, EventBase, ExpiryNotice, PaymentNotice, WalletEvent } from "./wallet-event.ts";
export type { WalletReader } from "./wallet-reader.ts";
export type { Counters } from "./wallet-rows.ts";

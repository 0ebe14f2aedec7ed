/**
 * A simulated Ark server with its chain, for tests and demonstrations: `docs/simulator.md`.
 *
 * @packageDocumentation
 */
export type { ServerTerms } from "./ark-info.ts";
export { RPC_CREDENTIALS } from "./bitcoin-core.ts";
export type { CallHeaders } from "./call-gate.ts";
export { CORRUPTIONS, type Corruption, corruptVtxo } from "./corruption.ts";
export type { SentHow, SentMessage, SentVtxo } from "./deliveries.ts";
export { SimulatorError, type SimulatorErrorCode } from "./errors.ts";
export { Faults, type HaveMoreRule, SIMULATOR_METHODS, type SimulatorMethod } from "./faults.ts";
export { GRANT_FAULTS, type GrantFault, INVOICE_FAULTS, type InvoiceFault, LightningFaults } from "./lightning-faults.ts";
export { type InvoiceRequest, type NetworkInvoice, PAYMENT_OUTCOMES, type PaymentOutcome } from "./lightning-network.ts";
export type { PoolOrder } from "./lightning-pool.ts";
export type { AttemptStatus, ReceiveStatus } from "./lightning-store.ts";
export { encodeMessage, encodeUnknownMessage, type MailboxRow, type RowKind, type StoredMessage } from "./mailbox-row.ts";
export type { SimulatorNetwork } from "./network.ts";
export type { SimulatorOptions } from "./options.ts";
export type { PackageRequest, SimulatedVtxo } from "./payer.ts";
export type { CorruptionRequest, PaidVtxo, Payment, PaymentRequest } from "./payment.ts";
export type { ServerKeyName } from "./server-keys.ts";
export {
  CHAIN_FAULTS,
  type ChainFault,
  type ChainSpend,
  type ChainTransaction,
  SimulatedChain,
} from "./simulated-chain.ts";
export { type IncomingPayment, type PaymentView, type ReceiveView, SimulatedLightning } from "./simulated-lightning.ts";
export { Simulator, type SimulatorCounters, startSimulator } from "./simulator.ts";
export { type LedgerEntry, SPEND_STATES, type SpendState } from "./vtxo-ledger.ts";

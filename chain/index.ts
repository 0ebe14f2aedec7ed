export { ChainError, type ChainErrorCode } from "./errors.ts";
export { type EsploraOptions, type EsploraSource, esplora } from "./esplora.ts";
export { type ChainNetwork, checkNetwork, GENESIS_HASHES } from "./network.ts";
export type { Answer, ChainSource, ChainTip, QuestionOptions, SpendStatus, TipOptions, TransactionStatus } from "./source.ts";

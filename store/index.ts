export { type ContractLog, type StoreContractOptions, storeContract } from "./contract.ts";
export { createLevelLog } from "./create-level-log.ts";
export { isStoreError, type Place, StoreError, type StoreErrorCode } from "./errors.ts";
export type { AppendRequest, EventLog, LogHead, ReadOptions, Snapshot, SnapshotLog, StoredRecord } from "./event-log.ts";
export { type OpenLevelLogOptions, openLevelLog } from "./level-log.ts";
export type { LockHolder } from "./lock-holder.ts";
export { createMemoryLog, type MemoryLog } from "./memory-log.ts";
export type { VerifyProgress } from "./verify-log.ts";

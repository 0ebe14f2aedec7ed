import { type BorneDamage, findBorneDamage } from "../../store/borne-damage.ts";
import type { LogHead } from "../../store/event-log.ts";
import { LiveLog, openToRead } from "../../store/open-to-read.ts";
import { replayAndCheckSnapshots } from "../check-snapshots.ts";

/** How far a verification is: the whole log is read twice. */
export interface VerifyWalletProgress {
  /** `frames`: CRC, chain and HEAD; then `steps`: every record is taken again by its machine. */
  readonly step: "frames" | "steps";
  readonly seq: bigint;
  readonly total: bigint;
}

/** Options of {@link verifyWallet}. */
export interface VerifyWalletOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyWalletProgress) => void;
}

/** A wallet's directory in which nothing is wrong that counts. */
export interface VerifiedWallet {
  /** The end of its log. */
  readonly head: LogHead;
  /** What is damaged without consequence. */
  readonly borne: readonly BorneDamage[];
}

/**
 * Verifies a wallet's directory: frames, chain and HEAD, then each record against the machine that wrote it, and the
 * snapshots against the records. No seed, no network, nothing is appended. A log without a wallet in it is whole too. A
 * live owner is asked for its frames.
 *
 * @throws HeartwoodError `LOG_UNREADABLE`, `LOG_MISMATCH`, with the record's `seq`; StoreError `STORE_NOT_FOUND`,
 * `STORE_FOREIGN`, `STORE_LOCKED`, `STORE_OWNER_LOST`, any code of damage, with its place; the reason of `signal`
 */
export async function verifyWallet(directory: string, options: VerifyWalletOptions = {}): Promise<VerifiedWallet> {
  const { onProgress } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const tell = (step: VerifyWalletProgress["step"]) =>
    onProgress === undefined
      ? {}
      : { onProgress: ({ seq, total }: { seq: bigint; total: bigint }) => onProgress({ step, seq, total }) };
  await using log = await openToRead(directory, { ...signal, ...tell("frames") });
  const borne = await findBorneDamage(directory, log, log instanceof LiveLog);
  await replayAndCheckSnapshots(log, { ...signal, ...tell("steps") });
  return { head: log.head(), borne };
}

import type { SnapshotLog } from "../../store/event-log.ts";
import type { SalvageReport } from "../../store/salvage-report.ts";
import { type SalvageOptions, salvageStore } from "../../store/salvage-store.ts";
import { noteSalvage } from "../note-salvage.ts";
import { defaultPorts } from "./default-ports.ts";

/** Where HEAD does not say how many records were lost: a guess, no less than what is known of them. */
const KEY_GAP_GUESSED = 1_000;
/** HEAD itself may be a record or two behind what was acknowledged. */
const KEY_GAP_SPARE = 20;
/** A Lightning payment takes one for its HTLCs and its change, and one for what comes back; everything else takes one. */
const MOST_KEYS_A_RECORD = 2;

/** What was in the lost records and neither the server nor the mailbox gives back. */
const NOT_GIVEN_BACK: readonly string[] = [
  "addresses that were given out: keys are passed over, so that none of them is given out again, but which they were is not known",
  "what was held in quarantine from another copy than the mailbox's, how often it was looked at, and since when it was held",
  "payments that were begun: what they spent is kept out of others once the server says so, but no preimage proves them",
  "what was paid to somebody else and not delivered yet, and the preimages of invoices that were made",
  "the times at which packages were credited: they are credited again now",
  "changed addresses of server and chain source: name them again when you open the wallet",
];

/** What a salvage of a wallet kept and lost. */
export interface WalletSalvage extends SalvageReport {
  /** Keys that are passed over, since they may have been given out in the lost records; a guess unless `isEndKnown`. */
  readonly keyGap: number;
  /** What was in the lost records and does not come back, in words. */
  readonly notGivenBack: readonly string[];
}

/**
 * Makes a wallet in a new directory of what is left of a damaged one: its longest run of whole commits. The damaged
 * directory is only read. Needs no seed and no network.
 *
 * The new wallet is *reconciling* (`status().reconciling`): once it connects, the server is asked about every VTXO, the
 * mailbox delivers again what came after the last record kept, and until that is done nothing can be spent. Use it
 * instead of the old one, never both: they are forks of one log.
 *
 * @throws HeartwoodError `WALLET_NOT_CREATED`, `LOG_UNREADABLE`, `LOG_MISMATCH`; StoreError `STORE_UNDAMAGED`,
 * `STORE_NOTHING_LEFT`, `STORE_LOCKED`, `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_EXISTS`, `STORE_UNKNOWN_FORMAT`,
 * `STORE_FULL`, `STORE_IO`; the reason of `signal`
 */
export async function salvageWallet(
  from: string,
  to: string,
  options: Omit<SalvageOptions, "conclude"> = {},
): Promise<WalletSalvage> {
  let keyGap = KEY_GAP_GUESSED;
  const conclude = async (log: SnapshotLog, report: SalvageReport): Promise<void> => {
    keyGap = keyGapOf(report);
    const damage = report.damage.map(({ code }) => code);
    const note = { keptSeq: report.kept.seq, lostTo: report.lost?.to ?? null, damage, keyGap };
    await noteSalvage(log, note, defaultPorts);
  };
  const report = await salvageStore(from, to, { ...options, conclude });
  return { ...report, keyGap, notGivenBack: NOT_GIVEN_BACK };
}

/** How many keys are passed over: as many as the lost records can have given out. */
export function keyGapOf({ kept, lost, isEndKnown }: SalvageReport): number {
  const known = MOST_KEYS_A_RECORD * Number((lost?.to ?? kept.seq) - kept.seq);
  return isEndKnown ? known + KEY_GAP_SPARE : Math.max(known, KEY_GAP_GUESSED);
}

import { readableVtxoId } from "../ark/accept.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { MailboxDelivery, MailboxPage } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import { authorized } from "./clock-skew.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";

/** Life of the authorization for a page, in seconds; each page has its own (mailbox.md M-7). */
const PAGE_AUTHORIZATION_S = 60;
/** Most ids that are looked at; anybody can write any number of them (mailbox.md §3.7). */
const MOST_BACKUP_IDS = 50_000;
/** Pages of a backup that are read; a page has 100 ids as a rule. */
const MOST_PAGES = 20_000;
const END_OF_POSITIONS = 2n ** 63n;

/** What stands in the recovery mailbox. */
export interface Backup {
  /** Each once, in the order in which they were posted: the last {@link MOST_BACKUP_IDS}, since the oldest are spent first. */
  readonly ids: readonly VtxoId[];
  /** How many more there were before them, and one for what was not read at all. */
  readonly beyond: number;
  /** Entries that are no id. */
  readonly malformed: number;
}

/** What reading came to. */
interface Reading {
  readonly malformed: number;
  /** Whether it came to the end of the mailbox for sure. */
  readonly isWhole: boolean;
}

/**
 * The ids in the recovery mailbox.
 *
 * @throws as {@link readBackupIds}
 */
export async function readBackup(engine: Engine, session: ServerSession, signal: AbortSignal): Promise<Backup> {
  const ids = new Set<VtxoId>();
  let beyond = 0;
  const { malformed, isWhole } = await readBackupIds(engine, session, signal, (id) => {
    ids.add(id);
    const [oldest] = ids;
    if (ids.size <= MOST_BACKUP_IDS || oldest === undefined) return;
    ids.delete(oldest);
    beyond++;
  });
  return { ids: [...ids], beyond: isWhole ? beyond : beyond + 1, malformed };
}

/**
 * Reads the recovery mailbox from its beginning until a page is empty: the server's hint that there is no more is not
 * trusted, every message leads on, whatever its kind (mailbox.md W-7), and the last message of a page, which may have been
 * cut there, is read once more as a whole (W-6). A mailbox without an end is left after {@link MOST_PAGES}, and one whose
 * last messages do not say where they stand with these.
 *
 * @param take called for each id, as often as it stands there
 * @throws StreamError; HeartwoodError `MAILBOX_STUCK` if a page does not lead on; the reason of `signal`
 */
export async function readBackupIds(
  engine: Engine,
  session: ServerSession,
  signal: AbortSignal,
  take: (id: VtxoId) => void,
): Promise<Reading> {
  let malformed = 0;
  const takeAll = (delivery: MailboxDelivery): void => {
    const found = idsOf(delivery);
    malformed += found.malformed;
    found.ids.forEach(take);
  };
  let after = 0n;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { messages } = await readPage(engine, session, after, signal);
    const last = messages.at(-1);
    if (last === undefined) return { malformed, isWhole: true };
    messages.slice(0, -1).forEach(takeAll);
    takeAll(await wholeOf(last, engine, session, signal));
    // No page leads past what does not say where it stands, and nothing tells whether more follows.
    if (messages.every(({ checkpoint }) => checkpoint === 0n)) return { malformed, isWhole: false };
    const reached = messages.reduce((most, { checkpoint }) => (checkpoint > most ? checkpoint : most), after);
    if (reached === after || reached >= END_OF_POSITIONS) {
      const message = `expected a page of the backup beyond checkpoint ${after}, got one up to ${reached}`;
      throw new HeartwoodError("MAILBOX_STUCK", message, { retryable: true });
    }
    after = reached;
  }
  return { malformed, isWhole: false };
}

async function wholeOf(
  last: MailboxDelivery,
  engine: Engine,
  session: ServerSession,
  signal: AbortSignal,
): Promise<MailboxDelivery> {
  if (idsOf(last).ids.length === 0 || last.checkpoint === 0n) return last;
  const { messages } = await readPage(engine, session, last.checkpoint - 1n, signal);
  const again = messages.find(({ checkpoint }) => checkpoint === last.checkpoint);
  return again !== undefined && idsOf(again).ids.length > idsOf(last).ids.length ? again : last;
}

function readPage({ keyring }: Engine, session: ServerSession, after: bigint, signal: AbortSignal): Promise<MailboxPage> {
  return authorized(keyring, () => {
    const authorization = keyring.recoveryAuthorization(PAGE_AUTHORIZATION_S);
    return session.readMailbox({ mailboxId: keyring.recoveryMailboxId, authorization, after }, { signal });
  });
}

/** A VTXO that was delivered there names itself by its bytes; the server's copy is fetched all the same. */
function idsOf({ content }: MailboxDelivery): { readonly ids: readonly VtxoId[]; readonly malformed: number } {
  switch (content.kind) {
    case "recovery-vtxo-ids":
      return content;
    case "arkoor": {
      const ids = content.vtxos.map(readableVtxoId).filter((id) => id !== undefined);
      return { ids, malformed: content.vtxos.length - ids.length };
    }
    default:
      return { ids: [], malformed: 0 };
  }
}

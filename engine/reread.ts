import type { MailboxDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import { authorized } from "./clock-skew.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { readAsStream } from "./read-stream.ts";
import { Undecided } from "./undecided.ts";

/** Life of the authorization for a page, in seconds (mailbox.md M-5). */
const AUTHORIZATION_S = 600;
const LAST_POSITION = 2n ** 63n - 1n;

/** Where a message stood, and what it was. */
export interface MessagePlace {
  readonly checkpoint: bigint;
  /** SHA-256 of its bytes, hex. */
  readonly digest: string;
}

/**
 * Reads a message once more from the server whose bytes were above the day's budget, and so are not in the log (DESIGN §7).
 *
 * @returns undefined if the server answers without it
 * @throws Undecided if it does not answer; the signal's reason
 */
export async function rereadMessage(
  engine: Engine,
  { checkpoint, digest }: MessagePlace,
  signal: AbortSignal,
): Promise<MailboxDelivery | undefined> {
  const { keyring, connection } = engine;
  const { session } = connection;
  if (session === undefined) throw new Undecided("SERVER_UNREACHABLE", "expected a session with the server, got none");
  const before = checkpoint > 0n ? checkpoint - 1n : 0n;
  const after = before < LAST_POSITION ? before : LAST_POSITION;
  try {
    const { messages } = await authorized(keyring, () => {
      const authorization = keyring.mailboxAuthorization(AUTHORIZATION_S);
      return session.readMailbox({ mailboxId: keyring.mailboxId, authorization, after }, { signal });
    });
    return messages.find((message) => message.digest === digest);
  } catch (cause) {
    if (codeOf(cause) === "MESSAGE_TOO_LARGE") return rereadAsStream(engine, session, { digest, after }, signal);
    signal.throwIfAborted();
    throw new Undecided(codeOf(cause), messageOf(cause), { cause, question: "message" });
  }
}

/** The page around it is too large to be received. */
async function rereadAsStream(
  engine: Engine,
  session: ServerSession,
  { digest, after }: { readonly digest: string; readonly after: bigint },
  signal: AbortSignal,
): Promise<MailboxDelivery | undefined> {
  let found: MailboxDelivery | undefined;
  try {
    await readAsStream(engine, session, after, signal, async (delivery) => {
      if (delivery.digest === digest) found = delivery;
      return false;
    });
    return found;
  } catch (cause) {
    signal.throwIfAborted();
    throw new Undecided(codeOf(cause), messageOf(cause), { cause, question: "message" });
  }
}

/** Reads VTXOs of such messages; those of one message are asked for in a row, and share one reading. */
export class EntryRereader {
  readonly #engine: Engine;
  #last: { readonly digest: string; readonly message: WeakRef<Promise<MailboxDelivery | undefined>> } | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws Undecided, also if the server has the message no more: then about this one alone; the signal's reason */
  async entry(place: MessagePlace, entry: number, signal: AbortSignal): Promise<Uint8Array> {
    const last = this.#last?.digest === place.digest ? this.#last.message.deref() : undefined;
    const message = last ?? rereadMessage(this.#engine, place, signal);
    if (last === undefined) {
      this.#last = { digest: place.digest, message: new WeakRef(message) };
      message.catch(() => {
        this.#last = undefined;
      });
    }
    const content = (await message)?.content;
    const vtxo = content?.kind === "arkoor" ? content.vtxos[entry] : undefined;
    if (vtxo === undefined) throw withdrawn(place);
    return vtxo;
  }
}

/** The server does not have the bytes any more: only this one is in the way. */
export function withdrawn({ checkpoint, digest }: MessagePlace): Undecided {
  const message = `expected message ${digest} at checkpoint ${checkpoint}, the server has it no more`;
  return new Undecided("BYTES_WITHDRAWN", message, { question: "copy" });
}

import { decodeVtxo } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { authorized } from "./clock-skew.ts";
import type { Engine } from "./engine.ts";
import { codeOf } from "./errors.ts";
import { type Question, Undecided } from "./undecided.ts";
import type { VettingContext } from "./vet-vtxo.ts";

/** Asked about where the wallet has no VTXO of its own: nobody knows it, and to say so is an answer. */
const MADE_UP_TXID = "0123456789abcdef".repeat(4);

/** Life of the authorization for a page, in seconds (mailbox.md M-5). */
const AUTHORIZATION_S = 600;

/** VTXOs of the wallet among which one of another anchor is looked for. */
const MOST_CANDIDATES = 20;

/** A VTXO with its anchor, about which chain and server can be asked. */
interface Subject {
  readonly id: VtxoId;
  readonly keyIndex: number;
  readonly anchorTxid: string;
  readonly anchorVout: number;
}

/**
 * Tells a package's own failures from those of server and chain source, which never count against it (mailbox.md W-22).
 *
 * When a question about one VTXO gets no answer, the same question is asked about another: one that the wallet holds,
 * or else a made-up one. If that gets an answer, only this VTXO is in the way. Asked once a question and vetting.
 */
export class OwnFailures {
  readonly #engine: Engine;
  readonly #context: VettingContext;
  readonly #answers = new Map<Question, Promise<boolean>>();

  constructor(engine: Engine, context: VettingContext) {
    this.#engine = engine;
    this.#context = context;
  }

  /**
   * Whether an error came from the VTXO alone. One that is no lack of an answer is a fault of this build at these bytes.
   *
   * @throws the reason of the context's signal
   */
  async isOwn(error: unknown): Promise<boolean> {
    if (!(error instanceof Undecided)) return true;
    const { question, subject } = error;
    if (question === undefined) return false;
    const answer = this.#answers.get(question) ?? this.#ask(question, subject);
    this.#answers.set(question, answer);
    return answer;
  }

  #ask(question: Question, subject: string | undefined): Promise<boolean> {
    return question === "message" ? this.#isMailboxRead() : this.#isAnswered(question, subject);
  }

  async #isAnswered(question: Exclude<Question, "message">, unlike: string | undefined): Promise<boolean> {
    const { chain, session, keyring, signal } = this.#context;
    const { id, keyIndex, anchorTxid, anchorVout } = await this.#findSubject(unlike);
    try {
      switch (question) {
        case "transaction":
          return (await chain.transaction(anchorTxid, { signal })).kind !== "unknown";
        case "status":
          return (await chain.status(anchorTxid, { signal })).kind !== "unknown";
        case "outspend":
          return (await chain.outspend(anchorTxid, anchorVout, { signal })).kind !== "unknown";
        case "copy":
          await session.getVtxo(id, { signal });
          return true;
        case "spend-state":
          await session.getVtxoStatus(id, keyring.statusAttestation(id, keyIndex), { signal });
          return true;
      }
    } catch (error) {
      signal.throwIfAborted();
      const code = codeOf(error);
      return code === "SERVER_NOT_FOUND" || code === "SERVER_REJECTED";
    }
  }

  /** Whether the server lets the mailbox be read where the wallet reads it next. */
  async #isMailboxRead(): Promise<boolean> {
    const { session, keyring, signal } = this.#context;
    const after = this.#engine.committed.checkpoint;
    try {
      await authorized(keyring, () => {
        const authorization = keyring.mailboxAuthorization(AUTHORIZATION_S);
        return session.readMailbox({ mailboxId: keyring.mailboxId, authorization, after }, { signal });
      });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      return codeOf(error) === "MESSAGE_TOO_LARGE";
    }
  }

  /** Siblings share an anchor, so the first VTXO at hand may be just as unanswerable as the one in question. */
  async #findSubject(unlike: string | undefined): Promise<Subject> {
    for (const { id, keyIndex, source } of [...this.#engine.committed.coins.values()].slice(0, MOST_CANDIDATES)) {
      const { txid, vout } = decodeVtxo(await this.#engine.blobs.vtxo(source)).chainAnchor;
      if (txid !== unlike) return { id, keyIndex, anchorTxid: txid, anchorVout: vout };
    }
    return { id: `${MADE_UP_TXID}:0`, keyIndex: 0, anchorTxid: MADE_UP_TXID, anchorVout: 0 };
  }
}

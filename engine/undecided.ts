import type { Answer } from "../chain/source.ts";

/**
 * A question about one VTXO, or for the message that brought it. Whether only that is in the way shows in the same question
 * about another one.
 */
export type Question = "transaction" | "status" | "outspend" | "copy" | "spend-state" | "message";

/** Somebody who had to answer did not: the package is tried again, whole (mailbox.md W-1). */
export class Undecided extends Error {
  override readonly name = "Undecided";
  readonly code: string;
  /** What got no answer; undefined for what every package needs, such as the tip. */
  readonly question: Question | undefined;
  /** The transaction or VTXO that was asked about. */
  readonly subject: string | undefined;

  constructor(
    code: string,
    message: string,
    { cause, question, subject }: { cause?: unknown; question?: Question; subject?: string } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.question = question;
    this.subject = subject;
  }
}

/**
 * What a chain source found, undefined where it does not know the subject.
 *
 * @throws Undecided where it cannot tell
 */
export function answered<T>(question: Question, subject: string, answer: Answer<T>): T | undefined {
  if (answer.kind === "unknown") {
    const { code, message } = answer.error;
    throw new Undecided(code, message, { cause: answer.error, question, subject });
  }
  return answer.kind === "found" ? answer.value : undefined;
}

import { decodeAuthorization, verifyAuthorization } from "../ark/authorization.ts";
import { decodeMailboxId } from "../ark/mailbox.ts";
import { badInput, orBadInput } from "./rpc-status.ts";

/** What a request says about the mailbox it wants. */
export interface MailboxAccess {
  readonly mailboxId: Uint8Array;
  readonly authorization?: Uint8Array | undefined;
}

/**
 * The six checks of mailbox.md §3.2, in order, each refused with INVALID_ARGUMENT.
 *
 * @returns The mailbox id (33 bytes).
 * @throws ServerError
 */
export function authorizeMailbox(access: MailboxAccess, nowMs: number): Uint8Array {
  const mailboxId = checkMailboxId(access.mailboxId);
  if (access.authorization === undefined) throw badInput("mailbox authorization required");
  checkAuthorization(access.authorization, mailboxId, nowMs);
  return mailboxId;
}

/** Check 1. */
export function checkMailboxId(bytes: Uint8Array): Uint8Array {
  return orBadInput("invalid mailbox id", () => decodeMailboxId(bytes));
}

/** Checks 3 to 6. */
export function checkAuthorization(bytes: Uint8Array, mailboxId: Uint8Array, nowMs: number): void {
  const authorization = orBadInput("invalid mailbox authorization", () => decodeAuthorization(bytes));
  orBadInput("mailbox authorization refused", () => verifyAuthorization(authorization, { mailboxId, nowMs }));
}

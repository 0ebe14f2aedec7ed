import { ServerError, Status } from "nice-grpc-common";
import { ArkError } from "../ark/errors.ts";

/** A refusal with code 3, as the server words it (mailbox.md §3.1). */
export function badInput(text: string): ServerError {
  return new ServerError(Status.INVALID_ARGUMENT, `bad user input: ${text}`);
}

/** A refusal with code 5; the ids become the `identifiers` metadata (mailbox.md §3.1). */
export class NotFound extends ServerError {
  /** Text ids of what is not known; possibly none. */
  readonly identifiers: readonly string[];

  constructor(text: string, identifiers: readonly string[] = []) {
    super(Status.NOT_FOUND, `not found: ${text}`);
    this.identifiers = identifiers;
  }
}

/** Anything else (code 13), with the cause as a server with rich errors tells it. */
export function internal(text: string): ServerError {
  return new ServerError(Status.INTERNAL, `internal error: ${text}`);
}

/** Runs a step whose refusals by the protocol code mean the caller's bytes are wrong. */
export function orBadInput<T>(what: string, step: () => T): T {
  return orStatus(step, (reason) => badInput(`${what}: ${reason}`));
}

/** Runs a step whose refusals by the protocol code are answered as `status` says; other errors pass. */
export function orStatus<T>(step: () => T, status: (reason: string) => ServerError): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof ArkError) throw status(`${error.code}: ${error.message}`);
    throw error;
  }
}

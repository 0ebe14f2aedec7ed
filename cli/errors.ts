/** Every reason for which the command itself, not what it works on, refuses something. */
export type CliErrorCode =
  /** The command line is wrong; exit code 2. */
  | "USAGE"
  /** A line or an argument is longer than the command takes. */
  | "INPUT_TOO_LONG"
  /** A line is not a JSON object in UTF-8. */
  | "BAD_JSON"
  /** A member is missing or has another type than expected. */
  | "BAD_MEMBER"
  /** A member or an argument is not hex. */
  | "BAD_HEX"
  /** The given anchor transaction is none. */
  | "BAD_ANCHOR_TX"
  /** The mnemonic file cannot be read, is empty, or holds no mnemonic. */
  | "MNEMONIC_FILE_UNREADABLE"
  | "MNEMONIC_FILE_EMPTY"
  | "BAD_MNEMONIC"
  /** The server is not one that the wallet can use; the code of the reason is in the message. */
  | "WALLET_STOPPED"
  /** The user ended the command before it was done. */
  | "INTERRUPTED"
  /** It was not done within the time of --timeout. */
  | "TIMED_OUT"
  /** The demo waited for something that did not come. */
  | "DEMO_STUCK"
  /** Nobody reads standard output any more. */
  | "BROKEN_PIPE"
  /** A bug of ours: report it. */
  | "INTERNAL_ERROR";

/** Bad use of the command, or input that it cannot take. Repeating it as it is never helps. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;
  readonly retryable = false;

  constructor(code: CliErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** What is said about a failure. */
export interface ErrorDescription {
  readonly code: string;
  readonly message: string;
  /** Where in a log it is, as far as that is known. */
  readonly place?: { readonly file?: string; readonly seq?: bigint; readonly commit?: bigint };
}

/** Code, message and place of anything thrown: our own error classes and Node's system errors have a code. */
export function describeError(error: unknown): ErrorDescription {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code)
    ? { code, message, ...placeOf(error) }
    : { code: "INTERNAL_ERROR", message };
}

function placeOf(error: unknown): Pick<ErrorDescription, "place"> {
  if (!(error instanceof Error) || !("place" in error) || typeof error.place !== "object" || error.place === null) return {};
  const { file, seq, commit } = error.place as { file?: unknown; seq?: unknown; commit?: unknown };
  const place = {
    ...(typeof file === "string" ? { file } : {}),
    ...(typeof seq === "bigint" ? { seq } : {}),
    ...(typeof commit === "bigint" ? { commit } : {}),
  };
  return Object.keys(place).length === 0 ? {} : { place };
}

/** Whether it is damage of which `heartwood log salvage` can make a new directory. */
export function isSalvageable(error: unknown): boolean {
  return error instanceof Error && "salvageable" in error && error.salvageable === true;
}

/** Why the simulator itself refused something; what its server answers to clients are gRPC statuses instead. */
export type SimulatorErrorCode =
  | "OPTION_INVALID"
  | "LISTEN_FAILED"
  | "BAD_REQUEST"
  | "NOT_FOUND"
  | "ADDRESS_INVALID"
  | "ADDRESS_FOREIGN"
  | "AMOUNT_INVALID"
  | "UNKNOWN_VTXO"
  | "UNKNOWN_MESSAGE"
  | "UNKNOWN_PAYMENT"
  | "INVOICE_INVALID"
  | "UNKNOWN_TRANSACTION"
  | "CHECKPOINTS_EXHAUSTED"
  | "CORRUPTION_IMPOSSIBLE"
  | "PAYMENT_REFUSED";

/** Raised by the simulator's own interface, never sent over its gRPC services. */
export class SimulatorError extends Error {
  override readonly name = "SimulatorError";
  readonly code: SimulatorErrorCode;
  /** Whether the same call can succeed later: only where a port is taken. */
  readonly retryable: boolean;

  constructor(code: SimulatorErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = code === "LISTEN_FAILED";
  }
}

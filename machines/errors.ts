/** Why a machine cannot take a step. */
export type MachineErrorCode =
  /** A guard or an assignment threw: a bug of the machine, fatal for the instance. Report it. */
  | "MACHINE_FAULT"
  /** A value that the canonical codec does not carry, or text that it did not write. */
  | "NOT_CANONICAL"
  /** A machine, event, schema, state, effect or revision that this build does not know. Upgrade. */
  | "UNKNOWN_MACHINE"
  | "UNKNOWN_EVENT"
  | "UNKNOWN_SCHEMA"
  | "UNKNOWN_STATE"
  | "UNKNOWN_EFFECT"
  | "UNKNOWN_REVISION";

/** A machine that cannot go on. Never retryable: the same step fails again. */
export class MachineError extends Error {
  override readonly name = "MachineError";
  readonly code: MachineErrorCode;
  readonly retryable = false;

  constructor(code: MachineErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

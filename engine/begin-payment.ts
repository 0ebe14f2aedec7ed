/** What every call that pays does before and when it records its payment. */
import { ArkError } from "../ark/errors.ts";
import type { PaymentInput } from "../machines/books.ts";
import { forMany } from "../streams/for-many.ts";
import type { ServerSession } from "../streams/session.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { chooseInputs, type InputChoice } from "./free-coins.ts";
import { Payment } from "./payment.ts";
import type { Dispatch } from "./run-loop.ts";
import { balanceOf } from "./view.ts";

/** Takes the event that begins a payment; resolves when it is durable. */
export async function begin(engine: Engine, dispatch: Dispatch): Promise<Payment> {
  const { taken, committed } = engine.feed(dispatch);
  if (!taken) throw new Error(`expected ${dispatch.instance} to take ${dispatch.event.type}`);
  await committed;
  return new Payment(dispatch.instance, engine);
}

/**
 * The session in use.
 *
 * @throws HeartwoodError `NOT_CONNECTED`
 */
export function sessionOf(engine: Engine): ServerSession {
  const { session } = engine.connection;
  if (session !== undefined) return session;
  throw new HeartwoodError("NOT_CONNECTED", "expected a connected wallet, got one that is not: start() it", { retryable: true });
}

/**
 * Height of the tip.
 *
 * @throws HeartwoodError `CHAIN_UNAVAILABLE`; the reason of the signal
 */
export async function tipOf({ chain }: Engine, signal: AbortSignal | undefined): Promise<number> {
  const tip = await chain.tip(signal === undefined ? {} : { signal: forMany(signal) });
  signal?.throwIfAborted();
  if (tip.kind === "found") return tip.value.height;
  const cause = tip.kind === "unknown" ? tip.error : undefined;
  throw new HeartwoodError("CHAIN_UNAVAILABLE", "expected a tip from the chain source, got none", { retryable: true, cause });
}

/**
 * Inputs for a payment, to be recorded in this tick.
 *
 * @throws HeartwoodError `INSUFFICIENT_FUNDS`
 */
export function inputsOf(engine: Engine, choice: InputChoice): PaymentInput[] {
  const { pending } = engine.loop;
  try {
    return chooseInputs(pending, choice);
  } catch (cause) {
    if (!(cause instanceof ArkError) || cause.code !== "INSUFFICIENT_FUNDS") throw cause;
    const { spendableSats } = balanceOf(pending);
    const message = `${cause.message}, of ${spendableSats} sat that are spendable`;
    throw new HeartwoodError("INSUFFICIENT_FUNDS", message, { cause });
  }
}

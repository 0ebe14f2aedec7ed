import { ServerError } from "nice-grpc-common";
import { type Corruption, corruptVtxo } from "./corruption.ts";
import { SimulatorError } from "./errors.ts";
import type { PackageRequest, SimulatedVtxo } from "./payer.ts";

/** A payment: a package, and which of its VTXOs to spoil on the way. */
export interface PaymentRequest extends PackageRequest {
  /** Spoiled VTXOs are put into the mailbox past the checks of a post. */
  readonly corrupt?: readonly CorruptionRequest[];
}

/** Which VTXO to spoil, and how. */
export interface CorruptionRequest {
  /** Position among the amounts. */
  readonly index: number;
  readonly how: Corruption;
}

/** A VTXO as it was delivered. */
export interface PaidVtxo extends SimulatedVtxo {
  /** How it was spoiled; id, amount and depth are still those of the good one. */
  readonly corruption: Corruption | null;
}

/** What a payment delivered. */
export interface Payment {
  /** Position of the message; `null` if every VTXO was in a mailbox already. */
  readonly checkpoint: bigint | null;
  /** The recipient's mailbox, hex. */
  readonly mailboxId: string;
  /** In the order of the amounts. */
  readonly vtxos: readonly PaidVtxo[];
}

/** Refuses requests to spoil what there is not. @throws SimulatorError `OPTION_INVALID` */
export function checkCorruptions({ amountsSats, corrupt = [] }: PaymentRequest): void {
  const outside = corrupt.find(({ index }) => !Number.isInteger(index) || index < 0 || index >= amountsSats.length);
  if (outside) {
    throw new SimulatorError("OPTION_INVALID", `expected corrupt of index 0 … ${amountsSats.length - 1}, got ${outside.index}`);
  }
}

/** Spoils some of a package. @throws SimulatorError `CORRUPTION_IMPOSSIBLE` */
export function spoil(created: readonly SimulatedVtxo[], corrupt: readonly CorruptionRequest[] = []): PaidVtxo[] {
  return created.map((vtxo, i) => {
    const corruption = corrupt.find(({ index }) => index === i)?.how ?? null;
    return { ...vtxo, bytes: corruption ? corruptVtxo(vtxo.bytes, corruption) : vtxo.bytes, corruption };
  });
}

/** Runs a step of a payer; the server's refusal becomes an error of the simulator. @throws SimulatorError `PAYMENT_REFUSED` */
export async function refusedAsError<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof ServerError) throw new SimulatorError("PAYMENT_REFUSED", cause.details, { cause });
    throw cause;
  }
}

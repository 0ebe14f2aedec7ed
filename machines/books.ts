import type { PolicyKind } from "../ark/policy.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Plain } from "./canonical.ts";
import type { AcceptedVtxo, VtxoSource } from "./package.ts";

/** A VTXO of the wallet. */
export type OwnVtxo = AcceptedVtxo & {
  /** Of an HTLC; a pubkey VTXO says none. */
  readonly policyKind?: PolicyKind;
};

/** A VTXO of somebody else, with the place of its bytes: they are nowhere else until it is delivered. */
export type ForeignVtxo = { readonly id: VtxoId; readonly amountSats: bigint; readonly source: VtxoSource };

/** A VTXO that an action pays with, with all that is needed to spend it; lists of them keep their order on every retry. */
export type PaymentInput = {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  readonly expiryHeight: number;
  /** Number of genesis items: how many transactions an exit needs. */
  readonly exitDepth: number;
  readonly keyIndex: number;
  readonly source: VtxoSource;
};

/** How an action ended; every action machine has it in its context as `outcome`, null while it is open. */
export type ActionOutcome = {
  readonly status: "successful" | "failed" | "canceled";
  /** Why it did not succeed, or null. */
  readonly code: string | null;
  readonly message: string | null;
};

/** A movement of an action, or of its exits (lightning.md §11), as it stands after a record; the next one of the same id replaces it. */
export type ActionMovement = {
  /** The instance's name, as {@link movementIdOf} makes it. */
  readonly id: string;
  readonly subsystem: "bark.arkoor" | "bark.lightning_send" | "bark.lightning_receive" | "heartwood.exit";
  readonly kind: "send" | "receive" | "withdrawal";
  readonly status: "pending" | ActionOutcome["status"];
  readonly intendedSats: bigint;
  readonly effectiveSats: bigint;
  readonly feeSats: bigint;
  readonly inputs: readonly VtxoId[];
  readonly outputs: readonly VtxoId[];
  /** VTXOs that only an exit brings back. */
  readonly exited: readonly VtxoId[];
  readonly sentTo: readonly MovementPlace[];
  readonly receivedOn: readonly MovementPlace[];
  /** Such as `payment_hash` and `payment_preimage`. */
  readonly metadata: { readonly [name: string]: Plain };
};

/** An address or invoice with what it got. */
export type MovementPlace = { readonly destination: string; readonly amountSats: bigint };

const ACTIONS: ReadonlySet<string> = new Set(["arkoor-send", "lightning-send", "lightning-receive"]);

/** Whether a machine of that name is an action: it asks for entries, and its context has an `outcome`. */
export function isAction(machine: string): boolean {
  return ACTIONS.has(machine);
}

/** Id of the movement of an action: `arkoor_send.<id>` of the instance `arkoor-send/<id>`. */
export function movementIdOf(instance: string): string {
  const [machine = "", ...rest] = instance.split("/");
  return [machine.replaceAll("-", "_"), ...rest].join(".");
}

/** The instance whose movement has that id; what is no movement's id stays as it is. */
export function instanceOf(movementId: string): string {
  const [machine = "", ...rest] = movementId.split(".");
  return rest.length === 0 ? movementId : [machine.replaceAll("_", "-"), ...rest].join("/");
}

/** Σ of amounts in sats. */
export function sumOf(amounts: readonly { readonly amountSats: bigint }[]): bigint {
  return amounts.reduce((total, { amountSats }) => total + amountSats, 0n);
}

/** Ids in order. */
export function idsOf(vtxos: readonly { readonly id: VtxoId }[]): VtxoId[] {
  return vtxos.map(({ id }) => id);
}

import { encodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { SimulatorError } from "./errors.ts";

/** What the server knows of a VTXO (arkoor.md §10.2). */
export const SPEND_STATES = [
  "unregistered",
  "spendable",
  "spent",
  "unclaimed",
  "htlc-recv-unclaimed",
  "ln-spent",
  "pool",
] as const;

/** Name of a spend state. */
export type SpendState = (typeof SPEND_STATES)[number];

/** A VTXO as the server has it. */
export interface LedgerEntry {
  readonly id: VtxoId;
  readonly vtxo: Vtxo;
  /** Full encoding. Signatures of the newest genesis items are absent until the VTXO is registered. */
  readonly bytes: Uint8Array;
  /** True for outputs that the server tracks for itself and that no user holds. */
  readonly isInternal: boolean;
  readonly state: SpendState;
  /** Id of the transaction that spent it, `null` while unspent or where the spend is not one of an arkoor. */
  readonly spentBy: string | null;
}

/** The server's table of VTXOs. */
export class VtxoLedger {
  readonly #entries = new Map<VtxoId, LedgerEntry>();

  /** Whether a VTXO, internal ones included, is known. */
  has(id: VtxoId): boolean {
    return this.#entries.has(id);
  }

  get(id: VtxoId): LedgerEntry | null {
    return this.#entries.get(id) ?? null;
  }

  /** All VTXOs in the order in which they became known. */
  entries(): LedgerEntry[] {
    return [...this.#entries.values()];
  }

  /** Makes a VTXO known; one that is known already stays as it is. */
  insert(vtxo: Vtxo, entry: Pick<LedgerEntry, "state" | "isInternal"> & { readonly spentBy?: string | null }): LedgerEntry {
    const id = vtxoId(vtxo);
    const known = this.#entries.get(id);
    if (known) return known;
    const inserted = { id, vtxo, bytes: encodeVtxo(vtxo), spentBy: null, ...entry };
    this.#entries.set(id, inserted);
    return inserted;
  }

  /** Takes over a signed copy, and makes an unregistered VTXO spendable (mailbox.md §3.8). */
  register(vtxo: Vtxo): void {
    const entry = this.#expect(vtxoId(vtxo));
    const state = entry.state === "unregistered" ? "spendable" : entry.state;
    this.#entries.set(entry.id, { ...entry, vtxo, bytes: encodeVtxo(vtxo), state });
  }

  /** Marks a VTXO as spent by a transaction. */
  spend(id: VtxoId, spentBy: string): void {
    this.setState(id, "spent", spentBy);
  }

  /** Sets a state, whatever it was. @throws SimulatorError `UNKNOWN_VTXO` */
  setState(id: VtxoId, state: SpendState, spentBy: string | null = null): void {
    this.#entries.set(id, { ...this.#expect(id), state, spentBy });
  }

  /** Forgets a VTXO, as no honest server does. @throws SimulatorError `UNKNOWN_VTXO` */
  forget(id: VtxoId): void {
    this.#entries.delete(this.#expect(id).id);
  }

  #expect(id: VtxoId): LedgerEntry {
    const entry = this.#entries.get(id);
    if (!entry) throw new SimulatorError("UNKNOWN_VTXO", `expected a VTXO of this server, got ${id}`);
    return entry;
  }
}

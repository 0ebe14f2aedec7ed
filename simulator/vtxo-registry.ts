import { allWitnessesPresent } from "../ark/exit.ts";
import { validateVtxo } from "../ark/validate.ts";
import { decodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import { badInput, NotFound, orBadInput } from "./rpc-status.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

/** `RegisterVtxoTransactions`: the server takes over signed transaction chains (mailbox.md §3.8, arkoor.md §10.3). */
export class VtxoRegistry {
  readonly #ledger: VtxoLedger;
  readonly #chain: SimulatedChain;

  constructor(ledger: VtxoLedger, chain: SimulatedChain) {
    this.#ledger = ledger;
    this.#chain = chain;
  }

  /**
   * All or nothing, idempotent; copies of one VTXO in the list count once.
   *
   * @throws ServerError
   */
  register(encodings: readonly Uint8Array[]): void {
    if (encodings.length === 0) throw badInput("expected at least one vtxo, got none");
    const vtxos = encodings.map((bytes) => orBadInput("invalid vtxo", () => decodeVtxo(bytes)));
    const distinct = new Map(vtxos.toReversed().map((vtxo) => [vtxoId(vtxo), vtxo]));
    for (const vtxo of [...distinct.values()].reverse()) this.#check(vtxo);
    for (const vtxo of distinct.values()) this.#ledger.register(vtxo);
  }

  #check(vtxo: Vtxo): void {
    const id = vtxoId(vtxo);
    const entry = this.#ledger.get(id);
    if (!entry) throw new NotFound("vtxo", [id]);
    if (entry.isInternal) throw badInput(`${id} is not a user vtxo`);
    if (!allWitnessesPresent(vtxo)) throw badInput(`vtxo ${id} is not fully signed`);
    const anchor = this.#chain.transaction(vtxo.chainAnchor.txid);
    if (!anchor || anchor.transaction.inputs.some((input) => input.witness.length === 0)) {
      throw badInput(`chain anchor of vtxo ${id} is not known in signed form`);
    }
    orBadInput(`invalid vtxo ${id}`, () => validateVtxo(vtxo, anchor.transaction));
  }
}

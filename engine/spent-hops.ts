import { type Descent, pathOf } from "../ark/lineage.ts";
import { NAME_KEY_BYTES, nameKey } from "./name-key.ts";
import { SeqIndex } from "./seq-index.ts";

/**
 * How the chains of a wallet's VTXOs went through each output, remembered when the VTXOs are gone: what was paid away
 * was money only if no other chain spends one of those outputs (mailbox.md W-47).
 */
export class SpentHops {
  /** Of each output the record that spent a VTXO behind it; of each output with its spender the same. */
  readonly #records: SeqIndex;

  constructor(records = new SeqIndex(NAME_KEY_BYTES)) {
    this.#records = records;
  }

  /** Remembers the chain of a VTXO that a record spends. */
  add(descent: Descent, seq: bigint): void {
    for (const [output, hop] of hopsOf(descent)) {
      this.#records.set(nameKey(output), seq);
      this.#records.set(nameKey(hop), seq);
    }
  }

  /** The record that spent a VTXO whose chain spends an output of that one's chain by another transaction, if any did. */
  rivalOf(descent: Descent): bigint | undefined {
    for (const [output, hop] of hopsOf(descent)) {
      const seq = this.#records.get(nameKey(output));
      if (seq === undefined) return undefined;
      if (this.#records.get(nameKey(hop)) === undefined) return seq;
    }
    return undefined;
  }

  clone(): SpentHops {
    return new SpentHops(this.#records.clone());
  }

  encode(): Uint8Array {
    return this.#records.encode();
  }
}

/** Each output that a chain spends, alone and with the transaction that spends it. */
function hopsOf(descent: Descent): [output: string, hop: string][] {
  const path = pathOf(descent);
  return descent.lineage.map((output, i) => [output, `${output} ${path[i + 1]?.split(":")[0]}`]);
}

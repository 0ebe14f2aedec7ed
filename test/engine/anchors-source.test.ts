import { expect, test } from "vitest";
import { ancestorIds, exitTransactions } from "../../ark/exit.ts";
import { lineageOf } from "../../ark/lineage.ts";
import { encodeTransaction } from "../../ark/transaction.ts";
import { decodeVtxo, encodeVtxo, vtxoId } from "../../ark/vtxo.ts";
import { outpointOf } from "../../ark/vtxo-id.ts";
import { Anchors } from "../../engine/anchors.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ChainSource } from "../../engine/index.ts";
import type { Dispatch } from "../../engine/run-loop.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import { alice, board, bob, destination, pay } from "../ark/payments.ts";
import { vtxoOf } from "../machines/fixtures.ts";
import { fastChain, fastOptions, freshDirectory, openWallet, recorded, simulate } from "./helpers.ts";

// Sources that answer late or in part, and VTXOs of which little is recorded.

test("an output of the spender of an anchor that a source does not know yet takes no money away (mailbox.md W-1)", async () => {
  const simulator = await simulate();
  const unknown = new Set<string>();
  const chain = knowingLess(fastChain(simulator), unknown);
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), chain });
  await wallet.sync();
  const { vtxos } = await simulator.pay(await wallet.address(), { amountsSats: [9_000n], depth: 3 });
  await wallet.sync();
  const events = recorded(wallet);
  const vtxo = decodeVtxo(vtxos[0]?.bytes ?? new Uint8Array());
  const [first, second] = exitTransactions(vtxo);
  for (const transaction of [first, second]) {
    if (transaction === undefined) throw new Error("expected a VTXO of some depth");
    simulator.chain.add(encodeTransaction(transaction), simulator.chain.tip);
  }
  const spent = ancestorIds(vtxo).map((id) => outpointOf(id).txid);
  for (const txid of spent) {
    unknown.clear();
    unknown.add(txid);
    // What is absent is believed at a second, higher tip.
    for (let block = 0; block < 2; block++) {
      simulator.mine();
      await wallet.sync();
    }
  }
  expect(wallet.balance()).toMatchObject({ spendableSats: 9_000n, unanchoredSats: 0n });
  expect(events.filter(({ type }) => type === "vtxo.unanchored")).toEqual([]);
  unknown.clear();
  simulator.mine();
  await wallet.sync();
  expect(wallet.balance()).toMatchObject({ spendableSats: 9_000n });
});

test.each(["with a lineage", "without one, as records of an older build have it"])(
  "a VTXO %s, is followed below its anchor: money where its own chain spends that, none where another does",
  async (which) => {
    const boarded = board(alice, 10_000n).vtxo;
    const [vtxo] = pay([{ vtxo: boarded, owner: alice }], [destination(10_000n, bob)]);
    if (vtxo === undefined) throw new Error("expected a VTXO");
    const lineage = lineageOf(vtxo);
    const pending = new WalletState();
    const coin = { ...vtxoOf(1), id: vtxoId(vtxo), checkpoint: 1n, seq: 1n };
    pending.putCoin(which === "with a lineage" ? { ...coin, lineage } : coin);
    const [spender = "", next = ""] = ancestorIds(vtxo).map((id) => outpointOf(id).txid);
    const found = async (spenders: Readonly<Record<string, string>>): Promise<number> => {
      const told: unknown[] = [];
      const engine = {
        blobs: { vtxo: async () => encodeVtxo(vtxo) },
        chain: {
          status: async () => ({ kind: "found", value: { confirmed: true, height: 90 } }),
          outspend: async (txid: string) => {
            const by = spenders[txid];
            return { kind: "found", value: by === undefined ? { spent: false } : { spent: true, txid: by } };
          },
        },
        confirmations: 1,
        keyring: { usedIndex: () => undefined, deriveUsed: async () => {} },
        loop: { pending },
        notify: ({ event }: Dispatch) => void told.push(...(event.findings as readonly unknown[])),
        ports: { logger: () => {} },
      };
      await new Anchors(engine as unknown as Engine).look(100, new AbortController().signal);
      return told.length;
    };
    const anchor = vtxo.chainAnchor.txid;
    expect([await found({ [anchor]: spender, [spender]: next }), await found({ [anchor]: "ff".repeat(32) })]).toEqual([0, 1]);
  },
);

/** A chain source that does not know outputs of some transactions. */
function knowingLess(source: ChainSource, unknown: ReadonlySet<string>): ChainSource {
  return {
    tip: (options) => source.tip(options),
    transaction: (txid, options) => source.transaction(txid, options),
    blockHash: (height, options) => source.blockHash(height, options),
    status: (txid, options) => source.status(txid, options),
    outspend: async (txid, vout, options) => (unknown.has(txid) ? { kind: "absent" } : source.outspend(txid, vout, options)),
  };
}

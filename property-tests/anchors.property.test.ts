import fc from "fast-check";
import { expect, test } from "vitest";
import { equalBytes } from "../ark/bytes.ts";
import { exitTransactions } from "../ark/exit.ts";
import { lineageOf, pathOf } from "../ark/lineage.ts";
import type { Outpoint } from "../ark/outpoint.ts";
import type { UserPolicy } from "../ark/policy.ts";
import { transactionId } from "../ark/transaction.ts";
import { type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { ChainSource } from "../chain/source.ts";
import { askAnchor } from "../engine/ask-anchor.ts";
import { breakOf, byPoint } from "../engine/fold-anchors.ts";
import { alice, board, bob, carol, destination, type KeyPair, pay } from "../test/ark/payments.ts";
import { propertyOptions } from "./options.ts";

// What is said of VTXOs under one anchor, whatever of their chains is on chain, against a plain account of who can take what.

const me = carol;

/** An exit transaction: the output that it spends, and who can take that once it is on chain. */
interface Step {
  readonly txid: string;
  readonly spends: string;
  readonly outputs: number;
  readonly taker: KeyPair | null;
}

interface Made {
  readonly vtxo: Vtxo<UserPolicy>;
  readonly owner: KeyPair;
  readonly steps: readonly Step[];
}

const nameOf = ({ txid, vout }: Outpoint): string => `${txid}:${vout}`;

function made(vtxo: Vtxo<UserPolicy>, owner: KeyPair, takers: readonly (KeyPair | null)[]): Made {
  const steps = exitTransactions(vtxo).map((transaction, index) => ({
    txid: transactionId(transaction),
    spends: transaction.inputs.map(({ outpoint }) => nameOf(outpoint)).join(),
    outputs: transaction.outputs.length,
    taker: takers[index] ?? null,
  }));
  return { vtxo, owner, steps };
}

/** A payment: its payer can take back what it spends, and nobody what is between. */
function paid(from: Made, recipients: readonly KeyPair[], mode: "checkpoint" | "direct" = "checkpoint"): Made[] {
  const amountSats = from.vtxo.amountSats / BigInt(recipients.length);
  const vtxos = pay(
    [from],
    recipients.map((owner) => destination(amountSats, owner)),
    mode,
  );
  const takers = from.steps.map(({ taker }) => taker);
  return vtxos.map((vtxo, index) => made(vtxo, recipients[index] ?? me, [...takers, from.owner]));
}

function forest(): { readonly anchor: Outpoint; readonly mine: readonly Made[] } {
  const { vtxo } = board(alice, 120_000n);
  const [ofBob, mine, ofAlice] = paid(made(vtxo, alice, []), [bob, me, alice]);
  if (ofBob === undefined || mine === undefined || ofAlice === undefined) throw new Error("expected three VTXOs");
  const [change, sent] = paid(mine, [me, bob]);
  if (change === undefined || sent === undefined) throw new Error("expected two VTXOs");
  const kept = [...paid(ofBob, [me, me]), change, ...paid(sent, [me]), ...paid(ofAlice, [me, me], "direct")];
  return { anchor: vtxo.chainAnchor, mine: kept };
}

const { anchor, mine } = forest();
const steps = [...new Map(mine.flatMap((one) => one.steps.map((step) => [step.txid, step]))).values()];

/** What is on chain: some chains as far as some step, and perhaps one more transaction, of nobody. */
class World {
  readonly #known = new Set([anchor.txid]);
  readonly #spenders = new Map<string, string>();

  constructor(exits: readonly (readonly [chain: number, steps: number])[], foreign: number | null) {
    for (const [chain, count] of exits) {
      for (const { txid, spends } of mine[chain]?.steps.slice(0, count) ?? []) {
        this.#known.add(txid);
        this.#spenders.set(spends, txid);
      }
    }
    const outputs = steps.flatMap(({ txid, outputs }) => Array.from({ length: outputs }, (_, vout) => `${txid}:${vout}`));
    const unspent = [nameOf(anchor), ...outputs].filter((name) => this.#isOnChain(name) && !this.#spenders.has(name));
    const taken = foreign === null ? undefined : unspent[foreign % unspent.length];
    if (taken !== undefined) this.#spenders.set(taken, "ff".repeat(32));
  }

  #isOnChain(output: string): boolean {
    return this.#known.has(output.slice(0, 64));
  }

  /** By the rules of vtxo.md §4.7 and arkoor.md §1. */
  isMoney({ steps }: Made): boolean {
    for (const [index, { txid, spends, taker }] of steps.entries()) {
      if (this.#known.has(txid)) continue;
      return !this.#spenders.has(spends) && (index === 0 || taker === null || equalBytes(taker.publicKey, me.publicKey));
    }
    return false;
  }

  source(namesSpenders: boolean): ChainSource {
    const confirmed = { kind: "found", value: { confirmed: true, height: 90, blockHash: "" } };
    return {
      status: async (txid: string) => (this.#known.has(txid) ? confirmed : { kind: "absent" }),
      outspend: async (txid: string, vout: number) => {
        const spender = this.#spenders.get(`${txid}:${vout}`);
        if (namesSpenders && spender !== undefined) return { kind: "found", value: { spent: true, txid: spender } };
        return { kind: "found", value: { spent: spender !== undefined || !(namesSpenders || this.#known.has(txid)) } };
      },
    } as unknown as ChainSource;
  }
}

test("a VTXO is money as long as nobody else can take it, whatever of its anchor's chains is on chain (mailbox.md W-41)", async () => {
  const exits = fc.array(fc.tuple(fc.nat(mine.length - 1), fc.nat(8)), { maxLength: 4 });
  const held = fc.subarray([...mine], { minLength: 1 });
  const isOwn = (key: Uint8Array): boolean => equalBytes(key, me.publicKey);
  await fc.assert(
    fc.asyncProperty(exits, fc.option(fc.nat(200)), fc.boolean(), held, async (exited, foreign, namesSpenders, vtxos) => {
      const world = new World(exited, foreign);
      const coins = vtxos.map(({ vtxo }) => ({ id: vtxoId(vtxo), lineage: lineageOf(vtxo) }));
      const hanging = coins.map((coin, index) => {
        return { path: pathOf(coin), read: async () => vtxos[index]?.vtxo ?? Promise.reject(new Error("expected a VTXO")) };
      });
      const { signal } = new AbortController();
      const context = { chain: world.source(namesSpenders), signal, confirmations: 1, tipHeight: 100, isOwn };
      const found = byPoint((await askAnchor(anchor, async () => hanging, context)).breaks);
      const expected = vtxos.map((one) => world.isMoney(one));
      expect(coins.map((coin) => breakOf(coin, found) === undefined)).toEqual(expected);
    }),
    propertyOptions(200),
  );
});

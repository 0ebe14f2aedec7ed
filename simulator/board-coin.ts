import { boardFunding, buildBoard, signBoard } from "../ark/board.ts";
import { publicKeyOf } from "../ark/crypto.ts";
import { displayTxid } from "../ark/outpoint.ts";
import type { UserPolicy } from "../ark/policy.ts";
import { encodeTransaction, type Transaction } from "../ark/transaction.ts";
import type { Vtxo } from "../ark/vtxo.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedChain } from "./simulated-chain.ts";

/** A VTXO with the key that spends it. */
export interface Coin {
  readonly vtxo: Vtxo<UserPolicy>;
  readonly secretKey: Uint8Array;
}

/** A coin to make. */
export interface CoinOrder {
  readonly amountSats: bigint;
  readonly serverSecretKey: Uint8Array;
  readonly expiryHeight: number;
  readonly exitDelta: number;
  /** Leaves the funding transaction in the mempool. */
  readonly unconfirmedAnchor: boolean;
}

/** Confirmations of a funding transaction that is in a block. */
const FUNDING_CONFIRMATIONS = 6;

/** A coin as if it had been boarded earlier: fully signed, its funding on the chain. The server does not know it yet. */
export function boardCoin(chain: SimulatedChain, order: CoinOrder, random: SeededRandom): Coin {
  const { amountSats, serverSecretKey, expiryHeight, exitDelta } = order;
  const userSecretKey = random.secretKey();
  const terms = {
    userPubkey: publicKeyOf(userSecretKey),
    serverPubkey: publicKeyOf(serverSecretKey),
    expiryHeight,
    exitDelta,
  };
  const funding = fundingTransaction(amountSats, boardFunding(terms).script, random);
  const height = order.unconfirmedAnchor ? null : Math.max(1, chain.tip - FUNDING_CONFIRMATIONS + 1);
  const fundingOutpoint = { txid: chain.add(encodeTransaction(funding), height), vout: 0 };
  const board = buildBoard({ ...terms, amountSats, feeSats: 0n, fundingOutpoint });
  const vtxo = signBoard(board, { userSecretKey, serverSecretKey }, (length) => random.bytes(length));
  return { vtxo, secretKey: userSecretKey };
}

/** Spends an output of nobody: the simulated chain looks at no signature, so bytes of its shape do. */
function fundingTransaction(amountSats: bigint, script: Uint8Array, random: SeededRandom): Transaction {
  return {
    version: 2,
    inputs: [
      {
        outpoint: { txid: displayTxid(random.bytes(32)), vout: 0 },
        script: new Uint8Array(),
        sequence: 0xffff_fffd,
        witness: [random.bytes(64)],
      },
    ],
    outputs: [{ amountSats, script }],
    lockTime: 0,
  };
}

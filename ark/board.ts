import { checkJointKeys, type JointKeys, signJointly } from "./joint-signing.ts";
import type { Outpoint } from "./outpoint.ts";
import type { PubkeyPolicy } from "./policy.ts";
import { policyOutput } from "./policy-output.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { taprootSighash } from "./sighash.ts";
import type { TaprootOutput } from "./taproot.ts";
import { transactionId } from "./transaction.ts";
import { virtualTransaction } from "./virtual-transaction.ts";
import type { Vtxo } from "./vtxo.ts";

/** The terms of a board: on-chain money that becomes a VTXO of depth 1. */
export interface BoardTerms {
  /** 33 bytes. */
  readonly userPubkey: Uint8Array;
  /** 33 bytes. */
  readonly serverPubkey: Uint8Array;
  readonly expiryHeight: number;
  readonly exitDelta: number;
}

/** A board whose funding output is known. */
export interface BoardOptions extends BoardTerms {
  /** Amount of the VTXO; the funding output holds this and the fee. */
  readonly amountSats: bigint;
  /** Goes to the fee anchor of the exit transaction. */
  readonly feeSats: bigint;
  readonly fundingOutpoint: Outpoint;
}

/** A board VTXO without its signature, and what has to be signed for it. */
export interface UnsignedBoard {
  readonly vtxo: Vtxo<PubkeyPolicy>;
  /** 32 bytes. */
  readonly sighash: Uint8Array;
  readonly funding: TaprootOutput;
}

/**
 * The output that funds a board: user and server together, or the server from the expiry height on (vtxo.md §5.2).
 *
 * Its script equals that of a checkpoint of the same keys and height (arkoor.md §2.2).
 *
 * @throws ArkError `BAD_PUBKEY`
 */
export function boardFunding(terms: BoardTerms): TaprootOutput {
  return policyOutput({ kind: "checkpoint", userPubkey: terms.userPubkey }, terms);
}

/**
 * Builds the VTXO of a board: one cosigned item from the funding output to the user's `pubkey` output.
 *
 * @throws ArkError `BAD_PUBKEY`, `OUT_OF_RANGE`
 */
export function buildBoard(options: BoardOptions): UnsignedBoard {
  const { userPubkey, serverPubkey, expiryHeight, exitDelta, amountSats, feeSats, fundingOutpoint } = options;
  const policy: PubkeyPolicy = { kind: "pubkey", userPubkey };
  const funding = boardFunding(options);
  const transaction = virtualTransaction(fundingOutpoint, [{ amountSats, script: policyOutput(policy, options).script }], {
    feeSats,
  });
  return {
    vtxo: {
      amountSats,
      expiryHeight,
      serverPubkey,
      exitDelta,
      chainAnchor: fundingOutpoint,
      genesis: [
        {
          transition: { kind: "cosigned", pubkeys: [userPubkey, serverPubkey], signature: null },
          outputIndex: 0,
          siblings: [],
          feeSats,
        },
      ],
      policy,
      point: { txid: transactionId(transaction), vout: 0 },
    },
    sighash: taprootSighash(transaction, { spentOutputs: [{ amountSats: amountSats + feeSats, script: funding.script }] }),
    funding,
  };
}

/**
 * Signs a board with the keys of both sides at once, see {@link signJointly}: for simulators and tests.
 *
 * @throws ArkError `ARKOOR_INCORRECT_KEY`, `BAD_SECRET_KEY`
 */
export function signBoard(board: UnsignedBoard, keys: JointKeys, randomBytes: RandomBytes): Vtxo<PubkeyPolicy> {
  const { vtxo, sighash, funding } = board;
  checkJointKeys(keys, vtxo.policy.userPubkey, vtxo.serverPubkey);
  const secretKeys = [keys.userSecretKey, keys.serverSecretKey];
  return withBoardSignature(
    vtxo,
    signJointly(secretKeys, { message: sighash, tapTweak: funding.tapTweak, auxRand: randomBytes(32) }),
  );
}

/** Fills the one signature slot of a board (64 bytes); validate the result. */
export function withBoardSignature(vtxo: Vtxo<PubkeyPolicy>, signature: Uint8Array): Vtxo<PubkeyPolicy> {
  const genesis = vtxo.genesis.map((item) => ({ ...item, transition: { ...item.transition, signature } }));
  return { ...vtxo, genesis };
}

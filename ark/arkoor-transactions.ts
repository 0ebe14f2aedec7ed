/** The transactions of one part of an arkoor package, and what has to be signed (arkoor.md §4). */
import {
  allocateDestinations,
  checkPartOutputs,
  type Destination,
  isolateDust,
  type PartOutputs,
  sumSats,
} from "./arkoor-allocation.ts";
import { ArkError } from "./errors.ts";
import type { Outpoint } from "./outpoint.ts";
import type { UserPolicy } from "./policy.ts";
import { policyOutput } from "./policy-output.ts";
import { taprootSighash } from "./sighash.ts";
import type { TaprootOutput } from "./taproot.ts";
import { type Transaction, transactionId } from "./transaction.ts";
import type { TxOutput } from "./tx-output.ts";
import { virtualTransaction } from "./virtual-transaction.ts";
import type { Vtxo } from "./vtxo.ts";

/** A VTXO that an arkoor package spends. */
export type ArkoorInput = Vtxo<UserPolicy>;

/** With a checkpoint transaction in between, as clients always do, or without one (arkoor.md §1). */
export type ArkoorMode = "checkpoint" | "direct";

/** A transaction of a part with its one signature. */
export interface ArkoorTransaction {
  readonly kind: "checkpoint" | "arkoor" | "fan-out";
  readonly transaction: Transaction;
  /** Display order. */
  readonly txid: string;
  readonly spentOutput: TxOutput;
  /** Tap tweak (32 bytes) of the spent output, on the aggregate of user and server key. */
  readonly tapTweak: Uint8Array;
  /** The message to sign, 32 bytes. */
  readonly sighash: Uint8Array;
}

/** Everything built from one input; one cosign request. */
export interface ArkoorPart {
  readonly input: ArkoorInput;
  readonly mode: ArkoorMode;
  readonly outputs: PartOutputs;
  /** In the order of nonces and signatures on the wire (arkoor.md §4.3); the first one spends the input. */
  readonly transactions: readonly ArkoorTransaction[];
}

/** What to build. */
export interface ArkoorPackageOptions {
  /** In the order that is kept on every retry. */
  readonly inputs: readonly ArkoorInput[];
  /** Payment first, then the change (arkoor.md §3.2). */
  readonly destinations: readonly Destination[];
  /** `checkpoint` unless given. */
  readonly mode?: ArkoorMode;
}

/**
 * Builds all parts of a package: allocation, dust isolation and transactions, in input order.
 *
 * @throws ArkError `ARKOOR_NO_OUTPUTS` also for a destination of 0 sat, `ARKOOR_OVERFLOW`, `ARKOOR_UNBALANCED`,
 *   `ARKOOR_TOO_MANY_OUTPUTS`, `ARKOOR_DUST`
 */
export function buildArkoorPackage(options: ArkoorPackageOptions): ArkoorPart[] {
  const { inputs, destinations, mode = "checkpoint" } = options;
  if (destinations.some((destination) => destination.amountSats === 0n)) {
    throw new ArkError("ARKOOR_NO_OUTPUTS", "expected destinations of at least 1 sat, got one of 0");
  }
  const allocated = allocateDestinations(
    inputs.map((input) => input.amountSats),
    destinations,
  );
  return inputs.map((input, i) => buildArkoorPart(input, isolateDust(allocated[i] ?? []), mode));
}

/**
 * Builds the transactions of one input for outputs that were isolated already; a server takes them as they were sent.
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, `ARKOOR_UNBALANCED`, `ARKOOR_NO_OUTPUTS`, `ARKOOR_TOO_MANY_OUTPUTS`, `ARKOOR_DUST`
 */
export function buildArkoorPart(input: ArkoorInput, outputs: PartOutputs, mode: ArkoorMode): ArkoorPart {
  checkPartOutputs(input.amountSats, outputs);
  return { input, mode, outputs, transactions: mode === "checkpoint" ? withCheckpoint(input, outputs) : direct(input, outputs) };
}

/** The id by which the input is spent: of the checkpoint, or of the arkoor transaction in direct mode. */
export function spendingTxid(part: ArkoorPart): string {
  const [first] = part.transactions;
  if (first === undefined) throw new RangeError("expected a part with transactions, got none");
  return first.txid;
}

function withCheckpoint(input: ArkoorInput, outputs: PartOutputs): ArkoorTransaction[] {
  const { spent, checkpoint } = spentOutputs(input);
  const amounts = outputs.normal.map((destination) => destination.amountSats);
  if (outputs.isolated.length > 0) amounts.push(isolatedSats(outputs));
  const pooled = amounts.map((amountSats) => ({ amountSats, script: checkpoint.script }));
  const first = build("checkpoint", input.point, { amountSats: input.amountSats, taproot: spent }, pooled);
  const arkoor = outputs.normal.map((destination, vout) => {
    const spends = { amountSats: destination.amountSats, taproot: checkpoint };
    return build("arkoor", { txid: first.txid, vout }, spends, [destinationOutput(input, destination)]);
  });
  return [first, ...arkoor, ...fanOut(input, outputs, { txid: first.txid, checkpoint })];
}

function direct(input: ArkoorInput, outputs: PartOutputs): ArkoorTransaction[] {
  const { spent, checkpoint } = spentOutputs(input);
  const created = outputs.normal.map((destination) => destinationOutput(input, destination));
  if (outputs.isolated.length > 0) created.push({ amountSats: isolatedSats(outputs), script: checkpoint.script });
  const first = build("arkoor", input.point, { amountSats: input.amountSats, taproot: spent }, created);
  return [first, ...fanOut(input, outputs, { txid: first.txid, checkpoint })];
}

/** The isolation output stands behind the normal outputs and has the checkpoint policy, in direct mode too. */
function fanOut(
  input: ArkoorInput,
  outputs: PartOutputs,
  first: { readonly txid: string; readonly checkpoint: TaprootOutput },
): ArkoorTransaction[] {
  if (outputs.isolated.length === 0) return [];
  const spends = { amountSats: isolatedSats(outputs), taproot: first.checkpoint };
  const created = outputs.isolated.map((destination) => destinationOutput(input, destination));
  return [build("fan-out", { txid: first.txid, vout: outputs.normal.length }, spends, created)];
}

/** The checkpoint output belongs to the user key of the input, never to that of a destination. */
function spentOutputs(input: ArkoorInput): { readonly spent: TaprootOutput; readonly checkpoint: TaprootOutput } {
  return {
    spent: policyOutput(input.policy, input),
    checkpoint: policyOutput({ kind: "checkpoint", userPubkey: input.policy.userPubkey }, input),
  };
}

function destinationOutput(input: ArkoorInput, destination: Destination): TxOutput {
  return { amountSats: destination.amountSats, script: policyOutput(destination.policy, input).script };
}

function isolatedSats(outputs: PartOutputs): bigint {
  return sumSats(outputs.isolated.map((destination) => destination.amountSats));
}

function build(
  kind: ArkoorTransaction["kind"],
  outpoint: Outpoint,
  spends: { readonly amountSats: bigint; readonly taproot: TaprootOutput },
  outputs: readonly TxOutput[],
): ArkoorTransaction {
  const transaction = virtualTransaction(outpoint, outputs);
  const spentOutput = { amountSats: spends.amountSats, script: spends.taproot.script };
  return {
    kind,
    transaction,
    txid: transactionId(transaction),
    spentOutput,
    tapTweak: spends.taproot.tapTweak,
    sighash: taprootSighash(transaction, { spentOutputs: [spentOutput] }),
  };
}

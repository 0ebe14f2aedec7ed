import { type Address, checkAddressPayable, parseAddress } from "../ark/address.ts";
import { equalBytes } from "../ark/bytes.ts";
import { ArkError } from "../ark/errors.ts";
import { decodeHex, encodeHex } from "../ark/hex.ts";
import { begin, inputsOf, sessionOf, tipOf } from "./begin-payment.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import type { Payment } from "./payment.ts";
import { refuseWhileUnsure } from "./reconcile.ts";
import { WALLET } from "./wallet-state.ts";

const ID_BYTES = 16;
/** Blocks that a recipient has at least to notice the payment before it would be too late for it (vtxo.md §10 rule 4.3). */
const RECIPIENT_MARGIN_BLOCKS = 12;

/** Options of `Wallet.send`. */
export interface SendOptions {
  /** Gives up until the payment is recorded; from then on it goes on by itself. */
  readonly signal?: AbortSignal;
}

/** Records a payment to an Ark address, which then goes on by itself (arkoor.md §11). */
export async function send(engine: Engine, text: string, amountSats: bigint, options: SendOptions): Promise<Payment> {
  options.signal?.throwIfAborted();
  refuseWhileUnsure(engine.loop.pending);
  const address = payableAddress(engine, text);
  if (amountSats <= 0n) throw new HeartwoodError("BAD_AMOUNT", `expected an amount above 0 sat, got ${amountSats}`);
  const session = sessionOf(engine);
  const tipHeight = await tipOf(engine, options.signal);
  const { exitDelta, maxVtxoExitDepth: maxExitDepth } = session.info;
  // What a recipient does not take any more is not sent.
  const expiringAfter = tipHeight + exitDelta + RECIPIENT_MARGIN_BLOCKS;
  skipKeyOf(engine, address);
  refuseWhileUnsure(engine.loop.pending);
  const inputs = inputsOf(engine, {
    targetSats: amountSats,
    maxExitDepth,
    isUsable: ({ expiryHeight }) => expiryHeight > expiringAfter,
  });
  const instance = `arkoor-send/${freshId(engine)}`;
  return begin(engine, { instance, event: { type: "payment.requested", address: text, amountSats, inputs } });
}

function payableAddress({ committed, place }: Engine, text: string): Address {
  const serverPubkey = committed.contextOf(WALLET)?.serverPubkey;
  if (typeof serverPubkey !== "string") {
    throw new HeartwoodError("SERVER_NOT_SEEN", "expected the server's keys, got none yet: connect once with sync() or start()");
  }
  try {
    const address = parseAddress(text);
    const network = place.network === "bitcoin" ? "mainnet" : "testnet";
    checkAddressPayable(address, { network, serverPubkey: decodeHex(serverPubkey) });
    return address;
  } catch (cause) {
    if (!(cause instanceof ArkError)) throw cause;
    throw new HeartwoodError("BAD_ADDRESS", `expected an address to which this wallet can pay: ${cause.message}`, { cause });
  }
}

/** Payment and change are told apart by their keys: an address of the next fresh key leaves that one to itself. */
function skipKeyOf(engine: Engine, { policy }: Address): void {
  const fresh = engine.keyring.publicKey(engine.loop.pending.nextKeyIndex);
  if (equalBytes(fresh, policy.userPubkey)) engine.feed({ instance: WALLET, event: { type: "address.issued" } });
}

/** 128 bits in hex: half of them chance, the others the number of the record that begins it. */
function freshId({ ports, loop }: Engine): string {
  return encodeHex(ports.randomness.bytes(ID_BYTES / 2)) + (loop.pending.seq + 1n).toString(16).padStart(ID_BYTES, "0");
}

import { type Address, arkIdOf, parseAddress } from "../ark/address.ts";
import { decodeHex, encodeHex } from "../ark/hex.ts";
import { decodeMailboxId, unblindMailboxId } from "../ark/mailbox.ts";
import { SimulatorError } from "./errors.ts";
import type { SimulatorNetwork } from "./network.ts";
import type { ServerKeys } from "./server-keys.ts";

const MAILBOX_ID = /^[0-9a-f]{66}$/i;

/**
 * Reads an address and checks that this server serves it.
 *
 * @throws SimulatorError `ADDRESS_INVALID`, `ADDRESS_FOREIGN`
 */
export function readAddress(text: string, keys: ServerKeys, network: SimulatorNetwork): Address {
  const address = orInvalid(() => parseAddress(text));
  const arkId = arkIdOf(keys.serverPubkey);
  if (address.arkId !== arkId) throw new SimulatorError("ADDRESS_FOREIGN", `expected Ark id ${arkId}, got ${address.arkId}`);
  const expected = network === "bitcoin" ? "mainnet" : "testnet";
  if (address.network !== expected) {
    throw new SimulatorError("ADDRESS_FOREIGN", `expected an address of ${expected}, got one of ${address.network}`);
  }
  return address;
}

/** The first blinded mailbox id of an address. @throws SimulatorError `ADDRESS_INVALID` */
export function blindedIdOf(address: Address): Uint8Array {
  const entry = address.delivery.find((delivery) => delivery.kind === "server-mailbox");
  if (!entry) throw new SimulatorError("ADDRESS_INVALID", "expected an address with a mailbox, got one without");
  return entry.blindedId;
}

/**
 * The mailbox id, in hex, that a text means: itself, or the mailbox behind an address.
 *
 * @throws SimulatorError `ADDRESS_INVALID`, `ADDRESS_FOREIGN`
 */
export function mailboxIdOf(target: string, keys: ServerKeys, network: SimulatorNetwork): string {
  if (MAILBOX_ID.test(target)) return encodeHex(orInvalid(() => decodeMailboxId(decodeHex(target))));
  const address = readAddress(target, keys, network);
  return encodeHex(orInvalid(() => unblindMailboxId(blindedIdOf(address), keys.mailboxSecretKey, address.policy.userPubkey)));
}

function orInvalid<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    if (cause instanceof SimulatorError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SimulatorError("ADDRESS_INVALID", `expected an address or a mailbox id: ${reason}`, { cause });
  }
}

import { bytesToSymbols, checkBech32m, encodeBech32m, MAX_BECH32M_LENGTH, splitBech32m, symbolsToBytes } from "./bech32m.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { isValidPublicKey, publicKeyOf, sha256 } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { decodeHex, encodeHex } from "./hex.ts";
import { checkLength } from "./limits.ts";
import { blindMailboxId } from "./mailbox.ts";
import { decodeUserPolicy, encodePolicy, type UserPolicy } from "./policy.ts";

const VERSION = 1;
const OTHER_IMPLEMENTATION = 0;
const SERVER_MAILBOX = 1;
const ARK_ID_BYTES = 4;
const MAX_FIELD_BYTES = 4_000_000n;

/** Bitcoin mainnet, or any other network: an address tells no more. */
export type AddressNetwork = "mainnet" | "testnet";

/** A way to hand VTXOs to the owner of an address (vtxo.md §7.2). */
export type Delivery =
  /** `blindedId`: 33 bytes that may not be a curve point. */
  | { readonly kind: "server-mailbox"; readonly blindedId: Uint8Array }
  /** Kept as it came; `type` is any byte but 1. */
  | { readonly kind: "unknown"; readonly type: number; readonly data: Uint8Array };

/** Where to send Ark payments (vtxo.md §7). */
export interface Address {
  readonly network: AddressNetwork;
  /** 8 hex digits, see {@link arkIdOf}. */
  readonly arkId: string;
  readonly policy: UserPolicy;
  readonly delivery: readonly Delivery[];
}

/** First four bytes of SHA-256 of a server public key (33 bytes), as 8 hex digits (vtxo.md §7.2). */
export function arkIdOf(serverPubkey: Uint8Array): string {
  return encodeHex(sha256(serverPubkey).subarray(0, ARK_ID_BYTES));
}

/**
 * Reads the text of an address; the steps and their order are those of vtxo.md §7.1.
 *
 * @throws ArkError `ADDRESS_BECH32`, `ADDRESS_PREFIX`, `ADDRESS_MALFORMED`, `ADDRESS_OTHER_IMPLEMENTATION`,
 *   `ADDRESS_UNKNOWN_VERSION`, `ADDRESS_POLICY`, `SHORT_INPUT`
 */
export function parseAddress(text: string): Address {
  const parts = splitBech32m(text);
  const network = networkOf(parts.prefix);
  const [version, ...payload] = checkBech32m(parts);
  if (version === undefined) throw new ArkError("ADDRESS_MALFORMED", "expected a version symbol, got none");
  if (version === OTHER_IMPLEMENTATION) {
    throw new ArkError("ADDRESS_OTHER_IMPLEMENTATION", `expected version ${VERSION}, got 0 of another Ark implementation`);
  }
  if (version !== VERSION) throw new ArkError("ADDRESS_UNKNOWN_VERSION", `expected version ${VERSION}, got ${version}`);
  return { network, ...decodeAddressPayload(symbolsToBytes(payload)) };
}

/**
 * Reads the bytes inside an address: Ark id ‖ policy ‖ delivery entries (vtxo.md §7.2).
 *
 * @throws ArkError `ADDRESS_MALFORMED`, `ADDRESS_POLICY`, `SHORT_INPUT`
 */
export function decodeAddressPayload(payload: Uint8Array): Omit<Address, "network"> {
  const reader = new ByteReader(payload);
  const arkId = encodeHex(reader.bytes(ARK_ID_BYTES));
  const policy = decodeAddressPolicy(readField(reader));
  const delivery: Delivery[] = [];
  while (reader.remaining > 0) delivery.push(decodeDelivery(readField(reader)));
  return { arkId, policy, delivery };
}

/** The counterpart of {@link decodeAddressPayload}; @throws ArkError `BAD_HEX`, `OUT_OF_RANGE`, `BAD_PUBKEY` */
export function encodeAddressPayload(address: Omit<Address, "network">): Uint8Array {
  const writer = new ByteWriter().bytes(checkLength(decodeHex(address.arkId), ARK_ID_BYTES));
  for (const field of [encodePolicy(address.policy), ...address.delivery.map(encodeDelivery)]) {
    writer.compactSize(field.length).bytes(field);
  }
  return writer.finish();
}

/**
 * The lower-case text of an address.
 *
 * @throws ArkError `ADDRESS_MALFORMED` when it would be too long for anybody to read, and the codes of
 *   {@link encodeAddressPayload}
 */
export function encodeAddress(address: Address): string {
  const prefix = address.network === "mainnet" ? "ark" : "tark";
  const text = encodeBech32m(prefix, [VERSION, ...bytesToSymbols(encodeAddressPayload(address))]);
  if (text.length > MAX_BECH32M_LENGTH) {
    throw new ArkError("ADDRESS_MALFORMED", `expected at most ${MAX_BECH32M_LENGTH} characters, got ${text.length}`);
  }
  return text;
}

/** What {@link buildAddress} needs. */
export interface AddressParts {
  /** The server key, 33 bytes. */
  readonly serverPubkey: Uint8Array;
  /** The server's mailbox key, a separate field of its info, 33 bytes. */
  readonly mailboxPubkey: Uint8Array;
  /** Secret key of the VTXO key in the address, 32 bytes. */
  readonly vtxoSecretKey: Uint8Array;
  /** The wallet's main mailbox id, 33 bytes. */
  readonly mailboxId: Uint8Array;
  readonly mainnet: boolean;
}

/**
 * Builds a wallet's own address (vtxo.md §7.3). The same parts always give the same address.
 *
 * @throws ArkError `BAD_PUBKEY`, `BAD_MAILBOX_ID`, `BAD_SECRET_KEY`
 */
export function buildAddress(parts: AddressParts): Address {
  const blindedId = blindMailboxId(parts.mailboxId, parts.mailboxPubkey, parts.vtxoSecretKey);
  return {
    network: parts.mainnet ? "mainnet" : "testnet",
    arkId: arkIdOf(parts.serverPubkey),
    policy: { kind: "pubkey", userPubkey: publicKeyOf(parts.vtxoSecretKey) },
    delivery: [{ kind: "server-mailbox", blindedId }],
  };
}

/**
 * Checks that an address can be paid, in the order of vtxo.md §7.4.
 *
 * Stricter than the reference: an address whose entries are all unknown or no curve points is refused here,
 * since its payment would be signed and could then never be delivered (arkoor.md §11.1).
 *
 * @returns The blinded mailbox ids to post to, in order; at least one.
 * @throws ArkError `ADDRESS_WRONG_NETWORK`, `ADDRESS_WRONG_SERVER`, `ADDRESS_NOT_PUBKEY`, `ADDRESS_NO_DELIVERY`
 */
export function checkAddressPayable(
  address: Address,
  wallet: { readonly network: AddressNetwork; readonly serverPubkey: Uint8Array },
): Uint8Array[] {
  if (address.network !== wallet.network) {
    throw new ArkError("ADDRESS_WRONG_NETWORK", `expected an address of ${wallet.network}, got one of ${address.network}`);
  }
  const arkId = arkIdOf(wallet.serverPubkey);
  if (address.arkId !== arkId) throw new ArkError("ADDRESS_WRONG_SERVER", `expected Ark id ${arkId}, got ${address.arkId}`);
  if (address.policy.kind !== "pubkey") {
    throw new ArkError("ADDRESS_NOT_PUBKEY", `expected policy pubkey, got ${address.policy.kind}`);
  }
  const usable = address.delivery.flatMap((entry) =>
    entry.kind === "server-mailbox" && isValidPublicKey(entry.blindedId) ? [entry.blindedId] : [],
  );
  if (usable.length === 0) {
    throw new ArkError(
      "ADDRESS_NO_DELIVERY",
      `expected a usable mailbox entry, got ${address.delivery.length} entries without one`,
    );
  }
  return usable;
}

function networkOf(prefix: string): AddressNetwork {
  if (prefix === "ark") return "mainnet";
  if (prefix === "tark") return "testnet";
  throw new ArkError("ADDRESS_PREFIX", `expected prefix ark or tark, got ${prefix}`);
}

/** A compact size and that many bytes. */
function readField(reader: ByteReader): ByteReader {
  let length: bigint;
  try {
    length = reader.compactSize();
  } catch (cause) {
    if (!(cause instanceof ArkError) || cause.code !== "NON_MINIMAL_SIZE") throw cause;
    throw new ArkError("ADDRESS_MALFORMED", "expected a minimal length, got a longer form of it", { cause });
  }
  if (length > MAX_FIELD_BYTES) {
    throw new ArkError("ADDRESS_MALFORMED", `expected a field of at most ${MAX_FIELD_BYTES} bytes, got ${length}`);
  }
  return new ByteReader(reader.bytes(Number(length)));
}

function decodeAddressPolicy(field: ByteReader): UserPolicy {
  try {
    const policy = decodeUserPolicy(field);
    field.end();
    return policy;
  } catch (cause) {
    throw new ArkError("ADDRESS_POLICY", "expected the policy of a user, got other bytes", { cause });
  }
}

function decodeDelivery(field: ByteReader): Delivery {
  const type = field.u8();
  const data = field.bytes(field.remaining);
  if (type !== SERVER_MAILBOX) return { kind: "unknown", type, data };
  if (data.length !== 33)
    throw new ArkError("ADDRESS_MALFORMED", `expected a blinded mailbox id of 33 bytes, got ${data.length}`);
  return { kind: "server-mailbox", blindedId: data };
}

function encodeDelivery(delivery: Delivery): Uint8Array {
  if (delivery.kind === "server-mailbox") {
    return new ByteWriter().u8(SERVER_MAILBOX).bytes(checkLength(delivery.blindedId, 33)).finish();
  }
  if (delivery.type === SERVER_MAILBOX) {
    throw new ArkError("OUT_OF_RANGE", `expected an unknown delivery type, got ${SERVER_MAILBOX} of the server mailbox`);
  }
  return new ByteWriter().u8(delivery.type).bytes(delivery.data).finish();
}

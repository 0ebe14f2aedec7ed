import { concatBytes } from "../ark/bytes.ts";
import { sha256 } from "../ark/crypto.ts";
import { encodeHex } from "../ark/hex.ts";
import { decodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import { StreamError } from "./errors.ts";
import { lastBytes, lastVarint, ownBytes, repeatedBytes, wireFields } from "./wire-fields.ts";

/** What a mailbox message says (mailbox.md §1.2, §3.4). A hash is 64 hex digits, or undefined if it had not 32 bytes. */
type DeliveryContent =
  /** Full VTXO encodings of a payment, unverified; possibly none. */
  | { readonly kind: "arkoor"; readonly vtxos: readonly Uint8Array[] }
  | { readonly kind: "round-participation-completed"; readonly unlockHash: string | undefined }
  /** `amountMsat` is the amount of the invoice, informative only. */
  | { readonly kind: "incoming-lightning-payment"; readonly paymentHash: string | undefined; readonly amountMsat: bigint }
  /** `malformed` counts the ids that had not 36 bytes. */
  | { readonly kind: "recovery-vtxo-ids"; readonly ids: readonly VtxoId[]; readonly malformed: number }
  /** A preimage of another length than 32 bytes is absent and `preimageMalformed` (mailbox.md W-45). */
  | {
      readonly kind: "lightning-send-finished";
      readonly paymentHash: string | undefined;
      readonly preimage: Uint8Array | undefined;
      readonly preimageMalformed: boolean;
    }
  /** A newer server's message: the field numbers seen, ascending, at most 64 of them (mailbox.md W-12). */
  | { readonly kind: "unknown"; readonly fieldNumbers: readonly number[] }
  /** Bytes that are no protobuf message, or whose member is none. */
  | { readonly kind: "malformed" };

/** One message of a mailbox, as delivered by a subscription or a page. */
export interface MailboxDelivery {
  /**
   * The server's position of this message, a u64; nothing says that it is true. Of a malformed one it is what stands
   * before the break, or 0.
   */
  readonly checkpoint: bigint;
  /** The `MailboxMessage` exactly as received; nobody changes these bytes. */
  readonly raw: Uint8Array;
  /** SHA-256 of `raw`, hex. */
  readonly digest: string;
  readonly content: DeliveryContent;
}

/** A page of a mailbox, in the server's order. */
export interface MailboxPage {
  readonly messages: readonly MailboxDelivery[];
  /** The server's hint, which can be wrong both ways (mailbox.md §3.5). */
  readonly haveMore: boolean;
}

const CHECKPOINT = 2;
const RESERVED = 3;
const MAX_FIELD_NUMBERS = 64;

const MEMBERS: ReadonlyMap<number, (payload: Uint8Array) => DeliveryContent> = new Map([
  [1, arkoor],
  [4, roundParticipationCompleted],
  [5, incomingLightningPayment],
  [6, recoveryVtxoIds],
  [7, lightningSendFinished],
]);

/**
 * Decodes a `MailboxMessage`, from the wire or out of the log.
 *
 * Nothing is refused: bytes that are no protobuf message are a kind of their own, because they must neither be lost nor
 * stand in the way. What is wrong inside a kind is left to whoever handles it.
 */
export function decodeDelivery(raw: Uint8Array): MailboxDelivery {
  return deliveryOf(ownBytes(raw));
}

/**
 * Decodes a `MailboxMessages` page; the messages share its bytes.
 *
 * @throws StreamError `BAD_RESPONSE`
 */
export function decodePage(raw: Uint8Array): MailboxPage {
  try {
    const page = ownBytes(raw);
    return { messages: repeatedBytes(page, 1).map(deliveryOf), haveMore: lastVarint(page, 2) !== 0n };
  } catch (cause) {
    throw new StreamError("BAD_RESPONSE", `expected a mailbox page, got ${raw.length} bytes that are none`, { cause });
  }
}

/** What it hands out are views: of a large message or page there is one copy in memory. */
function deliveryOf(bytes: Uint8Array): MailboxDelivery {
  return { ...readMessage(bytes), raw: bytes, digest: encodeHex(sha256(bytes)) };
}

function readMessage(bytes: Uint8Array): Pick<MailboxDelivery, "checkpoint" | "content"> {
  let checkpoint = 0n;
  let member: { readonly number: number; readonly parts: Uint8Array[] } | undefined;
  const unknown = new Set<number>();
  try {
    for (const field of wireFields(bytes)) {
      if (field.number === CHECKPOINT && field.varint !== undefined) checkpoint = field.varint;
      else if (MEMBERS.has(field.number) && field.bytes !== undefined) {
        // Protobuf: the last member of a oneof wins, and one that comes in parts is merged by joining them.
        if (member?.number !== field.number) member = { number: field.number, parts: [] };
        member.parts.push(field.bytes);
      } else if (field.number !== RESERVED && unknown.size < MAX_FIELD_NUMBERS) unknown.add(field.number);
    }
    const decode = member === undefined ? undefined : MEMBERS.get(member.number);
    if (member === undefined || decode === undefined) {
      return { checkpoint, content: { kind: "unknown", fieldNumbers: [...unknown].sort((a, b) => a - b) } };
    }
    return { checkpoint, content: decode(joined(member.parts)) };
  } catch {
    return { checkpoint, content: { kind: "malformed" } };
  }
}

/** One part is passed on as it is: a message may have 64 MiB. */
function joined([first = new Uint8Array(), ...more]: readonly Uint8Array[]): Uint8Array {
  return more.length === 0 ? first : concatBytes(first, ...more);
}

function arkoor(payload: Uint8Array): DeliveryContent {
  return { kind: "arkoor", vtxos: repeatedBytes(payload, 1) };
}

function roundParticipationCompleted(payload: Uint8Array): DeliveryContent {
  return { kind: "round-participation-completed", unlockHash: hash(lastBytes(payload, 2)) };
}

function incomingLightningPayment(payload: Uint8Array): DeliveryContent {
  return {
    kind: "incoming-lightning-payment",
    paymentHash: hash(lastBytes(payload, 1)),
    amountMsat: lastVarint(payload, 2),
  };
}

function recoveryVtxoIds(payload: Uint8Array): DeliveryContent {
  const all = repeatedBytes(payload, 1);
  const wellFormed = all.filter((id) => id.length === 36);
  return { kind: "recovery-vtxo-ids", ids: wellFormed.map(decodeVtxoId), malformed: all.length - wellFormed.length };
}

function lightningSendFinished(payload: Uint8Array): DeliveryContent {
  const preimage = lastBytes(payload, 2);
  return {
    kind: "lightning-send-finished",
    paymentHash: hash(lastBytes(payload, 1)),
    preimage: preimage?.length === 32 ? preimage : undefined,
    preimageMalformed: preimage !== undefined && preimage.length !== 32,
  };
}

function hash(bytes: Uint8Array | undefined): string | undefined {
  return bytes?.length === 32 ? encodeHex(bytes) : undefined;
}

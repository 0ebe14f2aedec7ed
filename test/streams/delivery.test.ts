import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { sha256 } from "../../ark/crypto.ts";
import { encodeHex } from "../../ark/hex.ts";
import { MailboxMessage } from "../../proto/generated/mailbox_server.ts";
import { decodeDelivery, decodePage } from "../../streams/delivery.ts";
import { arkoorMessage } from "./server.ts";

const HASH = new Uint8Array(32).fill(7);
const HASH_HEX = "07".repeat(32);
const CHECKPOINT = 1_850_000_000_000_000_001n;

const encode = (message: MailboxMessage["message"]) => MailboxMessage.encode({ checkpoint: CHECKPOINT, message }).finish();

test.each<[string, MailboxMessage["message"], unknown]>([
  [
    "arkoor",
    { $case: "arkoor", value: { vtxos: [Uint8Array.of(1, 2), Uint8Array.of()] } },
    { kind: "arkoor", vtxos: [Uint8Array.of(1, 2), Uint8Array.of()] },
  ],
  ["empty arkoor", { $case: "arkoor", value: { vtxos: [] } }, { kind: "arkoor", vtxos: [] }],
  [
    "round",
    { $case: "roundParticipationCompleted", value: { paymentHashes: [HASH], unlockHash: HASH } },
    { kind: "round-participation-completed", unlockHash: HASH_HEX },
  ],
  [
    "round with a bad hash",
    { $case: "roundParticipationCompleted", value: { paymentHashes: [], unlockHash: Uint8Array.of(1) } },
    { kind: "round-participation-completed", unlockHash: undefined },
  ],
  [
    "incoming payment",
    { $case: "incomingLightningPayment", value: { paymentHash: HASH, amountMsat: 2n ** 64n - 1n } },
    { kind: "incoming-lightning-payment", paymentHash: HASH_HEX, amountMsat: 2n ** 64n - 1n },
  ],
  [
    "incoming payment without anything",
    { $case: "incomingLightningPayment", value: { paymentHash: Uint8Array.of(), amountMsat: 0n } },
    { kind: "incoming-lightning-payment", paymentHash: undefined, amountMsat: 0n },
  ],
  [
    "recovery ids",
    { $case: "recoveryVtxoIds", value: { vtxoIds: [Uint8Array.from({ length: 36 }, (_, i) => i), new Uint8Array(35)] } },
    {
      kind: "recovery-vtxo-ids",
      ids: [`${encodeHex(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))}:589439264`],
      malformed: 1,
    },
  ],
  [
    "paid",
    { $case: "lightningSendFinished", value: { paymentHash: HASH, preimage: HASH } },
    { kind: "lightning-send-finished", paymentHash: HASH_HEX, preimage: HASH, preimageMalformed: false },
  ],
  [
    "failed",
    { $case: "lightningSendFinished", value: { paymentHash: HASH, preimage: undefined } },
    { kind: "lightning-send-finished", paymentHash: HASH_HEX, preimage: undefined, preimageMalformed: false },
  ],
  [
    "paid with an empty preimage",
    { $case: "lightningSendFinished", value: { paymentHash: HASH, preimage: Uint8Array.of() } },
    { kind: "lightning-send-finished", paymentHash: HASH_HEX, preimage: undefined, preimageMalformed: true },
  ],
  ["nothing", undefined, { kind: "unknown", fieldNumbers: [] }],
])("a message of kind %s is decoded and its bytes are kept", (_, message, content) => {
  const raw = encode(message);
  expect(decodeDelivery(raw)).toEqual({ checkpoint: CHECKPOINT, raw, digest: encodeHex(sha256(raw)), content });
});

test("an unknown kind keeps checkpoint, bytes and the numbers of what is not known", () => {
  const raw = new BinaryWriter()
    .tag(70, WireType.LengthDelimited)
    .bytes(Uint8Array.of(1, 2, 3))
    .tag(2, WireType.Varint)
    .uint64(CHECKPOINT)
    .tag(3, WireType.Varint)
    .uint32(1)
    .tag(9, WireType.Bit64)
    .fixed64(1n)
    .finish();
  const delivery = decodeDelivery(raw);
  expect(delivery).toMatchObject({ checkpoint: CHECKPOINT, content: { kind: "unknown", fieldNumbers: [9, 70] } });
  expect(delivery.raw).toEqual(raw);
});

test("a known kind is known beside fields that are not", () => {
  const more = new BinaryWriter().tag(99, WireType.LengthDelimited).bytes(Uint8Array.of(1)).finish();
  const raw = Buffer.concat([more, arkoorMessage(5n, Uint8Array.of(4)), more]);
  expect(decodeDelivery(raw)).toMatchObject({ checkpoint: 5n, content: { kind: "arkoor", vtxos: [Uint8Array.of(4)] } });
});

test("of two kinds in one message the last counts, and one in two parts is one", () => {
  const arkoor = arkoorMessage(1n, Uint8Array.of(1));
  const round = encode({ $case: "roundParticipationCompleted", value: { paymentHashes: [], unlockHash: HASH } });
  expect(decodeDelivery(Buffer.concat([arkoor, round])).content.kind).toBe("round-participation-completed");
  expect(decodeDelivery(Buffer.concat([round, arkoor])).content.kind).toBe("arkoor");
  const twice = Buffer.concat([arkoor, arkoorMessage(2n, Uint8Array.of(2))]);
  expect(decodeDelivery(twice)).toMatchObject({ checkpoint: 2n, content: { vtxos: [Uint8Array.of(1), Uint8Array.of(2)] } });
});

test("a delivery shares no memory with what it was decoded from", () => {
  const pool = Buffer.from(arkoorMessage(1n, Uint8Array.of(1, 2, 3)));
  const delivery = decodeDelivery(pool);
  const before = structuredClone(delivery);
  pool.fill(0xff);
  expect(delivery).toEqual(before);
  expect(delivery.raw).not.toBeInstanceOf(Buffer);
});

test.each([
  ["a cut field", [0x0a, 0x05, 1]],
  ["a cut VTXO inside", [0x0a, 0x02, 0x0a, 0x05]],
  ["a VTXO that reaches beyond its message", [0x0a, 0x02, 0x0a, 0x02, 1, 1]],
  ["field number 0", [0x02, 0x00]],
  ["an end without a group", [0x0c]],
  ["a group that does not end", [0x4b, 0x08]],
  ["a number without end", [0x10, 0x80]],
  ["a number of more than ten bytes", [0x10, ...new Array(10).fill(0xff), 1]],
])("%s is malformed, with the bytes as they came", (_, bytes) => {
  const raw = Uint8Array.from(bytes);
  expect(decodeDelivery(raw)).toEqual({ checkpoint: 0n, raw, digest: encodeHex(sha256(raw)), content: { kind: "malformed" } });
});

test("of a malformed message the place counts that stands before the break", () => {
  const place = new BinaryWriter().tag(2, WireType.Varint).uint64(CHECKPOINT).finish();
  const cutField = [0x0a, 0x05, 1];
  const cutVtxo = [0x0a, 0x02, 0x0a, 0x05];
  const content = { kind: "malformed" };
  expect(decodeDelivery(Uint8Array.from([...place, ...cutField]))).toMatchObject({ checkpoint: CHECKPOINT, content });
  expect(decodeDelivery(Uint8Array.from([...cutVtxo, ...place]))).toMatchObject({ checkpoint: CHECKPOINT, content });
  expect(decodeDelivery(Uint8Array.from([0x0c, ...place]))).toMatchObject({ checkpoint: 0n, content });
});

test("a message of more fields than anybody sends is malformed, not worked through", () => {
  const fields = (count: number) => Buffer.alloc(2 * count, Buffer.from([0x0a, 0x00]));
  expect(decodeDelivery(fields(100_001)).content).toEqual({ kind: "malformed" });
  const vtxos = (count: number) => new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(fields(count)).finish();
  expect(decodeDelivery(vtxos(100_000)).content).toMatchObject({ kind: "arkoor" });
  expect(decodeDelivery(vtxos(100_001)).content).toEqual({ kind: "malformed" });
});

test("at most 64 unknown field numbers are kept", () => {
  const writer = new BinaryWriter();
  for (let number = 1_000; number < 2_000; number++) writer.tag(number, WireType.Varint).uint32(1);
  const { content } = decodeDelivery(writer.finish());
  expect(content.kind === "unknown" && content.fieldNumbers).toHaveLength(64);
});

test("a page keeps the bytes of every entry, unknown kinds included, in order", () => {
  const unknown = new BinaryWriter().tag(40, WireType.LengthDelimited).bytes(HASH).tag(2, WireType.Varint).uint64(8n).finish();
  const entries = [arkoorMessage(7n, HASH), unknown, arkoorMessage(9n)];
  const writer = new BinaryWriter();
  for (const entry of entries) writer.tag(1, WireType.LengthDelimited).bytes(entry);
  const page = decodePage(writer.tag(2, WireType.Varint).bool(true).finish());
  expect(page.haveMore).toBe(true);
  expect(page.messages.map(({ raw }) => raw)).toEqual(entries);
  expect(page.messages.map(({ checkpoint }) => checkpoint)).toEqual([7n, 8n, 9n]);
  expect(page.messages[1]?.content).toEqual({ kind: "unknown", fieldNumbers: [40] });
  expect(decodePage(new Uint8Array())).toEqual({ messages: [], haveMore: false });
});

test("a page keeps its place for an entry that is no message, and is refused if it is no page", () => {
  const [good, bad] = [arkoorMessage(7n), Uint8Array.of(0x0a)];
  const page = (...entries: Uint8Array[]) => {
    const writer = new BinaryWriter();
    for (const entry of entries) writer.tag(1, WireType.LengthDelimited).bytes(entry);
    return decodePage(writer.finish());
  };
  expect(page(bad, good, bad).messages.map(({ content }) => content.kind)).toEqual(["malformed", "arkoor", "malformed"]);
  expect(() => decodePage(bad)).toThrow(expect.objectContaining({ code: "BAD_RESPONSE", retryable: false }));
});

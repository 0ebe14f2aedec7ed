import fc from "fast-check";
import { expect, test } from "vitest";
import { MailboxMessage, MailboxMessages } from "../proto/generated/mailbox_server.ts";
import { decodeDelivery, decodePage, type MailboxDelivery } from "../streams/delivery.ts";
import { StreamError } from "../streams/errors.ts";
import { propertyOptions } from "./options.ts";

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = (maxLength = 40) => fc.uint8Array({ maxLength });
const hash = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes());
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 6 });

type Member = NonNullable<MailboxMessage["message"]>;
const member = <Case extends Member["$case"]>($case: Case, value: fc.Arbitrary<Extract<Member, { $case: Case }>["value"]>) =>
  value.map((made) => ({ $case, value: made }) as Member);

const message: fc.Arbitrary<MailboxMessage> = fc.record({
  checkpoint: u64,
  message: fc.option(
    fc.oneof(
      member("arkoor", fc.record({ vtxos: list(bytes(200)) })),
      member("roundParticipationCompleted", fc.record({ paymentHashes: list(hash), unlockHash: hash })),
      member("incomingLightningPayment", fc.record({ paymentHash: hash, amountMsat: u64 })),
      member("recoveryVtxoIds", fc.record({ vtxoIds: list(fc.oneof(fc.uint8Array({ minLength: 36, maxLength: 36 }), bytes())) })),
      member("lightningSendFinished", fc.record({ paymentHash: hash, preimage: fc.option(hash, { nil: undefined }) })),
    ),
    { nil: undefined },
  ),
});

const KIND = {
  arkoor: "arkoor",
  roundParticipationCompleted: "round-participation-completed",
  incomingLightningPayment: "incoming-lightning-payment",
  recoveryVtxoIds: "recovery-vtxo-ids",
  lightningSendFinished: "lightning-send-finished",
} as const;

const hex32 = (value: Uint8Array) => (value.length === 32 ? Buffer.from(value).toString("hex") : undefined);

function checkContent({ content }: MailboxDelivery, sent: MailboxMessage["message"]): void {
  expect(content.kind).toBe(sent === undefined ? "unknown" : KIND[sent.$case]);
  if (content.kind === "arkoor" && sent?.$case === "arkoor") expect(content.vtxos).toEqual(sent.value.vtxos);
  if (content.kind === "recovery-vtxo-ids" && sent?.$case === "recoveryVtxoIds") {
    expect(content.ids.length + content.malformed).toBe(sent.value.vtxoIds.length);
  }
  if (content.kind === "incoming-lightning-payment" && sent?.$case === "incomingLightningPayment") {
    expect(content).toMatchObject({ paymentHash: hex32(sent.value.paymentHash), amountMsat: sent.value.amountMsat });
  }
  if (content.kind === "round-participation-completed" && sent?.$case === "roundParticipationCompleted") {
    expect(content.unlockHash).toBe(hex32(sent.value.unlockHash));
  }
  if (content.kind === "lightning-send-finished" && sent?.$case === "lightningSendFinished") {
    const preimage = sent.value.preimage;
    expect(content.preimage).toEqual(preimage?.length === 32 ? preimage : undefined);
    expect(content.preimageMalformed).toBe(preimage !== undefined && preimage.length !== 32);
  }
}

test("every message that can be sent is delivered as it was sent, with its bytes", () => {
  fc.assert(
    fc.property(message, (sent) => {
      const raw = MailboxMessage.encode(sent).finish();
      const delivery = decodeDelivery(raw);
      expect(delivery.checkpoint).toBe(sent.checkpoint);
      expect(delivery.raw).toEqual(raw);
      checkContent(delivery, sent.message);
      expect(decodeDelivery(delivery.raw)).toEqual(delivery);
    }),
    propertyOptions(300),
  );
});

test("every page is delivered entry by entry, with the bytes of each", () => {
  fc.assert(
    fc.property(list(message), fc.boolean(), (messages, haveMore) => {
      const page = decodePage(MailboxMessages.encode({ messages, haveMore }).finish());
      expect(page.haveMore).toBe(haveMore);
      expect(page.messages).toEqual(messages.map((sent) => decodeDelivery(MailboxMessage.encode(sent).finish())));
    }),
    propertyOptions(100),
  );
});

/** Message bytes with some of them changed, cut or added. */
const mangled = fc
  .tuple(message, list(fc.tuple(fc.nat(), fc.nat(255))), fc.option(fc.nat()), bytes(6))
  .map(([sent, changes, cut, tail]) => {
    const raw = Uint8Array.from([...MailboxMessage.encode(sent).finish(), ...tail]);
    for (const [at, value] of changes) if (raw.length > 0) raw[at % raw.length] = value;
    return cut === null ? raw : raw.slice(0, cut % (raw.length + 1));
  });

test("any other bytes are either decoded with themselves kept, or refused as BAD_RESPONSE", () => {
  fc.assert(
    fc.property(fc.oneof(bytes(300), mangled), (raw) => {
      for (const decode of [decodeDelivery, decodePage]) {
        try {
          const decoded = decode(raw);
          if ("raw" in decoded) expect(decoded.raw).toEqual(raw);
        } catch (error) {
          expect(error).toBeInstanceOf(StreamError);
          expect(error).toMatchObject({ code: "BAD_RESPONSE" });
        }
      }
    }),
    propertyOptions(1_000),
  );
});

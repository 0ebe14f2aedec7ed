import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeTransaction, encodeTransaction, transactionId } from "../ark/transaction.ts";
import { transactionIdOf } from "../chain/transaction-id.ts";
import { propertyOptions } from "./options.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const transaction = fc.record({
  version: u32,
  inputs: fc.array(
    fc.record({
      outpoint: fc.record({
        txid: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((txid) => Buffer.from(txid).toString("hex")),
        vout: u32,
      }),
      script: bytes(300),
      sequence: u32,
      witness: fc.array(bytes(300), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  outputs: fc.array(fc.record({ amountSats: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), script: bytes(100) }), {
    minLength: 1,
    maxLength: 4,
  }),
  lockTime: u32,
});

it("the chain client and the protocol's codec agree on the id of every transaction", () => {
  fc.assert(
    fc.property(transaction, (tx) => {
      expect(transactionIdOf(encodeTransaction(tx))).toBe(transactionId(tx));
    }),
    propertyOptions(),
  );
});

it("whatever the codec takes for a transaction has an id, and damaged bytes never have the old one", () => {
  const damage = fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }), cut: fc.nat({ max: 3 }) });
  fc.assert(
    fc.property(transaction, damage, (tx, { at, to, cut }) => {
      const whole = encodeTransaction(tx, { witness: false });
      const damaged = whole.slice(0, whole.length - cut);
      damaged[at % damaged.length] = to;
      const id = transactionIdOf(damaged);
      if (!Buffer.from(damaged).equals(whole)) expect(id).not.toBe(transactionId(tx));
      const decoded = decoding(damaged);
      if (decoded !== undefined) expect(id).toBe(transactionId(decoded));
    }),
    propertyOptions(),
  );
});

function decoding(bytes: Uint8Array): ReturnType<typeof decodeTransaction> | undefined {
  try {
    return decodeTransaction(bytes);
  } catch {
    return undefined;
  }
}

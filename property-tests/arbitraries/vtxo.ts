/** Arbitrary well-formed VTXOs and their parts: everything here has an encoding (vtxo.md §1 to §5). */
import fc from "fast-check";
import { GROUP_ORDER, negatePoint, publicKeyOf, scalarToBytes, xOnly } from "../../ark/crypto.ts";
import type { GenesisItem } from "../../ark/genesis.ts";
import { MAX_DELTA, MAX_HEIGHT } from "../../ark/limits.ts";
import type { Outpoint } from "../../ark/outpoint.ts";
import type { Policy, UserPolicy } from "../../ark/policy.ts";
import type { Transaction, TxInput } from "../../ark/transaction.ts";
import type { Transition } from "../../ark/transition.ts";
import type { Vtxo } from "../../ark/vtxo.ts";

const keys = Array.from({ length: 24 }, (_, i) => publicKeyOf(scalarToBytes(BigInt(i + 1))));

/** Compressed keys of either parity, few enough that lists repeat some. */
export const publicKey = fc
  .tuple(fc.constantFrom(...keys), fc.boolean())
  .map(([key, negated]) => (negated ? negatePoint(key) : key));

export const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const u32 = fc.oneof(fc.nat(), fc.constantFrom(0, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }));
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 1_000_000n }),
  fc.constantFrom(0n, 329n, 330n, 0xffff_ffff_ffff_ffffn),
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
);
const height = fc.oneof(fc.nat({ max: MAX_HEIGHT }), fc.constantFrom(0, 16, 17, MAX_HEIGHT));
const delta = fc.oneof(fc.nat({ max: MAX_DELTA }), fc.constantFrom(0, MAX_DELTA));

const txid = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
const outpoint: fc.Arbitrary<Outpoint> = fc.record({ txid, vout: u32 });

const userPubkey = publicKey;
const htlc = { userPubkey, paymentHash: bytes32, htlcExpiryHeight: height };

export const userPolicy: fc.Arbitrary<UserPolicy> = fc.oneof(
  fc.record({ kind: fc.constant("pubkey"), userPubkey }),
  fc.record({ kind: fc.constantFrom("server-htlc-send", "server-htlc-send-v1"), ...htlc }),
  fc.record({
    kind: fc.constantFrom("server-htlc-receive", "server-htlc-receive-v1"),
    ...htlc,
    htlcExpiryDelta: delta,
  }),
);

export const policy: fc.Arbitrary<Policy> = fc.oneof(
  userPolicy,
  fc.record({ kind: fc.constant("checkpoint"), userPubkey }),
  fc.record({ kind: fc.constant("expiry"), internalKey: publicKey.map(xOnly) }),
  fc.record({ kind: fc.constantFrom("hark-leaf", "hark-leaf-v1"), userPubkey, unlockHash: bytes32 }),
  fc.record({ kind: fc.constantFrom("hark-forfeit", "hark-forfeit-v1"), userPubkey, unlockHash: bytes32 }),
  fc.record({ kind: fc.constant("server-owned") }),
);

/** Present or absent; 64 zero bytes are the encoding of an absent one. */
const signature = fc.option(fc.uint8Array({ minLength: 64, maxLength: 64 }).filter((bytes) => bytes.some((byte) => byte !== 0)));

const tapTweak = fc
  .oneof(fc.bigInt({ min: 0n, max: GROUP_ORDER - 1n }), fc.constantFrom(0n, GROUP_ORDER - 1n))
  .map(scalarToBytes);

export const transition: fc.Arbitrary<Transition> = fc.oneof(
  fc.record({ kind: fc.constant("cosigned"), pubkeys: fc.array(publicKey, { minLength: 1, maxLength: 4 }), signature }),
  fc.record({ kind: fc.constant("arkoor"), clientCosigners: fc.array(publicKey, { maxLength: 2 }), tapTweak, signature }),
  fc.record({
    kind: fc.constantFrom("hash-locked-cosigned", "hash-locked-cosigned-v1"),
    userPubkey,
    signature,
    unlock: fc.oneof(fc.record({ preimage: bytes32 }), fc.record({ hash: bytes32 })),
  }),
);

const script = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 100, maxLength: 100 }) },
);

function genesisItem(amountSats: fc.Arbitrary<bigint>): fc.Arbitrary<GenesisItem> {
  const siblings = fc.array(fc.record({ amountSats, script }), { maxLength: 4 });
  return fc
    .record({ transition, siblings, feeSats: amountSats, place: fc.nat() })
    .map(({ place, ...item }) => ({ ...item, outputIndex: place % (item.siblings.length + 1) }));
}

/** VTXOs that fulfil rule F: items exactly if the VTXO is not the chain anchor itself. */
function vtxoWith<P extends Policy>(policies: fc.Arbitrary<P>, amountSats: fc.Arbitrary<bigint>): fc.Arbitrary<Vtxo<P>> {
  return fc
    .record({
      amountSats,
      expiryHeight: height,
      serverPubkey: publicKey,
      exitDelta: delta,
      chainAnchor: outpoint,
      genesis: fc.array(genesisItem(amountSats), { maxLength: 4 }),
      policy: policies,
      point: outpoint,
    })
    .filter(({ chainAnchor, point }) => chainAnchor.txid !== point.txid)
    .map((vtxo) => (vtxo.genesis.length === 0 ? { ...vtxo, point: vtxo.chainAnchor } : vtxo));
}

export const userVtxo = vtxoWith(userPolicy, u64);
export const anyVtxo = vtxoWith(policy, u64);

/** Amounts whose sum is an amount, most of the time. */
export const plausibleVtxo = vtxoWith(
  userPolicy,
  fc.oneof(
    { weight: 99, arbitrary: fc.bigInt({ min: 0n, max: 1_000n }) },
    { weight: 1, arbitrary: fc.constant(0xffff_ffff_ffff_ffffn) },
  ),
);

const element = fc.uint8Array({ maxLength: 80 });
const txInput: fc.Arbitrary<TxInput> = fc.record({
  outpoint,
  script: element,
  sequence: u32,
  witness: fc.array(element, { maxLength: 3 }),
});

/** Transactions that can stand in a block, as far as their form goes. */
export const transaction: fc.Arbitrary<Transaction> = fc.record({
  version: u32,
  inputs: fc.array(txInput, { minLength: 1, maxLength: 3 }),
  outputs: fc.array(fc.record({ amountSats: u64, script: fc.uint8Array({ maxLength: 300 }) }), { minLength: 1, maxLength: 3 }),
  lockTime: u32,
});

/** Bytes with a few places overwritten, cut out or put in. */
export function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const overwriting = fc.uint8Array({ minLength: 1, maxLength: 2 }).map((bytes) => ({ removed: bytes.length, inserted: bytes }));
  const shifting = fc.record({ removed: fc.nat({ max: 3 }), inserted: fc.uint8Array({ maxLength: 3 }) });
  const wound = fc.tuple(fc.nat(), fc.oneof(overwriting, shifting));
  return fc.tuple(whole, fc.array(wound, { minLength: 1, maxLength: 3 })).map(([bytes, wounds]) =>
    wounds.reduce((current, [at, { removed, inserted }]) => {
      const start = at % (current.length + 1);
      return Uint8Array.of(...current.subarray(0, start), ...inserted, ...current.subarray(start + removed));
    }, bytes),
  );
}

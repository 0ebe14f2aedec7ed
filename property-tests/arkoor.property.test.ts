import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allocateDestinations,
  changePieces,
  checkDustRule,
  checkPartOutputs,
  type Destination,
  DUST_LIMIT_SATS,
  isolateDust,
  sumSats,
} from "../ark/arkoor-allocation.ts";
import { type ArkoorMode, buildArkoorPackage } from "../ark/arkoor-transactions.ts";
import { type Coin, selectCoins } from "../ark/coin-selection.ts";
import type { ArkError } from "../ark/errors.ts";
import { signArkoorPartJointly } from "../ark/joint-signing.ts";
import { encodePolicy } from "../ark/policy.ts";
import { validateVtxo } from "../ark/validate.ts";
import { decodeVtxo, encodeVtxo, exitDepth, vtxoId } from "../ark/vtxo.ts";
import { alice, board, bob, carol, destination, type KeyPair, pay, randomBytes, server } from "../test/ark/payments.ts";
import { userPolicy } from "./arbitraries/vtxo.ts";
import { propertyOptions } from "./options.ts";

const owners: readonly KeyPair[] = [alice, bob, carol];

/** Amounts close to every limit of the isolation table, and others. */
const amount = fc.oneof(
  fc.bigInt({ min: 1n, max: 1_400n }),
  fc.constantFrom(1n, 329n, 330n, 331n, 659n, 660n, 661n),
  fc.bigInt({ min: 1n, max: 1_000_000n }),
);
const payee = fc.tuple(amount, userPolicy).map(([amountSats, policy]): Destination => ({ amountSats, policy }));
const payees = fc.array(payee, { minLength: 1, maxLength: 8 });

/** Amounts of inputs that add up to what the destinations cost, cut at arbitrary places. */
function inputsFor(destinations: readonly Destination[], cuts: readonly number[]): bigint[] {
  const total = sumSats(destinations.map(({ amountSats }) => amountSats));
  const places = [...new Set(cuts.map((cut) => BigInt(cut) % total))].filter((place) => place > 0n).sort((a, b) => Number(a - b));
  return [...places, total].map((place, i) => place - (i === 0 ? 0n : (places[i - 1] ?? 0n)));
}
const cuts = fc.array(fc.nat(), { maxLength: 4 });

/** What each policy gets, whoever pays it. */
function totals(destinations: readonly Destination[]): Map<string, bigint> {
  const byPolicy = new Map<string, bigint>();
  for (const { amountSats, policy } of destinations) {
    const key = String(encodePolicy(policy));
    byPolicy.set(key, (byPolicy.get(key) ?? 0n) + amountSats);
  }
  return byPolicy;
}

describe("allocation", () => {
  it("fills every input exactly, keeps the order, and gives every policy its sum", () => {
    fc.assert(
      fc.property(payees, cuts, (destinations, places) => {
        const inputs = inputsFor(destinations, places);
        const parts = allocateDestinations(inputs, destinations);
        expect(parts.map((part) => sumSats(part.map(({ amountSats }) => amountSats)))).toEqual(inputs);
        const flat = parts.flat();
        expect(totals(flat)).toEqual(totals(destinations));
        const order = flat.map(({ policy }) => policy).filter((policy, i, all) => policy !== all[i - 1]);
        expect(order).toEqual(destinations.map(({ policy }) => policy));
      }),
      propertyOptions(300),
    );
  });

  it("refuses any other total", () => {
    fc.assert(
      fc.property(payees, cuts, fc.bigInt({ min: 1n, max: 1_000n }), (destinations, places, more) => {
        const inputs = inputsFor(destinations, places);
        const [first = 0n, ...others] = inputs;
        expect(() => allocateDestinations([first + more, ...others], destinations)).toThrow(refused("ARKOOR_UNBALANCED"));
      }),
      propertyOptions(100),
    );
  });
});

describe("isolation", () => {
  it("keeps the sum of every policy and passes the server's dust rule and constraints", () => {
    fc.assert(
      fc.property(payees, (destinations) => {
        const outputs = isolateDust(destinations);
        const all = [...outputs.normal, ...outputs.isolated];
        expect(totals(all)).toEqual(totals(destinations));
        checkDustRule(outputs);
        checkPartOutputs(sumSats(destinations.map(({ amountSats }) => amountSats)), outputs);
        expect(all.length - destinations.length).toBeLessThanOrEqual(1);
        expect(all.every(({ amountSats }) => amountSats > 0n)).toBe(true);
      }),
      propertyOptions(500),
    );
  });

  it("leaves no normal dust where it isolates", () => {
    fc.assert(
      fc.property(payees, (destinations) => {
        const { normal, isolated } = isolateDust(destinations);
        fc.pre(isolated.length > 0);
        expect(normal.every(({ amountSats }) => amountSats >= DUST_LIMIT_SATS)).toBe(true);
      }),
      propertyOptions(300),
    );
  });
});

describe("change", () => {
  it("comes back in pieces of at least 1 sat that add up", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 5_000n }), amount, fc.integer({ min: 1, max: 3 }), (change, paid, factor) => {
        const pieces = changePieces(change, paid, factor);
        expect(sumSats(pieces)).toBe(change);
        expect(pieces.every((piece) => piece > 0n)).toBe(true);
        expect(pieces.length).toBeLessThanOrEqual(change > paid ? factor : 1);
      }),
      propertyOptions(300),
    );
  });
});

describe("coin selection", () => {
  const coin: fc.Arbitrary<Coin> = fc.record({
    amountSats: amount,
    expiryHeight: fc.nat({ max: 5 }),
    exitDepth: fc.nat({ max: 6 }),
    policyKind: fc.constantFrom("pubkey", "server-htlc-send-v1"),
  });

  it("covers the target without a coin to spare, or the usable coins do not cover it", () => {
    fc.assert(
      fc.property(fc.array(coin, { maxLength: 8 }), amount, (coins, targetSats) => {
        const usable = coins.filter(({ policyKind, exitDepth: depth }) => policyKind === "pubkey" && depth < 5);
        const available = sumSats(usable.map(({ amountSats }) => amountSats));
        const select = (): Coin[] => selectCoins({ coins, targetSats, maxExitDepth: 5 });
        if (available < targetSats) {
          expect(select).toThrow(refused("INSUFFICIENT_FUNDS"));
          return;
        }
        const selected = select();
        expect(usable).toEqual(expect.arrayContaining(selected));
        expect(sumSats(selected.map(({ amountSats }) => amountSats))).toBeGreaterThanOrEqual(targetSats);
        expect(sumSats(selected.slice(0, -1).map(({ amountSats }) => amountSats))).toBeLessThan(targetSats);
        const heights = selected.map(({ expiryHeight }) => expiryHeight);
        expect(heights).toEqual(heights.toSorted((a, b) => a - b));
      }),
      propertyOptions(300),
    );
  });
});

describe("payments", () => {
  const mode: fc.Arbitrary<ArkoorMode> = fc.constantFrom("checkpoint", "direct");
  const shares = fc.array(fc.tuple(amount, fc.nat({ max: 2 })), { minLength: 1, maxLength: 4 });

  it("of any chain of owners create valid VTXOs that survive their encoding", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(shares, mode), { minLength: 1, maxLength: 3 }), fc.nat(), (hops, pick) => {
        const funded = board(alice, 50_000_000n);
        let held = { vtxo: funded.vtxo as Parameters<typeof pay>[0][number]["vtxo"], owner: alice };
        for (const [wanted, hopMode] of hops) {
          const destinations = [...spendable(wanted, held.vtxo.amountSats)];
          const [part] = buildArkoorPackage({ inputs: [held.vtxo], destinations, mode: hopMode });
          if (part === undefined) throw new Error("expected a part");
          const keys = { userSecretKey: held.owner.secretKey, serverSecretKey: server.secretKey };
          const created = signArkoorPartJointly(part, keys, randomBytes);
          expect(new Set(created.map(vtxoId)).size).toBe(created.length);
          expect(sumSats(created.map(({ amountSats }) => amountSats))).toBe(held.vtxo.amountSats);
          for (const vtxo of created) {
            expect(decodeVtxo(encodeVtxo(vtxo))).toEqual(vtxo);
            validateVtxo(vtxo, funded.anchor);
            expect(exitDepth(vtxo) - exitDepth(held.vtxo)).toBeLessThanOrEqual(2);
          }
          const next = created[pick % created.length];
          if (next === undefined) throw new Error("expected a VTXO");
          const owner = owners.find(({ publicKey }) => String(publicKey) === String(next.policy.userPubkey));
          if (owner === undefined) throw new Error("expected a known owner");
          held = { vtxo: next, owner };
        }
      }),
      propertyOptions(12),
    );
  });

  it("signed by both sides with MuSig2 are valid too", () => {
    fc.assert(
      fc.property(shares, mode, (wanted, packageMode) => {
        const funded = board(bob, 20_000n);
        const created = pay([{ vtxo: funded.vtxo, owner: bob }], spendable(wanted, 20_000n), packageMode);
        for (const vtxo of created) validateVtxo(vtxo, funded.anchor);
      }),
      propertyOptions(2),
    );
  });

  it("are not valid with any one bit of a signature flipped", () => {
    const funded = board(alice, 5_000n);
    const created = pay([{ vtxo: funded.vtxo, owner: alice }], [destination(5_000n, bob)]);
    const [paid] = created;
    if (paid === undefined) throw new Error("expected a VTXO");
    fc.assert(
      fc.property(fc.nat({ max: paid.genesis.length - 1 }), fc.nat({ max: 511 }), (index, bit) => {
        const genesis = paid.genesis.map((item, i) => {
          const { signature } = item.transition;
          if (i !== index || signature === null) return item;
          const flipped = signature.with(bit >> 3, (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
          return { ...item, transition: { ...item.transition, signature: flipped } };
        });
        expect(() => validateVtxo({ ...paid, genesis }, funded.anchor)).toThrow(refused("TRANSITION_INVALID_SIGNATURE"));
      }),
      propertyOptions(20),
    );
  });
});

/** As many of the wanted amounts as an input covers, and the rest back to the first owner. */
function spendable(wanted: readonly (readonly [bigint, number])[], inputSats: bigint): Destination[] {
  const destinations: Destination[] = [];
  let rest = inputSats;
  for (const [amountSats, owner] of wanted) {
    if (amountSats > rest) continue;
    destinations.push(destination(amountSats, owners[owner] ?? alice));
    rest -= amountSats;
  }
  return rest > 0n ? [...destinations, destination(rest, alice)] : destinations;
}

function refused(code: ArkError["code"]): unknown {
  return expect.objectContaining({ code });
}

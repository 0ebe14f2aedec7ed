import { describe, expect, it } from "vitest";
import { arkoorResults, vtxosOfPolicy } from "../../ark/arkoor-result.ts";
import { buildArkoorPackage } from "../../ark/arkoor-transactions.ts";
import { allWitnessesPresent, exitTransactions, vtxoOutput } from "../../ark/exit.ts";
import { signArkoorPartJointly } from "../../ark/joint-signing.ts";
import type { UserPolicy } from "../../ark/policy.ts";
import { transactionId } from "../../ark/transaction.ts";
import { validateVtxo } from "../../ark/validate.ts";
import { decodeVtxo, encodeVtxo, exitDepth, type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import { type Anchored, alice, board, bob, carol, destination, pay, pubkeyPolicy, randomBytes, server } from "./payments.ts";

const funded = board(alice, 10_000n);

/** Valid with signatures after a round trip, and at the end of its own exit transactions. */
function expectMoney(vtxo: Vtxo<UserPolicy>, anchor: Anchored["anchor"]): void {
  const read = decodeVtxo(encodeVtxo(vtxo));
  expect(read).toEqual(vtxo);
  expect(() => validateVtxo(read, anchor)).not.toThrow();
  expect(allWitnessesPresent(read)).toBe(true);
  const last = exitTransactions(read).at(-1);
  expect(last && transactionId(last)).toBe(read.point.txid);
  expect(last?.outputs[read.point.vout]).toEqual(vtxoOutput(read));
}

describe("a board", () => {
  it("is one cosigned step deep and valid", () => {
    const { vtxo, anchor } = funded;
    expect(exitDepth(vtxo)).toBe(1);
    expect(vtxo.genesis[0]).toMatchObject({ outputIndex: 0, siblings: [], feeSats: 330n, transition: { kind: "cosigned" } });
    expectMoney(vtxo, anchor);
  });
});

describe("a payment of a payment of a board", () => {
  const [paid, change] = pay([{ vtxo: funded.vtxo, owner: alice }], [destination(7_000n, bob), destination(3_000n, alice)]);
  const [again] = pay([{ vtxo: some(paid), owner: bob }], [destination(7_000n, carol)]);

  it("is valid at every step", () => {
    for (const vtxo of [some(paid), some(change), some(again)]) expectMoney(vtxo, funded.anchor);
  });

  it("is two steps deeper each time, cosigned by the user key of each input", () => {
    expect([paid, change, again].map((vtxo) => exitDepth(some(vtxo)))).toEqual([3, 3, 5]);
    const cosigners = some(again).genesis.flatMap(({ transition }) =>
      transition.kind === "arkoor" ? [transition.clientCosigners] : [],
    );
    expect(cosigners).toEqual([[alice.publicKey], [alice.publicKey], [bob.publicKey], [bob.publicKey]]);
  });

  it("keeps the header of its input", () => {
    const { expiryHeight, serverPubkey, exitDelta, chainAnchor } = funded.vtxo;
    expect(again).toMatchObject({
      expiryHeight,
      serverPubkey,
      exitDelta,
      chainAnchor,
      amountSats: 7_000n,
      policy: pubkeyPolicy(carol),
    });
  });

  it("is told apart from the change by its policy", () => {
    expect(vtxosOfPolicy([some(paid), some(change)], pubkeyPolicy(alice))).toEqual([change]);
    expect(vtxosOfPolicy([some(paid), some(change)], pubkeyPolicy(carol))).toEqual([]);
  });
});

describe("a package of several inputs", () => {
  const other = board(bob, 5_000n, 1);
  const spends = [
    { vtxo: funded.vtxo, owner: alice },
    { vtxo: other.vtxo, owner: bob },
  ];

  it("cuts a destination at an input's end into valid VTXOs of one policy", () => {
    const created = pay(spends, [destination(12_000n, carol), destination(3_000n, alice)]);
    expect(created.map(({ amountSats }) => amountSats)).toEqual([10_000n, 2_000n, 3_000n]);
    expect(vtxosOfPolicy(created, pubkeyPolicy(carol))).toHaveLength(2);
    expectMoney(some(created[0]), funded.anchor);
    for (const vtxo of created.slice(1)) expectMoney(vtxo, other.anchor);
  });
});

describe("dust isolation", () => {
  it.each([
    ["checkpoint", [3, 3, 3]],
    ["direct", [2, 3, 3]],
  ] as const)("in %s mode gives valid VTXOs, normal ones first, of depths %j", (mode, depths) => {
    const created = pay([{ vtxo: funded.vtxo, owner: alice }], [destination(100n, bob), destination(9_900n, carol)], mode);
    expect(created.map(({ amountSats }) => amountSats)).toEqual([9_670n, 230n, 100n]);
    expect(created.map(exitDepth)).toEqual(depths);
    expect(created.map(({ policy }) => policy)).toEqual([carol, carol, bob].map(pubkeyPolicy));
    for (const vtxo of created) expectMoney(vtxo, funded.anchor);
  });

  it("of several normal outputs leaves the isolation output behind them", () => {
    const created = pay(
      [{ vtxo: funded.vtxo, owner: alice }],
      [destination(4_000n, bob), destination(5_600n, carol), destination(200n, bob), destination(200n, alice)],
    );
    expect(created.at(-1)?.genesis.map(({ outputIndex, siblings }) => [outputIndex, siblings.length])).toEqual([
      [0, 0],
      [2, 2],
      [1, 1],
    ]);
    for (const vtxo of created) expectMoney(vtxo, funded.anchor);
  });
});

describe("an HTLC", () => {
  it("can be paid out of a board and spent again", () => {
    const policy: UserPolicy = {
      kind: "server-htlc-send-v1",
      userPubkey: alice.publicKey,
      paymentHash: new Uint8Array(32).fill(3),
      htlcExpiryHeight: 100_500,
    };
    const [contract] = pay([{ vtxo: funded.vtxo, owner: alice }], [{ amountSats: 10_000n, policy }]);
    expectMoney(some(contract), funded.anchor);
    const [back] = pay([{ vtxo: some(contract), owner: alice }], [destination(10_000n, alice)]);
    expectMoney(some(back), funded.anchor);
  });
});

describe("without signatures", () => {
  const [part] = buildArkoorPackage({ inputs: [funded.vtxo], destinations: [destination(10_000n, bob)] });

  it("the ids are known already, and the VTXOs are incomplete", () => {
    const [bare] = arkoorResults(some(part));
    const [signed] = signArkoorPartJointly(
      some(part),
      { userSecretKey: alice.secretKey, serverSecretKey: server.secretKey },
      randomBytes,
    );
    expect(vtxoId(some(bare))).toBe(vtxoId(some(signed)));
    expect(allWitnessesPresent(some(bare))).toBe(false);
    expectMoney(some(signed), funded.anchor);
  });

  it("of one transaction, its item alone stays incomplete", () => {
    const [vtxo] = arkoorResults(some(part), [new Uint8Array(64).fill(1), null]);
    expect(some(vtxo).genesis.map(({ transition }) => transition.signature !== null)).toEqual([true, true, false]);
    expect(() => validateVtxo(some(vtxo), funded.anchor, { signatures: false })).not.toThrow();
  });

  it("nobody signs jointly with keys of others", () => {
    const keys = { userSecretKey: bob.secretKey, serverSecretKey: server.secretKey };
    expect(() => signArkoorPartJointly(some(part), keys, randomBytes)).toThrow(
      expect.objectContaining({ code: "ARKOOR_INCORRECT_KEY" }),
    );
  });
});

function some<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("expected a value, got none");
  return value;
}

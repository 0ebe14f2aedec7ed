import { Status } from "nice-grpc";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Destination } from "../../ark/arkoor-allocation.ts";
import { ArkoorCosignSession } from "../../ark/arkoor-cosign.ts";
import { type ArkoorInput, buildArkoorPart, spendingTxid } from "../../ark/arkoor-transactions.ts";
import { exitTransactions } from "../../ark/exit.ts";
import { encodeHex } from "../../ark/hex.ts";
import { encodeTransaction } from "../../ark/transaction.ts";
import { decodeVtxo, encodeVtxo, vtxoId } from "../../ark/vtxo.ts";
import type { ArkoorCosignRequest } from "../../proto/generated/bark_server.ts";
import { readCosignResponse, writeCosignRequest } from "../../simulator/arkoor-wire.ts";
import type { SimulatedVtxo, Simulator } from "../../simulator/index.ts";
import { SeededRandom } from "../../simulator/seeded-random.ts";
import { connect, refusal, startTestSimulator, TestWallet, validateOverChain } from "./support.ts";

let simulator: Simulator;
let client: ReturnType<typeof connect>;
let inputs: ArkoorInput[];
let stranger: SimulatedVtxo;
const owner = new TestWallet("owner");
const friend = new TestWallet("friend");
let nextInput = 1;
let random = new SeededRandom("client");

beforeAll(async () => {
  ({ simulator } = await startTestSimulator({ terms: { maxVtxoExitDepth: 5 } }));
  client = connect(simulator);
  inputs = [];
  for (let i = 0; i < 3; i++) {
    const created = await simulator.createPackage(owner.address(simulator), { amountsSats: Array(4).fill(10_000n), perCoin: 4 });
    inputs.push(...created.map(({ bytes }) => decodeVtxo(bytes)));
  }
  const elsewhere = await startTestSimulator({ seed: "another server" });
  [stranger] = (await elsewhere.simulator.createPackage(owner.address(elsewhere.simulator), { amountsSats: [9n] })) as [
    SimulatedVtxo,
  ];
  await elsewhere.simulator.stop();
});
beforeEach(() => {
  random = new SeededRandom("client");
});
afterAll(async () => {
  client.close();
  await simulator.stop();
});

/** A coin that every test leaves unspent. */
function spare(): ArkoorInput {
  return inputs[0] as ArkoorInput;
}

/** A coin of the owner that no test has used. */
function fresh(): ArkoorInput {
  return inputs[nextInput++] as ArkoorInput;
}

function to(wallet: TestWallet, ...amounts: number[]): Destination[] {
  return amounts.map((amount) => ({ amountSats: BigInt(amount), policy: { kind: "pubkey", userPubkey: wallet.userPubkey } }));
}

/** A part of a request that is right, for a test to spoil. */
function attempt(input: ArkoorInput, normal = to(friend, 10_000), isolated: Destination[] = []) {
  const part = buildArkoorPart(input, { normal, isolated }, "checkpoint");
  const session = ArkoorCosignSession.start({
    parts: [part],
    secretKeys: [owner.vtxoSecretKey],
    randomBytes: (n) => random.bytes(n),
  });
  return { part, session, wire: session.requests.map(writeCosignRequest)[0] as ArkoorCosignRequest };
}

async function cosign(...parts: ArkoorCosignRequest[]) {
  return await client.ark.requestArkoorCosign({ parts });
}

test("a payment with change and isolated dust is cosigned, validates, and is unregistered until uploaded", async () => {
  const input = fresh();
  const { part, session, wire } = attempt(input, to(friend, 4_000, 5_670), [...to(owner, 230), ...to(friend, 100)]);
  const { parts } = await cosign(wire);
  const vtxos = session.finish(parts.map(readCosignResponse), [owner.vtxoSecretKey]);
  expect(vtxos.map(({ amountSats }) => amountSats)).toEqual([4_000n, 5_670n, 230n, 100n]);
  for (const vtxo of vtxos) await validateOverChain(simulator, encodeVtxo(vtxo));
  expect(vtxos.map((vtxo) => simulator.vtxo(vtxoId(vtxo))?.state)).toEqual(Array(4).fill("unregistered"));
  expect(simulator.vtxo(vtxoId(input))).toMatchObject({ state: "spent", spentBy: spendingTxid(part) });
  await client.ark.registerVtxoTransactions({ vtxos: vtxos.map(encodeVtxo) });
  expect(vtxos.map((vtxo) => simulator.vtxo(vtxoId(vtxo))?.state)).toEqual(Array(4).fill("spendable"));
});

test("the outputs in between are known to the server as spent by what spends them", async () => {
  const { part, wire } = attempt(fresh(), to(friend, 4_000, 5_670), [...to(owner, 230), ...to(friend, 100)]);
  await cosign(wire);
  const [checkpoint, ...spenders] = part.transactions;
  spenders.forEach((spender, vout) => {
    expect(simulator.vtxo(`${checkpoint?.txid}:${vout}`)).toMatchObject({
      isInternal: true,
      state: "spent",
      spentBy: spender.txid,
    });
  });
});

describe("idempotency", () => {
  test("the same package again is cosigned again, with other nonces and the same transactions", async () => {
    const input = fresh();
    const first = attempt(input);
    const second = attempt(input);
    const [a, b] = [await cosign(first.wire), await cosign(second.wire)];
    expect(encodeHex(a.parts[0]?.serverPubNonces[0] ?? new Uint8Array())).not.toBe(
      encodeHex(b.parts[0]?.serverPubNonces[0] ?? new Uint8Array()),
    );
    const finish = ({ session }: typeof first, { parts }: typeof a) =>
      session.finish(parts.map(readCosignResponse), [owner.vtxoSecretKey]);
    expect(finish(first, a).map(vtxoId)).toEqual(finish(second, b).map(vtxoId));
  });

  test("the answer to a lost response is had by asking again", async () => {
    const { wire, session } = attempt(fresh());
    simulator.faults.loseNext("RequestArkoorCosign");
    await refusal(cosign(wire), Status.UNAVAILABLE);
    const { parts } = await cosign(wire);
    expect(session.finish(parts.map(readCosignResponse), [owner.vtxoSecretKey]).length).toBe(1);
  });

  test("another package of a spent coin is refused", async () => {
    const input = fresh();
    await cosign(attempt(input).wire);
    expect(await refusal(cosign(attempt(input, to(friend, 5_000, 5_000)).wire), Status.INVALID_ARGUMENT)).toMatch(
      /spendable, got spent/,
    );
  });

  test("of two requests at once for one coin, the later is refused as already locked", async () => {
    const input = fresh();
    const results = await Promise.allSettled([cosign(attempt(input).wire), cosign(attempt(input).wire)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [rejected] = results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
    expect(rejected).toMatch(/INVALID_ARGUMENT.*already locked/);
  });

  test("a package is executed for all of its inputs or for none", async () => {
    const [spent, untouched] = [fresh(), fresh()];
    await cosign(attempt(spent).wire);
    await refusal(cosign(attempt(untouched).wire, attempt(spent, to(friend, 5_000, 5_000)).wire), Status.INVALID_ARGUMENT);
    expect(simulator.vtxo(vtxoId(untouched))?.state).toBe("spendable");
  });
});

describe("the checks, in order", () => {
  test("what does not parse is answered INTERNAL", async () => {
    const { wire } = attempt(spare());
    await refusal(cosign({ ...wire, inputVtxoId: new Uint8Array(35) }), Status.INTERNAL);
    await refusal(cosign({ ...wire, attestation: new Uint8Array(63) }), Status.INTERNAL);
    await refusal(cosign({ ...wire, userPubNonces: [new Uint8Array(66)] }), Status.INTERNAL);
    await refusal(cosign({ ...wire, outputs: [{ totalAmount: 1n, policy: Uint8Array.of(3) }] }), Status.INTERNAL);
  });

  test("1: unknown inputs with their ids; one input twice with none; an internal one INTERNAL", async () => {
    const identifiers: unknown[] = [];
    const onTrailer = (trailer: { get(key: string): unknown }) => void identifiers.push(trailer.get("identifiers"));
    const { wire } = attempt(spare());
    const unknown = {
      ...wire,
      inputVtxoId: writeCosignRequest({ ...attempt(spare()).session.requests[0], inputVtxoId: stranger.id } as never).inputVtxoId,
    };
    await refusal(client.ark.requestArkoorCosign({ parts: [wire, unknown] }, { onTrailer }), Status.NOT_FOUND);
    await refusal(client.ark.requestArkoorCosign({ parts: [wire, wire] }, { onTrailer }), Status.NOT_FOUND);
    expect(identifiers).toEqual([stranger.id, ""]);
    const internal = simulator.vtxos().find((entry) => entry.isInternal)?.id;
    const request = { ...attempt(spare()).session.requests[0], inputVtxoId: internal } as never;
    await refusal(cosign(writeCosignRequest(request)), Status.INTERNAL);
  });

  test("2: no part at all, or one without checkpoint", async () => {
    await refusal(cosign(), Status.INVALID_ARGUMENT);
    const { wire } = attempt(spare());
    expect(await refusal(cosign({ ...wire, useCheckpoint: false }), Status.INVALID_ARGUMENT)).toMatch(/ARKOOR_WRONG_MODE/);
  });

  test("3 and 4: attestation, then outputs, then nonces", async () => {
    const { wire } = attempt(spare());
    const foreignAttestation = attempt(fresh()).wire.attestation;
    const unbalanced = { ...wire, outputs: [], userPubNonces: [] };
    expect(await refusal(cosign({ ...unbalanced, attestation: foreignAttestation }), Status.INVALID_ARGUMENT)).toMatch(
      /ATTESTATION/,
    );
    expect(await refusal(cosign({ ...wire, userPubNonces: wire.userPubNonces.slice(1) }), Status.INVALID_ARGUMENT)).toMatch(
      /NB_USER_NONCES/,
    );
  });

  test("5 to 7: depth, fan-out and dust", async () => {
    const [deep] = await simulator.createPackage(owner.address(simulator), { amountsSats: [10_000n], depth: 5 });
    const refused = async (...args: Parameters<typeof attempt>) =>
      refusal(cosign(attempt(...args).wire), Status.INVALID_ARGUMENT);
    expect(await refused(decodeVtxo(deep?.bytes ?? new Uint8Array()))).toMatch(/ARKOOR_EXIT_DEPTH/);
    expect(await refused(spare(), to(friend, 2_000, 2_000, 2_000, 2_000, 2_000))).toMatch(/ARKOOR_FAN_OUT/);
    expect(await refused(spare(), to(friend, 9_900, 100))).toMatch(/ARKOOR_DUST/);
  });

  test.each(["unregistered", "unclaimed", "htlc-recv-unclaimed", "ln-spent"] as const)(
    "8: an input that is %s",
    async (state) => {
      const input = spare();
      simulator.setSpendState(vtxoId(input), state);
      expect(await refusal(cosign(attempt(input).wire), Status.INVALID_ARGUMENT)).toContain(`got ${state}`);
      simulator.setSpendState(vtxoId(input), "spendable");
    },
  );

  test("8: an input that was taken on chain, once that is confirmed", async () => {
    const input = fresh();
    const exit = exitTransactions(input).at(-1);
    if (!exit) return expect.unreachable();
    simulator.chain.add(encodeTransaction(exit), null);
    const before = attempt(input);
    simulator.mine();
    expect(await refusal(cosign(before.wire), Status.INVALID_ARGUMENT)).toMatch(/got exited/);
  });
});

import { Status } from "nice-grpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signAttestation } from "../../ark/attestation.ts";
import { encodeHex } from "../../ark/hex.ts";
import { decodeServerVtxo, decodeVtxo, encodeVtxo } from "../../ark/vtxo.ts";
import { encodeVtxoId } from "../../ark/vtxo-id.ts";
import { VtxoSpendState } from "../../proto/generated/bark_server.ts";
import { corruptVtxo, type SimulatedVtxo, type Simulator } from "../../simulator/index.ts";
import { connect, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
let client: ReturnType<typeof connect>;
let created: SimulatedVtxo[];
let stranger: SimulatedVtxo;
const wallet = new TestWallet("owner");

beforeAll(async () => {
  ({ simulator } = await startTestSimulator());
  client = connect(simulator);
  created = await simulator.createPackage(wallet.address(simulator), {
    amountsSats: [1_000n, 2_000n],
    perCoin: 2,
    register: false,
  });
  const elsewhere = await startTestSimulator({ seed: "another server" });
  [stranger] = (await elsewhere.simulator.createPackage(wallet.address(elsewhere.simulator), { amountsSats: [9n] })) as [
    SimulatedVtxo,
  ];
  await elsewhere.simulator.stop();
});
afterAll(async () => {
  client.close();
  await simulator.stop();
});

const at = (index: number): SimulatedVtxo => created[index] as SimulatedVtxo;

async function identifiersOf(
  call: (options: { onTrailer: (trailer: { get(key: string): unknown }) => void }) => Promise<unknown>,
) {
  let identifiers: unknown;
  await refusal(
    call({
      onTrailer: (trailer) => {
        identifiers = trailer.get("identifiers");
      },
    }),
    Status.NOT_FOUND,
  );
  return identifiers;
}

function status(vtxo: SimulatedVtxo, key = wallet.vtxoSecretKey) {
  const attestation = signAttestation({ kind: "vtxo-status", vtxoId: vtxo.id }, key, new Uint8Array(32));
  return { vtxoId: encodeVtxoId(vtxo.id), attestation };
}

describe("before registration", () => {
  test("the server's copy lacks the newest signatures, and its state is unregistered", async () => {
    const { vtxo } = await client.ark.getVtxo({ vtxoId: encodeVtxoId(at(0).id) });
    expect(decodeVtxo(vtxo).genesis.map(({ transition }) => transition.signature !== null)).toEqual([true, false, false]);
    const { spendState } = await client.ark.getVtxoStatus(status(at(0)));
    expect(spendState).toBe(VtxoSpendState.VTXO_SPEND_STATE_UNREGISTERED);
  });
});

describe("RegisterVtxoTransactions refuses", () => {
  const refused: readonly [string, () => Uint8Array[], RegExp][] = [
    ["an empty list", () => [], /at least one/],
    ["an entry that does not decode, although another is unknown", () => [stranger.bytes, Uint8Array.of(1)], /invalid vtxo/],
    ["one that is not fully signed", () => [at(0).bytes, corruptVtxo(at(1).bytes, "missing-signature")], /not fully signed/],
    ["one with a bad signature", () => [corruptVtxo(at(0).bytes, "signature")], /TRANSITION_INVALID_SIGNATURE/],
    ["one with another amount", () => [corruptVtxo(at(0).bytes, "amount")], /ANCHOR_OUTPUT_MISMATCH/],
  ];
  test.each(refused)("%s with INVALID_ARGUMENT and stores nothing", async (_, vtxos, details) => {
    expect(await refusal(client.ark.registerVtxoTransactions({ vtxos: vtxos() }), Status.INVALID_ARGUMENT)).toMatch(details);
    expect(simulator.vtxo(at(0).id)?.state).toBe("unregistered");
  });

  test("an unknown VTXO with NOT_FOUND and its id", async () => {
    const vtxos = [at(0).bytes, stranger.bytes];
    expect(await identifiersOf((options) => client.ark.registerVtxoTransactions({ vtxos }, options))).toBe(stranger.id);
    expect(simulator.vtxo(at(0).id)?.state).toBe("unregistered");
  });

  test("an internal output with INVALID_ARGUMENT", async () => {
    const internal = simulator.vtxos().find((entry) => entry.isInternal);
    const disguised = encodeVtxo({ ...decodeVtxo(at(0).bytes), point: internal?.vtxo.point ?? { txid: "", vout: 0 } });
    expect(await refusal(client.ark.registerVtxoTransactions({ vtxos: [disguised] }), Status.INVALID_ARGUMENT)).toMatch(
      /not a user vtxo/,
    );
  });

  test("one whose anchor the chain does not hold, or only unsigned", async () => {
    const anchor = simulator.chain.transaction(at(0).anchorTxid);
    simulator.chain.evict(at(0).anchorTxid);
    expect(await refusal(client.ark.registerVtxoTransactions({ vtxos: [at(0).bytes] }), Status.INVALID_ARGUMENT)).toMatch(
      /anchor/,
    );
    simulator.chain.add(anchor?.bytes ?? new Uint8Array(), anchor?.height ?? null);
  });
});

describe("RegisterVtxoTransactions", () => {
  test("takes over signed copies, repeated ones once, and makes them spendable; again is fine", async () => {
    const vtxos = [at(0).bytes, at(1).bytes, at(0).bytes];
    await client.ark.registerVtxoTransactions({ vtxos });
    await client.ark.registerVtxoTransactions({ vtxos });
    expect(created.map(({ id }) => simulator.vtxo(id)?.state)).toEqual(["spendable", "spendable"]);
    const { vtxo } = await client.ark.getVtxo({ vtxoId: encodeVtxoId(at(0).id) });
    expect(encodeHex(vtxo)).toBe(encodeHex(at(0).bytes));
  });

  test("leaves a spent VTXO spent", async () => {
    simulator.setSpendState(at(0).id, "spent");
    await client.ark.registerVtxos({ vtxos: [at(0).bytes] });
    expect(simulator.vtxo(at(0).id)?.state).toBe("spent");
    simulator.setSpendState(at(0).id, "spendable");
  });
});

describe("GetVtxo", () => {
  test("refuses another length with INVALID_ARGUMENT and an unknown id with NOT_FOUND", async () => {
    await refusal(client.ark.getVtxo({ vtxoId: new Uint8Array(35) }), Status.INVALID_ARGUMENT);
    expect(await identifiersOf((options) => client.ark.getVtxo({ vtxoId: encodeVtxoId(stranger.id) }, options))).toBe(
      stranger.id,
    );
  });

  test("returns internal outputs too, which do not decode as a user's VTXO", async () => {
    const internal = simulator.vtxos().find((entry) => entry.isInternal);
    const { vtxo } = await client.ark.getVtxo({ vtxoId: encodeVtxoId(internal?.id ?? "") });
    expect(() => decodeVtxo(vtxo)).toThrow(expect.objectContaining({ code: "BAD_POLICY_TYPE" }));
    expect(decodeServerVtxo(vtxo).policy.kind).toBe("checkpoint");
  });
});

describe("GetVtxoStatus", () => {
  test.each([
    ["spendable", VtxoSpendState.VTXO_SPEND_STATE_SPENDABLE],
    ["spent", VtxoSpendState.VTXO_SPEND_STATE_SPENT],
    ["ln-spent", VtxoSpendState.VTXO_SPEND_STATE_SPENT],
    ["unclaimed", VtxoSpendState.VTXO_SPEND_STATE_UNCLAIMED],
    ["unregistered", VtxoSpendState.VTXO_SPEND_STATE_UNREGISTERED],
    ["htlc-recv-unclaimed", VtxoSpendState.VTXO_SPEND_STATE_HTLC_RECV_UNCLAIMED],
  ] as const)("says of a VTXO in state %s what the wire calls it", async (state, expected) => {
    simulator.setSpendState(at(1).id, state);
    expect((await client.ark.getVtxoStatus(status(at(1)))).spendState).toBe(expected);
  });

  test("checks in order: form, existence, then the signature of the owner", async () => {
    const thief = new TestWallet("thief").vtxoSecretKey;
    await refusal(client.ark.getVtxoStatus({ ...status(stranger), attestation: new Uint8Array(63) }), Status.INVALID_ARGUMENT);
    await refusal(client.ark.getVtxoStatus({ ...status(at(0)), vtxoId: new Uint8Array(1) }), Status.INVALID_ARGUMENT);
    expect(await identifiersOf((options) => client.ark.getVtxoStatus(status(stranger, thief), options))).toBe(stranger.id);
    expect(await refusal(client.ark.getVtxoStatus(status(at(0), thief)), Status.INVALID_ARGUMENT)).toMatch(/owner key/);
    await refusal(
      client.ark.getVtxoStatus({ ...status(at(0)), attestation: status(at(1)).attestation }),
      Status.INVALID_ARGUMENT,
    );
  });

  test("does not find internal outputs", async () => {
    const internal = simulator.vtxos().find((entry) => entry.isInternal);
    const request = { vtxoId: encodeVtxoId(internal?.id ?? ""), attestation: new Uint8Array(64) };
    expect(await identifiersOf((options) => client.ark.getVtxoStatus(request, options))).toBe(internal?.id);
  });
});

test.each(["checkLightningPayment", "checkLightningReceive"] as const)("%s knows no payment", async (method) => {
  const hash = new Uint8Array(32).fill(1);
  expect(await identifiersOf((options) => client.ark[method]({ hash, wait: false }, options))).toBe("01".repeat(32));
  await refusal(client.ark[method]({ hash: hash.slice(1), wait: false }), Status.INVALID_ARGUMENT);
});

test("RoundParticipationStatus knows no participation", async () => {
  const unlockHash = new Uint8Array(32).fill(2);
  expect(await identifiersOf((options) => client.ark.roundParticipationStatus({ unlockHash }, options))).toBe("02".repeat(32));
});

import { Status } from "nice-grpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { multiplyPoint } from "../../ark/crypto.ts";
import { encodeHex } from "../../ark/hex.ts";
import { blindMailboxId } from "../../ark/mailbox.ts";
import { corruptVtxo, type SimulatedVtxo, type Simulator } from "../../simulator/index.ts";
import { connect, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
const wallet = new TestWallet("recipient");
const other = new TestWallet("another recipient");
let vtxos: SimulatedVtxo[];
let foreign: SimulatedVtxo;
let htlc: SimulatedVtxo;
let stranger: SimulatedVtxo;

beforeAll(async () => {
  ({ simulator } = await startTestSimulator());
  const address = wallet.address(simulator);
  vtxos = await simulator.createPackage(address, { amountsSats: [1_000n, 2_000n, 3_000n], perCoin: 3 });
  [foreign] = (await simulator.createPackage(other.address(simulator), { amountsSats: [500n] })) as [SimulatedVtxo];
  const policy = {
    kind: "server-htlc-send-v1",
    userPubkey: wallet.userPubkey,
    paymentHash: new Uint8Array(32),
    htlcExpiryHeight: 500,
  } as const;
  [htlc] = (await simulator.createPackage(address, { amountsSats: [700n], policy })) as [SimulatedVtxo];
  const elsewhere = await startTestSimulator({ seed: "another server" });
  [stranger] = (await elsewhere.simulator.createPackage(wallet.address(elsewhere.simulator), { amountsSats: [900n] })) as [
    SimulatedVtxo,
  ];
  await elsewhere.simulator.stop();
});
afterAll(() => simulator.stop());

function blindedId(owner = wallet): Uint8Array {
  return blindMailboxId(owner.mailboxId, simulator.arkInfo.mailboxPubkey, owner.vtxoSecretKey);
}

async function post(given: readonly (SimulatedVtxo | Uint8Array | undefined)[], id = blindedId()): Promise<void> {
  using client = connect(simulator);
  const encodings = given.flatMap((vtxo) => (vtxo === undefined ? [] : [vtxo instanceof Uint8Array ? vtxo : vtxo.bytes]));
  await client.mailbox.postArkoorMessage({ blindedId: id, vtxos: encodings });
}

/** The refusal of a post, with the `identifiers` metadata. */
async function refusedPost(given: Parameters<typeof post>[0], status: Status, id = blindedId()) {
  using client = connect(simulator);
  let identifiers: string | undefined;
  const encodings = given.flatMap((vtxo) => (vtxo === undefined ? [] : [vtxo instanceof Uint8Array ? vtxo : vtxo.bytes]));
  const onTrailer = (trailer: { get(key: string): string | Uint8Array | undefined }) => {
    identifiers = trailer.get("identifiers") as string | undefined;
  };
  const details = await refusal(client.mailbox.postArkoorMessage({ blindedId: id, vtxos: encodings }, { onTrailer }), status);
  return { details, identifiers };
}

describe("the checks, in order", () => {
  const garbage = Uint8Array.of(1);
  const notAPoint = new Uint8Array(33);

  test("1: more than 100 VTXOs, even if they do not decode", async () => {
    expect((await refusedPost(Array(101).fill(garbage), Status.INVALID_ARGUMENT)).details).toMatch(/at most 100/);
  });
  test("2: one that does not decode, before a bad blinded id", async () => {
    expect((await refusedPost([htlc, garbage], Status.INVALID_ARGUMENT, notAPoint)).details).toMatch(/invalid vtxo/);
  });
  test("3: none at all, before a bad blinded id", async () => {
    expect((await refusedPost([], Status.INVALID_ARGUMENT, notAPoint)).details).toMatch(/at least one/);
  });
  test("4: another policy than pubkey, before a bad blinded id", async () => {
    expect((await refusedPost([vtxos[0], htlc], Status.INVALID_ARGUMENT, notAPoint)).details).toMatch(/policy pubkey/);
  });
  test.each([
    ["no point", new Uint8Array(33)],
    ["32 bytes", new Uint8Array(32).fill(2)],
  ])("5: a blinded id that is %s, before mixed owners", async (_, id) => {
    expect((await refusedPost([vtxos[0], foreign], Status.INVALID_ARGUMENT, id)).details).toMatch(/blinded mailbox id/);
  });
  test("6: mixed owners, before an unknown VTXO", async () => {
    expect((await refusedPost([vtxos[0], foreign, stranger], Status.INVALID_ARGUMENT)).details).toMatch(/one owner/);
  });
  test("7: a blinded id that unblinds to infinity, before an unknown VTXO", async () => {
    const shared = multiplyPoint(simulator.arkInfo.mailboxPubkey, wallet.vtxoSecretKey);
    expect((await refusedPost([stranger], Status.INVALID_ARGUMENT, shared)).details).toMatch(/infinity/);
  });
  test("8: unknown VTXOs, each named once in the identifiers", async () => {
    const { details, identifiers } = await refusedPost([vtxos[0], stranger], Status.NOT_FOUND);
    expect(details).toMatch(/^not found: /);
    expect(identifiers).toBe(stranger.id);
  });
  test("8: one VTXO twice, with an empty list", async () => {
    expect((await refusedPost([vtxos[0], vtxos[0]], Status.NOT_FOUND)).identifiers).toBe("");
  });
  test("8: an internal output of the server", async () => {
    const internal = simulator.vtxos().find((entry) => entry.isInternal);
    const bytes = corruptVtxoPoint(vtxos[0], internal?.id);
    await refusedPost([bytes], Status.INTERNAL);
  });
  test("9: the server's own copy has another owner", async () => {
    const bytes = corruptVtxoPoint(vtxos[0], foreign.id);
    expect((await refusedPost([bytes], Status.INVALID_ARGUMENT)).details).toMatch(/owner key/);
  });
  test("and nothing of all that was stored", () => {
    expect(simulator.mailbox(wallet.mailboxHex)).toEqual([]);
  });
});

/** A VTXO that claims another id: the last 36 bytes of an encoding are its point. */
function corruptVtxoPoint(vtxo: SimulatedVtxo | undefined, id: string | undefined): Uint8Array {
  const [txid = "", vout = "0"] = (id ?? "").split(":");
  const point = [...Buffer.from(txid, "hex").reverse(), Number(vout), 0, 0, 0];
  const bytes = Uint8Array.from(vtxo?.bytes ?? []);
  bytes.set(point, bytes.length - 36);
  return bytes;
}

describe("what a post leaves behind", () => {
  test("one message with one position, unblinded to the recipient's mailbox, in version 2", async () => {
    await post([vtxos[0], vtxos[1]]);
    const [message, ...more] = simulator.mailbox(wallet.mailboxHex);
    expect(more).toEqual([]);
    expect(message?.rows.map(({ key }) => key)).toEqual([vtxos[0]?.id, vtxos[1]?.id]);
    expect(message?.rows.map(({ bytes }) => encodeHex(bytes))).toEqual(
      [vtxos[0], vtxos[1]].map((vtxo) => encodeHex(vtxo?.bytes ?? new Uint8Array())),
    );
  });

  test("a post of known VTXOs succeeds, stores nothing and wakes nobody", async () => {
    const before = simulator.mailbox(wallet.mailboxHex);
    using client = connect(simulator);
    const stream = client.mailbox.subscribeMailbox(wallet.request(before.at(-1)?.checkpoint))[Symbol.asyncIterator]();
    let isAwake = false;
    stream.next().then(
      () => {
        isAwake = true;
      },
      () => undefined,
    );
    await expect.poll(() => simulator.counters().openSubscriptions).toBe(1);
    await post([vtxos[1], vtxos[0]]);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(simulator.mailbox(wallet.mailboxHex)).toEqual(before);
    expect(isAwake).toBe(false);
  });

  test("a mixed post becomes a message of the new ones only", async () => {
    await post([vtxos[0], vtxos[2]]);
    expect(simulator.mailbox(wallet.mailboxHex).map(({ rows }) => rows.map(({ key }) => key))).toEqual([
      [vtxos[0]?.id, vtxos[1]?.id],
      [vtxos[2]?.id],
    ]);
  });

  test("a VTXO that is in any mailbox is not stored in another one", async () => {
    simulator.deliver(new TestWallet("elsewhere").mailboxHex, [foreign]);
    await post([foreign], blindedId(other));
    expect(simulator.mailbox(other.mailboxHex)).toEqual([]);
  });

  test("a package for another owner key than the address lands in an unrelated mailbox", async () => {
    const [mine] = await simulator.createPackage(wallet.address(simulator), { amountsSats: [100n] });
    await post([mine], blindedId(other));
    expect(simulator.mailbox(other.mailboxHex)).toEqual([]);
    expect(simulator.mailbox(wallet.mailboxHex).length).toBe(2);
  });

  test("signatures, genesis and amount are not compared with the server's copy", async () => {
    const [spoiled] = await simulator.createPackage(wallet.address(simulator), { amountsSats: [100n] });
    const bytes = corruptVtxo(corruptVtxo(spoiled?.bytes ?? new Uint8Array(), "signature"), "amount");
    await post([bytes]);
    expect(encodeHex(simulator.mailbox(wallet.mailboxHex).at(-1)?.rows[0]?.bytes ?? new Uint8Array())).toBe(encodeHex(bytes));
  });
});

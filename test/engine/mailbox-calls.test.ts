import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { decodeAuthorization } from "../../ark/authorization.ts";
import { encodeHex } from "../../ark/hex.ts";
import type { Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import type { ServerSession } from "../../streams/session.ts";
import { eventually, expectBooksToBalance, FastClock, goLive, openWallet, type Setup, setUp } from "./helpers.ts";

// What the engine asks the server for, and what it makes of the answers.

/** A clock that stands, so that the life of an authorization can be told. */
class StandingClock extends FastClock {
  readonly #nowMs = Date.now();

  override nowMs(): number {
    return this.#nowMs;
  }
}

interface Call {
  readonly kind: "page" | "stream" | "backup";
  readonly authorization: Uint8Array;
  readonly after?: bigint;
  readonly ids?: readonly string[];
}

/** The session, with what is asked for noted down. */
function listening(session: ServerSession, calls: Call[]): ServerSession {
  return replaced(session, {
    readMailbox: (read, options) => {
      calls.push({ kind: "page", authorization: read.authorization, after: read.after });
      return session.readMailbox(read, options);
    },
    mailbox$: (options) => {
      const authorization = (): Uint8Array => {
        const made = options.authorization();
        calls.push({ kind: "stream", authorization: made, after: options.after });
        return made;
      };
      return session.mailbox$({ ...options, authorization });
    },
    postRecoveryVtxoIds: (post, options) => {
      calls.push({ kind: "backup", authorization: post.authorization, ids: post.ids });
      return session.postRecoveryVtxoIds(post, options);
    },
  });
}

function replaced(session: ServerSession, methods: Partial<ServerSession>): ServerSession {
  return new Proxy(session, {
    get(target, name) {
      const member = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** The wallet of a setup again, on a transport that notes down its calls. */
async function reopened(setup: Setup) {
  const calls: Call[] = [];
  const clock = new StandingClock();
  const transport: Transport = async (options) => listening(await defaultPorts.transport(options), calls);
  await setup.wallet.close();
  const wallet = await openWallet({ ...setup.options, ports: { clock, transport } });
  const of = (kind: Call["kind"]) => calls.filter((call) => call.kind === kind);
  return { wallet, calls, clock, of };
}

test("every page, stream and backup has an authorization that was made in its second, and lives as long as its kind may (mailbox.md M-4, M-5, M-6)", async () => {
  const setup = await setUp();
  const { wallet, calls, clock, of } = await reopened(setup);
  await goLive(wallet);
  await setup.simulator.pay(setup.address, { amountsSats: [1_000n] });
  await eventually(() => of("stream").length === 1 && of("backup").length === 1, "a stream and a backup");
  const nowS = BigInt(Math.floor(clock.nowMs() / 1_000));
  const lifeS = { page: 600n, stream: 10n, backup: 60n };
  const mailboxes = new Set<string>();
  for (const { kind, authorization } of calls) {
    const { expiresAt, mailboxId } = decodeAuthorization(authorization);
    expect([kind, expiresAt - nowS]).toEqual([kind, lifeS[kind]]);
    mailboxes.add(`${kind === "backup"} ${encodeHex(mailboxId)}`);
  }
  expect(mailboxes.size).toBe(2); // the main mailbox for reading, the recovery mailbox for backups
  expect(of("page").length).toBeGreaterThan(1);
  // Pages of one second may share theirs; no other kind does.
  const kinds = new Set(calls.map(({ kind, authorization }) => `${kind} ${encodeHex(authorization)}`));
  expect(kinds.size).toBe(new Set(calls.map(({ authorization }) => encodeHex(authorization))).size);
});

test("a stream starts after what was consumed, and so does the next one (mailbox.md M-9, W-10, W-30)", async () => {
  const setup = await setUp();
  const first = await setup.simulator.pay(setup.address, { amountsSats: [1_000n] });
  await setup.wallet.sync();
  const { wallet, of } = await reopened(setup);
  await goLive(wallet);
  await eventually(() => of("stream").length === 1, "a stream");
  const second = await setup.simulator.pay(setup.address, { amountsSats: [2_000n] });
  await eventually(() => wallet.checkpoint() === second.checkpoint, "the second payment");
  setup.simulator.faults.cutStreams(Status.UNAVAILABLE);
  await eventually(() => of("stream").length === 2, "another stream");
  expect(of("stream").map(({ after }) => after)).toEqual([first.checkpoint, second.checkpoint]);
  expect(of("page")[0]?.after).toBe(first.checkpoint);
});

test("a large package is registered and backed up in chunks of at most 20, in order (mailbox.md M-65, W-39)", async () => {
  const setup = await setUp();
  const { wallet, of } = await reopened(setup);
  await setup.simulator.pay(setup.address, { amountsSats: Array<bigint>(21).fill(1_000n) });
  const registrations = setup.simulator.calls("RegisterVtxoTransactions");
  await wallet.sync();
  expect(setup.simulator.calls("RegisterVtxoTransactions") - registrations).toBe(2);
  expect(of("backup").map(({ ids }) => ids?.length)).toEqual([20, 1]);
  expect(of("backup").flatMap(({ ids }) => ids)).toEqual(wallet.movements()[0]?.outputVtxos);
  expect(wallet.status().openCommands).toBe(0);
});

test("a page that the server does not give ends a sync with that error (mailbox.md M-30)", async () => {
  const { simulator, wallet } = await setUp();
  simulator.faults.failNext("ReadMailbox", Status.INTERNAL);
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_FAILED", grpcStatus: Status.INTERNAL });
  expect(await wallet.sync()).toMatchObject({ caughtUp: true });
});

test("a sync reads until a page is empty, whatever the server says of more (mailbox.md M-29, W-7)", async () => {
  const { simulator, wallet, address } = await setUp({ pageLimit: 2 });
  simulator.faults.haveMore = "never";
  for (const amountSats of [1_000n, 2_000n, 3_000n]) await simulator.pay(address, { amountsSats: [amountSats] });
  expect(await wallet.sync()).toMatchObject({ applied: 3, caughtUp: true });
  expect(wallet.balance().totalSats).toBe(6_000n);
});

test("a VTXO that is vetted twice at the same time is credited once (mailbox.md M-45, M-54)", async () => {
  const setup = await setUp();
  const { simulator, address } = setup;
  const vtxos = await simulator.createPackage(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  simulator.deliver(address, vtxos);
  await setup.wallet.sync();
  await setup.wallet.close();
  simulator.mine();
  const waiting: (() => void)[] = [];
  const transport: Transport = async (options) => {
    const session = await defaultPorts.transport(options);
    return replaced(session, {
      getVtxoStatus: async (...question) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return session.getVtxoStatus(...question);
      },
    });
  };
  const wallet = await openWallet({ ...setup.options, ports: { clock: new FastClock(), transport } });
  await goLive(wallet);
  await eventually(() => waiting.length === 1, "the held item being vetted");
  const checkpoint = simulator.deliver(address, vtxos);
  await eventually(() => waiting.length === 2, "the package being vetted");
  for (const go of waiting) go();
  await eventually(() => wallet.checkpoint() === checkpoint && wallet.quarantine().length === 0, "both decided");
  expect(wallet.movements()).toHaveLength(1);
  expectBooksToBalance(wallet.status());
});

test("the server's copy counts only if it is of the VTXO that was asked for (mailbox.md M-69)", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const payment = await simulator.pay(address, { amountsSats: [9_000n], corrupt: [{ index: 0, how: "signature" }] });
  const [other] = await simulator.createPackage(address, { amountsSats: [50_000n] });
  await wallet.close();
  const transport: Transport = async (options) =>
    replaced(await defaultPorts.transport(options), { getVtxo: async () => other?.bytes ?? new Uint8Array() });
  const lied = await openWallet({ ...setup.options, ports: { clock: new FastClock(), transport } });
  expect(await lied.sync()).toMatchObject({ applied: 0, ignored: 1, halted: null });
  expect(lied.quarantine()).toMatchObject([{ id: payment.vtxos[0]?.id, permanent: false }]);
  await lied.close();

  const honest = await openWallet(setup.options);
  await honest.sync();
  expect(honest.balance().totalSats).toBe(9_000n);
});

test("a received package is one finished movement with all its members (mailbox.md M-52)", async () => {
  const { simulator, wallet, address } = await setUp();
  const { checkpoint, vtxos } = await simulator.pay(address, { amountsSats: [3_000n, 4_000n] });
  await wallet.sync();
  const [movement, ...more] = wallet.movements();
  expect(more).toEqual([]);
  expect(movement).toEqual({
    id: `arkoor_receive.${checkpoint}`,
    subsystem: { name: "bark.arkoor", kind: "receive" },
    status: "successful",
    intendedBalanceSats: 7_000n,
    effectiveBalanceSats: 7_000n,
    feeSats: 0n,
    inputVtxos: [],
    outputVtxos: vtxos.map(({ id }) => id),
    exitedVtxos: [],
    sentTo: [],
    receivedOn: [{ keyIndex: 0, destination: null, amountSats: 7_000n }],
    metadata: {},
    checkpoint,
    seq: movement?.seq,
    createdAtMs: movement?.createdAtMs,
    updatedAtMs: movement?.createdAtMs,
  });
  expect(wallet.addressAt(movement?.receivedOn[0]?.keyIndex ?? -1)).toBe(address);
  expect(() => wallet.addressAt(0.5)).toThrow("keyIndex: expected");
  // Indexes from there on would be derived with hardening (M-1).
  expect(() => wallet.addressAt(2 ** 31 - 1)).not.toThrow();
  expect(() => wallet.addressAt(2 ** 31)).toThrow("keyIndex: expected");
  expect(wallet.vtxos().map(({ id, state }) => [id, state])).toEqual(
    expect.arrayContaining(vtxos.map(({ id }) => [id, "spendable"])),
  );
});

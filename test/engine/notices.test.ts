import { expect, test } from "vitest";
import type { Driver } from "../../engine/drives.ts";
import { Heartwood, type Logger } from "../../engine/index.ts";
import { decodeTransition } from "../../engine/transition.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import { openLevelLog } from "../../store/index.ts";
import { eventually, FastClock, fastOptions, freshDirectory, goLive, openWallet, simulate } from "./helpers.ts";

const hash = (fill: number) => new Uint8Array(32).fill(fill);
const hex = (fill: number) => Buffer.from(hash(fill)).toString("hex");
const sendFinished = (paymentHash: Uint8Array, preimage?: Uint8Array) =>
  ({ $case: "lightningSendFinished", value: { paymentHash, preimage } }) as const;
const incoming = (paymentHash: Uint8Array) =>
  ({ $case: "incomingLightningPayment", value: { paymentHash, amountMsat: 1_000n } }) as const;
const roundCompleted = (unlockHash: Uint8Array) => ({
  $case: "roundParticipationCompleted" as const,
  value: { paymentHashes: [unlockHash], unlockHash },
});

/** A wallet on a simulator of its own, whose drivers are the test's. */
async function setUp(driver: Driver, logger: Logger = () => {}) {
  const simulator = await simulate();
  const directory = await freshDirectory();
  const drivers = { "lightning-send": driver, "lightning-receive": driver, round: driver };
  const fast = fastOptions(simulator, directory);
  const options = { ...fast, ports: { ...fast.ports, drivers, logger } };
  const wallet = await openWallet(options);
  await wallet.sync();
  return { simulator, directory, options, wallet, address: await wallet.address() };
}

test("behind a package that halts a live wallet takes notices in and drives them, and the checkpoint stands", async () => {
  const driven: string[] = [];
  const { simulator, wallet, address } = await setUp(async ({ kind, hash }) => {
    driven.push(`${kind} ${hash}`);
    return "driven";
  });
  await goLive(wallet);
  simulator.chain.setFault("down");
  await simulator.pay(address, { amountsSats: [1_000n] });
  simulator.deliverMessage(address, incoming(hash(1)));
  simulator.deliverUnknown(address);
  await eventually(() => wallet.status().halted !== null && driven.length === 1, "a drive behind the halt");
  simulator.deliverMessage(address, sendFinished(hash(2)));
  const last = simulator.deliverMessage(address, roundCompleted(hash(3)));
  await eventually(() => driven.length === 3 && wallet.status().openNotices === 0, "drives of what came while it halts");
  expect(driven).toEqual([`lightning-receive ${hex(1)}`, `lightning-send ${hex(2)}`, `round ${hex(3)}`]);
  expect(wallet.status()).toMatchObject({ checkpoint: 0n, counters: { messages: 4, ignored: 3 } });

  simulator.chain.setFault(null);
  await eventually(() => wallet.checkpoint() === last, "the checkpoint behind the halt");
  expect(wallet.status()).toMatchObject({ halted: null, counters: { packages: 1, messages: 5, ignored: 4 } });
  expect(driven).toHaveLength(3);
});

test("a sync that meets a halt reads the notices behind it once, and drives them before it ends", async () => {
  const driven: string[] = [];
  const { simulator, wallet, address } = await setUp(async ({ hash }) => {
    driven.push(hash);
    return "driven";
  });
  simulator.chain.setFault("down");
  await simulator.pay(address, { amountsSats: [1_000n] });
  const place = simulator.deliverMessage(address, sendFinished(hash(1)));
  const { halted, checkpoint } = await wallet.sync();
  expect([halted?.code, checkpoint, driven]).toEqual(["CHAIN_HTTP_STATUS", 0n, [hex(1)]]);
  const [taken] = (await wallet.explain(String(place))).steps;
  expect(taken?.text).toContain("taken out of its turn: its place moves no checkpoint");
  expect(taken?.rules.filter((rule) => /W-(11|23)/.test(rule))).toEqual(["mailbox.md W-23"]);
  await wallet.sync();
  simulator.chain.setFault(null);
  expect(await wallet.sync()).toMatchObject({ applied: 1, messages: 0, caughtUp: true });
  expect(driven).toEqual([hex(1)]);
});

test("a mark stands in the record that takes the notice in, before the checkpoint moves, and is asked for until a drive ended", async () => {
  const asked: string[] = [];
  const answers = ["busy", new Error("unreachable"), "driven"] as const;
  const driver: Driver = async ({ hash }) => {
    const answer = answers[asked.length] ?? "unknown";
    asked.push(hash);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const { simulator, wallet, address, directory, options } = await setUp(driver);
  const checkpoint = simulator.deliverMessage(address, sendFinished(hash(1)));
  await wallet.sync();
  expect(wallet.status()).toMatchObject({ openNotices: 1, checkpoint });
  await wallet.close();

  const states = await statesOf(directory);
  const [first] = states.filter(({ drives }) => drives.length > 0);
  expect(first?.drives).toMatchObject([{ kind: "lightning-send", hash: hex(1) }]);
  expect(states.find((state) => state.checkpoint === checkpoint)?.seq).toBe(first?.seq);

  // Another process, whose driver is busy, then one that drives.
  const busy = await Heartwood.open({
    ...options,
    ports: { clock: new FastClock(), drivers: { "lightning-send": async () => "busy" } },
  });
  await busy.sync();
  expect(busy.status().openNotices).toBe(1);
  await busy.close();
  const again = await openWallet(options);
  await goLive(again);
  await eventually(() => again.status().openNotices === 0, "the drive that ended");
  expect(asked).toEqual([hex(1), hex(1), hex(1)]);
});

test("eight drives are under way at once, and each that ends lets another one begin", async () => {
  let asked = 0;
  const finish: (() => void)[] = [];
  const { simulator, wallet, address } = await setUp(async () => {
    asked++;
    await new Promise<void>((resolve) => finish.push(resolve));
    return "driven";
  });
  await goLive(wallet);
  let last = 0n;
  for (let i = 1; i <= 10; i++) last = simulator.deliverMessage(address, roundCompleted(hash(i)));
  await eventually(() => wallet.checkpoint() === last, "all notices");
  expect([asked, wallet.status().openNotices]).toEqual([8, 10]);
  finish.shift()?.();
  await eventually(() => asked === 9, "the ninth drive");
  expect(finish).toHaveLength(8);
  for (let done = 1; done < 10; done++) {
    await eventually(() => finish.length > 0, "a drive under way");
    finish.shift()?.();
  }
  await eventually(() => wallet.status().openNotices === 0, "the end of all drives");
});

test("a notice that comes while its drive is under way asks for another drive", async () => {
  let asked = 0;
  let finish = (): void => {};
  const { simulator, wallet, address } = await setUp(async () => {
    if (asked++ === 0) await new Promise<void>((resolve) => (finish = resolve));
    return "driven";
  });
  await goLive(wallet);
  simulator.deliverMessage(address, roundCompleted(hash(1)));
  await eventually(() => asked === 1, "the first drive");
  const second = simulator.deliverMessage(address, roundCompleted(hash(1)));
  await eventually(() => wallet.checkpoint() === second, "the second notice");
  finish();
  await eventually(() => wallet.status().openNotices === 0, "the end of all drives");
  expect(asked).toBe(2);
});

test("a notice without a hash of 32 bytes is told, marks nothing, and the mailbox goes on", async () => {
  const told: unknown[] = [];
  const { simulator, wallet, address } = await setUp(
    async () => "driven",
    (level, message, details) => void (level === "error" && told.push([message, details?.kind])),
  );
  simulator.deliverMessage(address, incoming(hash(1).subarray(1)));
  simulator.deliverMessage(address, sendFinished(hash(1).subarray(1)));
  const last = simulator.deliverMessage(address, sendFinished(hash(1), hash(2).subarray(1)));
  await wallet.sync();
  expect(wallet.status()).toMatchObject({ checkpoint: last, openNotices: 0, counters: { ignored: 3 } });
  const broken = "the server broke the protocol: expected a";
  expect(told).toEqual([
    [`${broken} hash of 32 bytes, got another length`, "incoming-lightning-payment"],
    [`${broken} hash of 32 bytes, got another length`, "lightning-send-finished"],
    [`${broken} preimage of 32 bytes, got another length`, "lightning-send-finished"],
  ]);
  const rules = [];
  for await (const event of wallet.events()) {
    if (event.type === "message.ignored") rules.push(event.rule);
    if (rules.length === 3) break;
  }
  expect(rules).toEqual(["MALFORMED_HASH", "MALFORMED_HASH", "NOTICE_KEPT"]);
});

test("a flood of notices keeps the newest marks, and no more than 10,000", () => {
  const state = new WalletState();
  for (let seq = 1n; seq <= 10_005n; seq++) state.apply(receivedNotice(seq, `${seq}`));
  state.apply(receivedNotice(20_000n, "6"));
  expect(state.drives.size).toBe(10_000);
  expect([...state.drives.keys()].slice(0, 2)).toEqual(["round/7", "round/8"]);
  expect([...state.drives.keys()].at(-1)).toBe("round/6");
});

function receivedNotice(seq: bigint, hash: string) {
  return {
    seq,
    epoch: 1n,
    atMs: 0,
    machine: "message",
    revision: 1,
    instance: `message/${seq}/ab`,
    version: 1n,
    event: { type: "message.received", checkpoint: seq, digest: "ab", notice: { kind: "round", hash } },
    schema: 1,
    blobs: [],
    causeSeq: 0n,
    effectId: "",
    state: "Ignored",
    change: { checkpoint: seq, advance: true },
    effects: [],
    digest: new Uint8Array(16),
  };
}

/** The state after each record of a directory. */
async function statesOf(directory: string) {
  await using log = await openLevelLog(directory, { readOnly: true });
  const state = new WalletState();
  const states = [];
  for await (const { record } of log.read()) {
    state.apply(decodeTransition(record));
    states.push({ seq: state.seq, checkpoint: state.checkpoint, drives: [...state.drives.values()] });
  }
  return states;
}

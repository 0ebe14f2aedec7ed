import { Status } from "nice-grpc";
import { describe, expect, test } from "vitest";
import { type SimulatorOptions, startSimulator } from "../../simulator/index.ts";
import { connect, refusal, startTestSimulator, TestWallet } from "./support.ts";

const wallet = new TestWallet("survivor");

describe("stopping", () => {
  test("with open subscriptions ends them with OK, and waits for nobody", async () => {
    const { simulator } = await startTestSimulator();
    using client = connect(simulator);
    const ends = [0, 1, 2].map(() => client.mailbox.subscribeMailbox(wallet.request())[Symbol.asyncIterator]().next());
    await expect.poll(() => simulator.counters().openSubscriptions).toBe(3);
    await simulator.stop();
    for (const end of ends) expect(await end).toEqual({ done: true, value: undefined });
  });

  test("breaks off a call that does not end, and a chain request that hangs", async () => {
    const { simulator } = await startTestSimulator();
    using client = connect(simulator);
    simulator.faults.delay("GetArkInfo", 60_000);
    simulator.chain.setFault("hang");
    const calls = [client.ark.getArkInfo({}), fetch(`${simulator.chainUrl}/blocks/tip/height`)].map((call) =>
      call.then(
        () => "ok",
        () => "broken",
      ),
    );
    await expect.poll(() => simulator.calls("GetArkInfo")).toBe(1);
    await simulator.stop();
    expect(await Promise.all(calls)).toEqual(["broken", "broken"]);
  });

  test("twice is once, and frees every port", async () => {
    const first = await startSimulator({ controlPort: 0 });
    const ports = [first.serverUrl, first.chainUrl, first.controlUrl].map((url) => Number(new URL(url ?? "").port));
    await first.stop();
    await first.stop();
    const [grpcPort = 0, chainPort = 0, controlPort = 0] = ports;
    await using second = await startSimulator({ grpcPort, chainPort, controlPort });
    expect([second.serverUrl, second.chainUrl, second.controlUrl]).toEqual([first.serverUrl, first.chainUrl, first.controlUrl]);
  });
});

describe.each(["clean", "abrupt"] as const)("a %s restart", (how) => {
  test("comes back on the same port with its keys, coins and mailboxes", async () => {
    const { simulator } = await startTestSimulator();
    await using _ = simulator;
    const checkpoint = simulator.deliverUnknown(wallet.mailboxHex);
    const { serverUrl, arkInfo } = simulator;
    using client = connect(simulator);
    const stream = client.mailbox.subscribeMailbox(wallet.request())[Symbol.asyncIterator]();
    expect((await stream.next()).value?.checkpoint).toBe(checkpoint);
    const end = stream.next().then(
      (result) => result.done,
      () => "broken",
    );
    await simulator.restart(how);
    expect(await end).toBe(how === "clean" ? true : "broken");
    expect([simulator.serverUrl, simulator.arkInfo]).toEqual([serverUrl, arkInfo]);
    using again = connect(simulator);
    expect((await again.mailbox.readMailbox(wallet.request())).messages.map((message) => message.checkpoint)).toEqual([
      checkpoint,
    ]);
  });
});

test("while it is down clients are refused, the chain source is not", async () => {
  const { simulator } = await startTestSimulator();
  await using _ = simulator;
  await simulator.takeDown("abrupt");
  using client = connect(simulator);
  await refusal(client.ark.handshake({}), Status.UNAVAILABLE);
  expect((await fetch(`${simulator.chainUrl}/blocks/tip/height`)).status).toBe(200);
  await simulator.bringUp();
  using again = connect(simulator);
  await again.ark.handshake({});
});

test("rotated keys are announced at once, and old addresses become foreign", async () => {
  const { simulator } = await startTestSimulator();
  await using _ = simulator;
  const before = simulator.arkInfo;
  const address = wallet.address(simulator);
  simulator.rotateKeys("mailbox");
  expect(simulator.arkInfo.serverPubkey).toEqual(before.serverPubkey);
  expect(simulator.arkInfo.mailboxPubkey).not.toEqual(before.mailboxPubkey);
  simulator.rotateKeys("server");
  using client = connect(simulator);
  expect(Buffer.from((await client.ark.getArkInfo({})).serverPubkey)).toEqual(Buffer.from(simulator.arkInfo.serverPubkey));
  expect(() => simulator.deliverUnknown(address)).toThrow(expect.objectContaining({ code: "ADDRESS_FOREIGN" }));
});

test("faults replace members of ArkInfo", async () => {
  const { simulator } = await startTestSimulator();
  await using _ = simulator;
  using client = connect(simulator);
  simulator.faults.arkInfo = { network: "signet", fees: undefined };
  expect(await client.ark.getArkInfo({})).toMatchObject({ network: "signet", fees: undefined });
  simulator.faults.clear();
  expect((await client.ark.getArkInfo({})).fees).toBeDefined();
});

test("a skewed clock moves positions and never moves them back", async () => {
  const { simulator } = await startTestSimulator();
  await using _ = simulator;
  const first = simulator.deliverUnknown(wallet.mailboxHex);
  simulator.faults.skewMs = -3_600_000;
  const second = simulator.deliverUnknown(wallet.mailboxHex);
  simulator.faults.skewMs = 3_600_000;
  const third = simulator.deliverUnknown(wallet.mailboxHex);
  expect(second).toBe(first + 1n);
  expect((third >> 20n) - (first >> 20n)).toBe(3_600_000n);
});

test("faults of methods are counted down, and unknown methods refused", async () => {
  const { simulator } = await startTestSimulator();
  await using _ = simulator;
  using client = connect(simulator);
  simulator.faults.failNext("Handshake", Status.RESOURCE_EXHAUSTED, 2, "too many");
  for (let i = 0; i < 2; i++) expect(await refusal(client.ark.handshake({}), Status.RESOURCE_EXHAUSTED)).toBe("too many");
  await client.ark.handshake({});
  expect(simulator.calls("Handshake")).toBe(3);
  expect(() => simulator.faults.failNext("Nonsense" as never)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  expect(() => simulator.faults.failNext("Handshake", Status.INTERNAL, 0)).toThrow(
    expect.objectContaining({ code: "OPTION_INVALID" }),
  );
});

describe("bad options are refused before anything listens", () => {
  const bad: SimulatorOptions[] = [
    { network: "mainnet" as never },
    { host: "0.0.0.0" },
    { host: "example.org" },
    { grpcPort: 70_000 },
    { chainPort: 1.5 },
    { controlPort: -1 },
    { tipHeight: 0 },
    { pageLimit: 0 },
    { protocolVersions: { min: 5, max: 4 } },
    { terms: { vtxoExitDelta: 16_384 } },
    { terms: { vtxoLifetime: Number.NaN } },
  ];
  test.each(bad)("%j", async (options) => {
    await expect(startSimulator(options)).rejects.toMatchObject({
      name: "SimulatorError",
      code: "OPTION_INVALID",
      retryable: false,
    });
  });

  test("a taken port is a retryable error, and the other ports are freed again", async () => {
    await using taken = await startSimulator();
    const port = Number(new URL(taken.chainUrl).port);
    const free = await startSimulator();
    const grpcPort = Number(new URL(free.serverUrl).port);
    await free.stop();
    await expect(startSimulator({ grpcPort, chainPort: port })).rejects.toMatchObject({ code: "LISTEN_FAILED", retryable: true });
    await expect(startSimulator({ grpcPort: Number(new URL(taken.serverUrl).port) })).rejects.toMatchObject({
      code: "LISTEN_FAILED",
    });
    await using again = await startSimulator({ grpcPort });
    expect(new URL(again.serverUrl).port).toBe(String(grpcPort));
  });
});

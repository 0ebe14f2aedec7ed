import { createChannel, createClientFactory, Status } from "nice-grpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeHex } from "../../ark/hex.ts";
import { ArkInfo } from "../../proto/generated/bark_server.ts";
import { HealthServiceDefinition } from "../../simulator/health-service.ts";
import type { Simulator } from "../../simulator/index.ts";
import { connect, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
beforeAll(async () => {
  ({ simulator } = await startTestSimulator({ psa: "Maintenance on Sunday.", protocolVersions: { min: 4, max: 7 } }));
});
afterAll(() => simulator.stop());

describe("handshake", () => {
  test.each(["0.1.0", "0.2.5", "0.6.0", "bark/0.6.0 (linux)"])(
    "%s is a known client and hears the operator only",
    async (barkVersion) => {
      using client = connect(simulator);
      expect(await client.ark.handshake({ barkVersion })).toEqual({
        minProtocolVersion: 4n,
        maxProtocolVersion: 7n,
        psa: "Maintenance on Sunday.",
      });
    },
  );

  test.each([undefined, "0.6.1", "10.6.0", "nightly", `0.6.0${" ".repeat(60)}`])(
    "%s succeeds and is urged to update before the operator's announcement",
    async (barkVersion) => {
      using client = connect(simulator);
      const { psa } = await client.ark.handshake({ barkVersion });
      expect(psa).toMatch(/update/i);
      expect(psa?.endsWith("Maintenance on Sunday.")).toBe(true);
    },
  );

  test("a known client of a server without announcement hears nothing", async () => {
    const { simulator: quiet } = await startTestSimulator();
    await using _ = quiet;
    using client = connect(quiet);
    expect((await client.ark.handshake({ barkVersion: "0.6.0" })).psa).toBeUndefined();
  });
});

describe("the x-user-agent rule", () => {
  test.each(["heartwood/1", "a-b_9/0.1 beta/2", `${"x".repeat(32)}/1`])("%s is accepted", async (userAgent) => {
    using client = connect(simulator, { "x-user-agent": userAgent });
    await client.ark.getArkInfo({});
    expect(simulator.lastHeaders("GetArkInfo")?.userAgent).toBe(userAgent);
  });

  test.each(["heartwood", "heartwood/", "/1", "Heartwood/1", `${"x".repeat(33)}/1`, "heart wood/1"])(
    "%s is refused everywhere",
    async (userAgent) => {
      using client = connect(simulator, { "x-user-agent": userAgent });
      expect(await refusal(client.ark.handshake({}), Status.INVALID_ARGUMENT)).toBe("x-user-agent must match `<name>/<version>`");
      await refusal(client.mailbox.readMailbox(new TestWallet("anyone").request()), Status.INVALID_ARGUMENT);
    },
  );

  test("its absence is accepted", async () => {
    using client = connect(simulator, {});
    await client.ark.getArkInfo({});
    expect(simulator.lastHeaders("GetArkInfo")).toEqual({ userAgent: null, pver: null });
  });

  test("the health check does not look at it", async () => {
    const channel = createChannel(simulator.serverUrl);
    const health = createClientFactory()
      .use((call, options) => {
        options.metadata?.set("x-user-agent", "NO");
        return call.next(call.request, options);
      })
      .create(HealthServiceDefinition, channel);
    expect([...(await health.check(new Uint8Array()))]).toEqual([8, 1]);
    channel.close();
  });
});

test.each(["nonsense", "3", "99", undefined])("no method looks at pver, here %s", async (pver) => {
  using client = connect(simulator, pver === undefined ? {} : { pver });
  await client.ark.getArkInfo({});
  expect((await client.mailbox.readMailbox(new TestWallet("anyone").request())).messages).toEqual([]);
});

test("ArkInfo has every member that a current server sends, within the protocol's ranges", async () => {
  using client = connect(simulator);
  const info = await client.ark.getArkInfo({});
  expect(encodeHex(ArkInfo.encode(info).finish())).toBe(encodeHex(ArkInfo.encode(simulator.arkInfo).finish()));
  expect(info.network).toBe("regtest");
  expect([info.serverPubkey.length, info.mailboxPubkey.length]).toEqual([33, 33]);
  expect(info.vtxoLifetime).toBe(info.vtxoExpiryDelta);
  for (const key of ["board", "offboard", "refresh", "lightningReceive", "lightningSend"] as const)
    expect(info.fees?.[key]).toBeDefined();
  const deltas = [
    info.vtxoExitDelta,
    info.htlcSendExpiryDelta,
    info.htlcExpiryDelta,
    info.requiredBoardConfirmations,
    info.maxUserInvoiceCltvDelta,
    info.vtxoLifetime,
  ];
  for (const delta of deltas) expect(delta).toBeLessThanOrEqual(16_383);
});

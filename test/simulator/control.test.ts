import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Simulator } from "../../simulator/index.ts";
import { startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
let address: string;
const wallet = new TestWallet("controlled");
beforeAll(async () => {
  ({ simulator } = await startTestSimulator({ controlPort: 0 }));
  address = wallet.address(simulator);
});
afterAll(() => simulator.stop());

const NO_FAULTS = {
  ...{ pageLimit: null, haveMore: "reference", repeatPages: false, streamPaceMs: 0, messagesPerStream: null },
  ...{ dropNotices: false, skewMs: 0, chain: null },
  lightning: {
    ...{ invoice: null, grant: null, wrongSignatures: false, tipAhead: 0, dropRegistrations: 0 },
    ...{ dropNotices: false, hidePreimages: false, hasOtherFees: false },
  },
};

async function call(
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const init = body === undefined ? { method } : { method, body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await fetch(`${simulator.controlUrl}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("GET /status tells the endpoints, keys, tip, faults and counters", async () => {
  const { status, body } = await call("GET", "/status");
  const { serverUrl, chainUrl, controlUrl, arkInfo } = simulator;
  expect(status).toBe(200);
  expect(body).toMatchObject({ network: "regtest", serverUrl, chainUrl, controlUrl, tip: 200 });
  expect(body.serverPubkey).toBe(Buffer.from(arkInfo.serverPubkey).toString("hex"));
  expect(body.faults).toEqual(NO_FAULTS);
  expect(body.counters).toMatchObject({ openSubscriptions: 0, sent: 0 });
});

test("POST /pay delivers, and GET /sent lists all that was sent, numbers as decimal texts", async () => {
  const request = { address, amountsSats: ["21000", "2000"], changeSats: "500", corrupt: [{ index: 1, how: "signature" }] };
  const { status, body } = await call("POST", "/pay", request);
  expect(status).toBe(200);
  const [message] = simulator.mailbox(wallet.mailboxHex);
  expect(body.checkpoint).toBe(String(message?.checkpoint));
  expect(body.vtxos).toMatchObject([
    { amountSats: "21000", corruption: null, bytes: Buffer.from(message?.rows[0]?.bytes ?? []).toString("hex") },
    { amountSats: "2000", corruption: "signature" },
  ]);
  const sent = await call("GET", "/sent");
  expect(sent.body.messages).toMatchObject([
    {
      how: "deliver",
      checkpoint: body.checkpoint,
      mailboxId: wallet.mailboxHex,
      vtxos: [{ amountSats: "21000" }, { amountSats: "2000" }],
    },
  ]);
});

test("POST /unknown and POST /redeliver add messages", async () => {
  const unknown = await call("POST", "/unknown", { address, field: 77 });
  const again = await call("POST", "/redeliver", { checkpoint: unknown.body.checkpoint });
  expect(
    simulator
      .mailbox(wallet.mailboxHex)
      .map(({ checkpoint }) => String(checkpoint))
      .slice(-2),
  ).toEqual([unknown.body.checkpoint, again.body.checkpoint]);
  expect(await call("POST", "/redeliver", { checkpoint: unknown.body.checkpoint, position: "same" })).toEqual({
    status: 200,
    body: { checkpoint: null },
  });
});

test("POST /mine and POST /chain change the chain", async () => {
  expect((await call("POST", "/mine")).body).toEqual({ tip: 201 });
  expect((await call("POST", "/mine", { blocks: 5 })).body).toEqual({ tip: 206 });
  expect((await call("POST", "/chain", { fault: "down" })).body).toEqual({ fault: "down", tip: 206 });
  expect((await fetch(`${simulator.chainUrl}/blocks/tip/height`)).status).toBe(503);
  expect((await call("POST", "/chain", { fault: null, slowMs: 5 })).body.fault).toBeNull();
});

test("POST /faults switches faults, and clears them", async () => {
  const faults = {
    pageLimit: 3,
    haveMore: "never",
    ...{ repeatPages: true, streamPaceMs: 7, messagesPerStream: 2 },
    dropNotices: true,
    skewMs: -5,
    failNext: { method: "Handshake", status: "INTERNAL", times: 2 },
    loseNext: { method: "ReadMailbox" },
    delay: { method: "GetVtxo", delayMs: 1 },
    cutStreams: true,
    endStreams: true,
    lightning: { grant: "other-key", tipAhead: 2, raiseFeesSats: "5" },
  };
  expect((await call("POST", "/faults", faults)).body).toEqual({
    pageLimit: 3,
    haveMore: "never",
    ...{ repeatPages: true, streamPaceMs: 7, messagesPerStream: 2 },
    dropNotices: true,
    skewMs: -5,
    chain: null,
    lightning: { ...NO_FAULTS.lightning, grant: "other-key", tipAhead: 2, hasOtherFees: true },
  });
  expect(simulator.faults.take("Handshake", "before")).toMatchObject({ status: 13 });
  expect(simulator.faults.take("ReadMailbox", "afterwards")).not.toBeNull();
  expect(simulator.faults.delayMs("GetVtxo")).toBe(1);
  expect((await call("POST", "/faults", { clear: true })).body).toEqual(NO_FAULTS);
  expect(simulator.faults.take("Handshake", "before")).toBeNull();
});

test("the Lightning network is steered: invoices, outcomes, payments, the server's node", async () => {
  const invoice = await call("POST", "/lightning/invoice", { amountSats: "1000", description: "tea" });
  expect(invoice.body).toMatchObject({ bolt11: expect.stringMatching(/^lnbcrt/), paymentHash: expect.any(String) });
  const { bolt11, paymentHash } = invoice.body;
  const outcome = { outcome: "failure", paymentHash };
  expect((await call("POST", "/lightning/outcome", outcome)).body).toEqual({ outcome: "failure" });
  for (const path of ["/lightning/pay", "/lightning/incoming"]) {
    expect((await call("POST", path, { bolt11 })).body.error).toMatchObject({ code: "UNKNOWN_PAYMENT" });
    expect((await call("POST", path, { bolt11: "lnbc1" })).body.error).toMatchObject({ code: "INVOICE_INVALID" });
  }
  const finish = await call("POST", "/lightning/finish", { paymentHash, how: "success" });
  expect(finish.body.error).toMatchObject({ code: "UNKNOWN_PAYMENT" });
  await call("POST", "/lightning/node", { online: false });
  expect((await call("GET", "/lightning")).body).toEqual({ isNodeOnline: false, payments: [], receives: [] });
});

test("POST /server takes the Ark server down and up", async () => {
  await call("POST", "/server", { to: "down" });
  expect((await call("GET", "/status")).status).toBe(200);
  await call("POST", "/server", { to: "up" });
  expect((await call("POST", "/server", { to: "restart", how: "clean" })).body).toEqual({ to: "restart" });
});

describe("bad requests are typed and change nothing", () => {
  test.each([
    ["POST", "/pay", "no JSON", "BAD_REQUEST"],
    ["POST", "/pay", "[]", "BAD_REQUEST"],
    ["POST", "/pay", { amountsSats: ["1"] }, "BAD_REQUEST"],
    ["POST", "/pay", { address: "nonsense", amountsSats: ["1"] }, "ADDRESS_INVALID"],
    ["POST", "/pay", { address: "", amountsSats: [1] }, "BAD_REQUEST"],
    ["POST", "/pay", { address: "", amountsSats: ["01"] }, "BAD_REQUEST"],
    ["POST", "/pay", { address: "", amountsSats: ["1"], corupt: [] }, "BAD_REQUEST"],
    ["POST", "/pay", { address: "", amountsSats: ["1"], corrupt: [{ index: 0, how: "magic" }] }, "BAD_REQUEST"],
    ["POST", "/mine", { blocks: 0 }, "OPTION_INVALID"],
    ["POST", "/mine", { block: 1 }, "BAD_REQUEST"],
    ["POST", "/chain", { fault: "sideways" }, "BAD_REQUEST"],
    ["POST", "/faults", { failNext: { method: "Nonsense" } }, "BAD_REQUEST"],
    ["POST", "/faults", { pageLimit: -1 }, "BAD_REQUEST"],
    ["POST", "/redeliver", { checkpoint: "1" }, "UNKNOWN_MESSAGE"],
    ["POST", "/redeliver", { checkpoint: 1 }, "BAD_REQUEST"],
    ["POST", "/server", { to: "sideways" }, "BAD_REQUEST"],
    ["POST", "/chain", { fault: "down", hid: "" }, "BAD_REQUEST"],
    ["POST", "/faults", { skewMs: 7, haveMore: "perhaps" }, "BAD_REQUEST"],
    ["POST", "/unknown", { field: 77 }, "BAD_REQUEST"],
    ["POST", "/faults", { skewMs: 7, lightning: { grant: "magic" } }, "BAD_REQUEST"],
    ["POST", "/lightning/outcome", { outcome: "magic" }, "BAD_REQUEST"],
  ] as const)("%s %s %j", async (method, path, body, code) => {
    const before = [simulator.sent.length, simulator.chain.tip, simulator.chain.fault, simulator.faults.skewMs];
    const answer = await call(method, path, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code } } });
    expect([simulator.sent.length, simulator.chain.tip, simulator.chain.fault, simulator.faults.skewMs]).toEqual(before);
  });

  test("a body of more than a mebibyte is refused", async () => {
    expect(await call("POST", "/pay", "x".repeat(1_048_577))).toMatchObject({
      status: 400,
      body: { error: { code: "BAD_REQUEST" } },
    });
  });

  test("an unknown path or method is not found, inherited names included", async () => {
    for (const path of ["/nonsense", "/pay", "/constructor"]) {
      expect(await call("GET", path)).toMatchObject({ status: 404, body: { error: { code: "NOT_FOUND" } } });
    }
  });
});

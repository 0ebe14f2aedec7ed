import type { IncomingMessage } from "node:http";
import { encodeHex } from "../ark/hex.ts";
import { ControlBody } from "./control-body.ts";
import { describeFaults, readFaults } from "./control-faults.ts";
import { LIGHTNING_HANDLERS } from "./control-lightning.ts";
import { CORRUPTIONS } from "./corruption.ts";
import { SimulatorError } from "./errors.ts";
import type { HttpAnswer } from "./http-server.ts";
import type { PaymentRequest } from "./payment.ts";
import { CHAIN_FAULTS } from "./simulated-chain.ts";
import type { Simulator } from "./simulator.ts";

type Handler = (simulator: Simulator, body: ControlBody) => unknown;

/** The control interface, as `docs/simulator.md` describes it. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET /status": describeStatus,
  "GET /sent": (simulator) => ({ messages: simulator.sent }),
  "POST /pay": pay,
  "POST /mine": mine,
  "POST /chain": setChain,
  "POST /faults": setFaults,
  "POST /redeliver": redeliver,
  "POST /unknown": deliverUnknown,
  "POST /server": setServer,
  ...LIGHTNING_HANDLERS,
};

/** Answers one request to the control interface; refusals are `{"error": {"code", "message"}}`. */
export async function answerControl(simulator: Simulator, request: IncomingMessage): Promise<HttpAnswer> {
  try {
    const path = new URL(request.url ?? "/", "http://control").pathname;
    const handler = Object.hasOwn(HANDLERS, `${request.method} ${path}`) ? HANDLERS[`${request.method} ${path}`] : undefined;
    if (!handler) throw new SimulatorError("NOT_FOUND", `expected one of ${Object.keys(HANDLERS).join(", ")}, got ${path}`);
    const body = await ControlBody.of(request);
    return json(200, await handler(simulator, body));
  } catch (error) {
    if (!(error instanceof SimulatorError)) throw error;
    const { code, message } = error;
    return json(code === "NOT_FOUND" ? 404 : 400, { error: { code, message } });
  }
}

function describeStatus(simulator: Simulator): object {
  const { network, serverPubkey, mailboxPubkey } = simulator.arkInfo;
  return {
    network,
    serverUrl: simulator.serverUrl,
    chainUrl: simulator.chainUrl,
    controlUrl: simulator.controlUrl,
    serverPubkey,
    mailboxPubkey,
    tip: simulator.chain.tip,
    faults: describeFaults(simulator),
    counters: simulator.counters(),
  };
}

async function pay(simulator: Simulator, body: ControlBody): Promise<object> {
  const address = body.text("address");
  const request: { -readonly [K in keyof PaymentRequest]: PaymentRequest[K] } = { amountsSats: body.bigs("amountsSats") };
  if (body.has("changeSats")) request.changeSats = body.big("changeSats");
  if (body.has("depth")) request.depth = body.whole("depth");
  if (body.has("unconfirmedAnchor")) request.unconfirmedAnchor = body.flag("unconfirmedAnchor");
  if (body.has("corrupt")) {
    request.corrupt = body.list("corrupt").map((entry) => {
      const corrupt = { index: entry.whole("index"), how: entry.word("how", CORRUPTIONS) };
      entry.end();
      return corrupt;
    });
  }
  body.end();
  return simulator.pay(address, request);
}

function mine(simulator: Simulator, body: ControlBody): object {
  const blocks = body.optional("blocks", body.whole) ?? 1;
  body.end();
  return { tip: simulator.mine(blocks) };
}

function redeliver(simulator: Simulator, body: ControlBody): object {
  const checkpoint = body.big("checkpoint");
  const position = body.has("position") ? body.word("position", ["new", "same"]) : "new";
  body.end();
  return { checkpoint: simulator.redeliver(checkpoint, { position }) };
}

function deliverUnknown(simulator: Simulator, body: ControlBody): object {
  const address = body.text("address");
  const field = body.optional("field", body.whole);
  body.end();
  return { checkpoint: simulator.deliverUnknown(address, field) };
}

function setChain({ chain }: Simulator, body: ControlBody): object {
  const slowMs = body.has("slowMs") ? body.wholeFrom("slowMs", 0) : undefined;
  const fault = body.has("fault") ? body.wordOrNull("fault", CHAIN_FAULTS) : undefined;
  const hide = body.optional("hide", body.text);
  const show = body.optional("show", body.text);
  body.end();
  if (slowMs !== undefined) chain.slowMs = slowMs;
  if (fault !== undefined) chain.setFault(fault);
  if (hide !== undefined) chain.hide(hide);
  if (show !== undefined) chain.show(show);
  return { fault: chain.fault, tip: chain.tip };
}

function setFaults(simulator: Simulator, body: ControlBody): object {
  const steps = readFaults(body);
  body.end();
  for (const step of steps) step(simulator);
  return describeFaults(simulator);
}

async function setServer(simulator: Simulator, body: ControlBody): Promise<object> {
  const to = body.word("to", ["up", "down", "restart"]);
  const how = body.has("how") ? body.word("how", ["clean", "abrupt"]) : "abrupt";
  body.end();
  if (to !== "up") await simulator.takeDown(how);
  if (to !== "down") await simulator.bringUp();
  return { to };
}

/** Bytes as hex and 64-bit numbers as decimal texts. */
function json(status: number, value: unknown): HttpAnswer {
  const body = JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === "bigint") return member.toString();
    return member instanceof Uint8Array ? encodeHex(member) : member;
  });
  return { status, type: "application/json", body };
}

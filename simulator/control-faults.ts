import { Status } from "nice-grpc-common";
import type { ControlBody } from "./control-body.ts";
import { SimulatorError } from "./errors.ts";
import { SIMULATOR_METHODS } from "./faults.ts";
import type { Simulator } from "./simulator.ts";

/** Names of gRPC codes other than OK. */
const STATUS_NAMES = Object.keys(Status).filter((name) => /^[A-Z_]+$/.test(name) && name !== "OK");

/** Carries out the members of a request to `POST /faults`, in a fixed order; every member is optional. */
export function applyFaults(simulator: Simulator, body: ControlBody): void {
  const { faults } = simulator;
  if (body.has("clear") && body.flag("clear")) faults.clear();
  if (body.has("failNext")) failNext(simulator, body.object("failNext"));
  if (body.has("loseNext")) loseNext(simulator, body.object("loseNext"));
  if (body.has("delay")) delay(simulator, body.object("delay"));
  if (body.has("pageLimit")) faults.pageLimit = pageLimit(body.whole("pageLimit"));
  if (body.has("haveMore")) faults.haveMore = body.word("haveMore", ["reference", "always", "never"]);
  if (body.has("dropNotices")) faults.dropNotices = body.flag("dropNotices");
  if (body.has("skewMs")) faults.skewMs = body.whole("skewMs");
  if (body.has("rotateKeys")) simulator.rotateKeys(body.word("rotateKeys", ["server", "mailbox"]));
  if (body.has("cutStreams") && body.flag("cutStreams")) faults.cutStreams();
  if (body.has("endStreams") && body.flag("endStreams")) faults.endStreams();
  body.end();
}

/** The faults that stay until changed. */
export function describeFaults({ faults, chain }: Simulator): object {
  const { pageLimit, haveMore, dropNotices, skewMs } = faults;
  return { pageLimit, haveMore, dropNotices, skewMs, chain: chain.fault };
}

function failNext({ faults }: Simulator, body: ControlBody): void {
  const method = body.word("method", SIMULATOR_METHODS);
  const status = body.optional("status", (name) => body.word(name, STATUS_NAMES)) ?? "UNAVAILABLE";
  const times = body.optional("times", body.whole) ?? 1;
  body.end();
  faults.failNext(method, Status[status as keyof typeof Status], times);
}

function loseNext({ faults }: Simulator, body: ControlBody): void {
  const method = body.word("method", SIMULATOR_METHODS);
  const times = body.optional("times", body.whole) ?? 1;
  body.end();
  faults.loseNext(method, times);
}

function delay({ faults }: Simulator, body: ControlBody): void {
  const method = body.word("method", SIMULATOR_METHODS);
  const delayMs = body.whole("delayMs");
  body.end();
  faults.delay(method, delayMs);
}

/** 0 goes back to the option. */
function pageLimit(rows: number): number | null {
  if (rows < 0) throw new SimulatorError("BAD_REQUEST", `expected pageLimit of at least 0, got ${rows}`);
  return rows === 0 ? null : rows;
}

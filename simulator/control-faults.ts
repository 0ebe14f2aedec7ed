import { Status } from "nice-grpc-common";
import type { ControlBody } from "./control-body.ts";
import { describeLightningFaults, readLightningFaults } from "./control-lightning.ts";
import { SIMULATOR_METHODS } from "./faults.ts";
import type { Simulator } from "./simulator.ts";

/** Names of gRPC codes that a failure can have. */
const STATUS_NAMES = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "RESOURCE_EXHAUSTED",
  "ABORTED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "UNAUTHENTICATED",
] as const;

/** Reads one member of a request; the result carries it out. */
type Member = (body: ControlBody, name: string) => (simulator: Simulator) => void;

/** In the order in which they are carried out. */
const MEMBERS: Readonly<Record<string, Member>> = {
  clear: ifTrue(({ faults }) => faults.clear()),
  failNext(body, name) {
    const { method, status, times } = readFailure(body.object(name));
    return ({ faults }) => faults.failNext(method, status, times);
  },
  loseNext(body, name) {
    const { method, status, times } = readFailure(body.object(name));
    return ({ faults }) => faults.loseNext(method, times, status);
  },
  delay(body, name) {
    const delay = body.object(name);
    const method = delay.word("method", SIMULATOR_METHODS);
    const delayMs = delay.wholeFrom("delayMs", 0);
    delay.end();
    return ({ faults }) => faults.delay(method, delayMs);
  },
  pageLimit(body, name) {
    const rows = body.wholeFrom(name, 0);
    return ({ faults }) => {
      faults.pageLimit = rows === 0 ? null : rows;
    };
  },
  haveMore(body, name) {
    const rule = body.word(name, ["reference", "always", "never"]);
    return ({ faults }) => {
      faults.haveMore = rule;
    };
  },
  dropNotices(body, name) {
    const on = body.flag(name);
    return ({ faults }) => {
      faults.dropNotices = on;
    };
  },
  repeatPages(body, name) {
    const on = body.flag(name);
    return ({ faults }) => {
      faults.repeatPages = on;
    };
  },
  streamPaceMs(body, name) {
    const paceMs = body.wholeFrom(name, 0);
    return ({ faults }) => {
      faults.streamPaceMs = paceMs;
    };
  },
  messagesPerStream(body, name) {
    const messages = body.wholeFrom(name, 0);
    return ({ faults }) => {
      faults.messagesPerStream = messages === 0 ? null : messages;
    };
  },
  skewMs(body, name) {
    const skewMs = body.whole(name);
    return ({ faults }) => {
      faults.skewMs = skewMs;
    };
  },
  lightning: (body, name) => readLightningFaults(body.object(name)),
  rotateKeys(body, name) {
    const key = body.word(name, ["server", "mailbox"]);
    return (simulator) => simulator.rotateKeys(key);
  },
  cutStreams: ifTrue(({ faults }) => faults.cutStreams()),
  endStreams: ifTrue(({ faults }) => faults.endStreams()),
};

/**
 * Reads the members of a request to `POST /faults`; every one is optional.
 *
 * @returns What to do: nothing is done before the whole request has been understood.
 * @throws SimulatorError `BAD_REQUEST`
 */
export function readFaults(body: ControlBody): ((simulator: Simulator) => void)[] {
  return Object.entries(MEMBERS).flatMap(([name, member]) => (body.has(name) ? [member(body, name)] : []));
}

/** The faults that stay until changed. */
export function describeFaults(simulator: Simulator): object {
  const { pageLimit, haveMore, repeatPages, streamPaceMs, messagesPerStream, dropNotices, skewMs } = simulator.faults;
  const lightning = describeLightningFaults(simulator);
  const stream = { streamPaceMs, messagesPerStream };
  return { pageLimit, haveMore, repeatPages, ...stream, dropNotices, skewMs, chain: simulator.chain.fault, lightning };
}

function ifTrue(act: (simulator: Simulator) => void): Member {
  return (body, name) => (body.flag(name) ? act : () => undefined);
}

function readFailure(failure: ControlBody) {
  const method = failure.word("method", SIMULATOR_METHODS);
  const status = failure.has("status") ? failure.word("status", STATUS_NAMES) : "UNAVAILABLE";
  const times = failure.has("times") ? failure.wholeFrom("times", 1) : 1;
  failure.end();
  return { method, status: Status[status], times };
}

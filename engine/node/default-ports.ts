import { randomBytes } from "node:crypto";
import { openSession } from "../../streams/session.ts";
import type { Ports } from "../ports.ts";

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The real thing: system clock, system randomness, gRPC; silent. */
export const defaultPorts: Ports = {
  clock: {
    nowMs: () => Date.now(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(delayMs, LONGEST_TIMEOUT_MS));
      return () => clearTimeout(timer);
    },
  },
  randomness: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  transport: openSession,
  logger: () => {},
  drivers: {},
};

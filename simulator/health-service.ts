import type { ServiceDefinition } from "nice-grpc";

/** `HealthCheckResponse.status` (field 1) = `SERVING` (1). */
const SERVING = Uint8Array.of(0x08, 0x01);

/** `grpc.health.v1.Health/Check`, written by hand: one request that is not looked at and one answer. */
export const HealthServiceDefinition = {
  check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Uint8Array) => bytes,
    requestDeserialize: (bytes: Uint8Array) => bytes,
    responseSerialize: (bytes: Uint8Array) => bytes,
    responseDeserialize: (bytes: Uint8Array) => bytes,
    options: {},
  },
} as const satisfies ServiceDefinition;

/** Always serving. */
export const healthService = {
  async check(): Promise<Uint8Array> {
    return SERVING;
  },
};

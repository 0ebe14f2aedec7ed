import type { SimulatorOptions } from "heartwood/simulator";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { abortOnInterrupt, untilAborted } from "../interrupt.ts";
import { toJson } from "../json.ts";
import { NETWORKS } from "../networks.ts";

const HIGHEST_PORT = 65_535;

/** `heartwood simulate`: a simulated Ark server with its chain, for wallets under test. */
export const simulate: Command = {
  name: "simulate",
  summary: "run a simulated Ark server and chain",
  operands: [],
  options: {
    "grpc-port": { value: "PORT", describes: "port of the Ark server (default: any free one)" },
    "chain-port": { value: "PORT", describes: "port of the Esplora server (default: any free one)" },
    "control-port": { value: "PORT", describes: "port of the control interface (default: any free one)" },
    host: { value: "HOST", describes: "loopback address to listen on (default: 127.0.0.1)" },
    seed: { value: "TEXT", describes: "what keys and payments are derived from (default: heartwood)" },
    network: { value: "NAME", describes: `one of ${NETWORKS.join(", ")} (default: regtest)` },
  },
  details: `
Starts a gRPC server that behaves like an Ark server, an Esplora server for its chain,
and an HTTP interface to create payments, mine blocks and switch faults on
(docs/simulator.md). Prints their addresses as one line of JSON and runs until it is
interrupted. All of its money is made up.`,
  async run(given, output) {
    // Only this command needs the servers; the others start faster without them.
    const { startSimulator } = await import("heartwood/simulator");
    const interrupted = abortOnInterrupt(() => output.message("stopping (interrupt again to end at once)"));
    const simulator = await startSimulator(simulatorOptions(given));
    try {
      const { serverUrl, chainUrl, controlUrl, arkInfo } = simulator;
      await output.line(toJson({ network: arkInfo.network, serverUrl, chainUrl, controlUrl }));
      await untilAborted(interrupted);
    } finally {
      await simulator.stop();
    }
    return 0;
  },
};

function simulatorOptions(given: Arguments): SimulatorOptions {
  const [host, seed, network] = [given.text("host"), given.text("seed"), given.choice("network", NETWORKS)];
  return {
    grpcPort: given.integer("grpc-port", HIGHEST_PORT) ?? 0,
    chainPort: given.integer("chain-port", HIGHEST_PORT) ?? 0,
    controlPort: given.integer("control-port", HIGHEST_PORT) ?? 0,
    ...(host === undefined ? {} : { host }),
    ...(seed === undefined ? {} : { seed }),
    ...(network === undefined ? {} : { network }),
  };
}

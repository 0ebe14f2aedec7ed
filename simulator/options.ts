import { DEFAULT_TERMS, type ServerTerms } from "./ark-info.ts";
import { SimulatorError } from "./errors.ts";
import { isSimulatorNetwork, type SimulatorNetwork } from "./network.ts";

/** Options of `startSimulator`; every one has a default. */
export interface SimulatorOptions {
  /** Keys, nonces and everything else that looks random follow from it. Default `"heartwood"`. */
  readonly seed?: string;
  /** Default `"regtest"`. */
  readonly network?: SimulatorNetwork;
  /** A loopback address. Default `"127.0.0.1"`. */
  readonly host?: string;
  /** Port of the Ark server; 0, the default, takes any free one. */
  readonly grpcPort?: number;
  /** Port of the chain source; 0, the default, takes any free one. */
  readonly chainPort?: number;
  /** Port of the control interface, 0 for any free one. There is none by default. */
  readonly controlPort?: number;
  /** Clock in Unix milliseconds, for checkpoints and authorizations. Default `Date.now`. */
  readonly now?: () => number;
  /** Height of the newest block at the start. Default 200. */
  readonly tipHeight?: number;
  /** Rows in a page of `ReadMailbox`, 1 … 10,000. Default 100, as in the reference. */
  readonly pageLimit?: number;
  /** Protocol versions that the server speaks. Default 4 to 5, of release 0.6.0 1 to 5. */
  readonly protocolVersions?: { readonly min: number; readonly max: number };
  /** Announcement of the operator in the handshake. */
  readonly psa?: string;
  /** Terms that differ from the defaults, which are listed in `docs/simulator.md`. */
  readonly terms?: Partial<ServerTerms>;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly seed: string;
  readonly network: SimulatorNetwork;
  readonly host: string;
  readonly grpcPort: number;
  readonly chainPort: number;
  readonly controlPort: number | null;
  readonly now: () => number;
  readonly tipHeight: number;
  readonly pageLimit: number;
  readonly protocolVersions: { readonly min: number; readonly max: number };
  readonly psa: string | undefined;
  readonly terms: ServerTerms;
}

const HIGHEST_TIP = 400_000_000;
/** Largest block delta of the protocol (vtxo.md §3.1). */
const HIGHEST_DELTA = 16_383;

/**
 * Fills in the defaults.
 *
 * @throws SimulatorError `OPTION_INVALID`
 */
export function resolveOptions(options: SimulatorOptions = {}): ResolvedOptions {
  const network = options.network ?? "regtest";
  if (!isSimulatorNetwork(network)) throw invalid("network", "bitcoin, testnet, testnet4, signet or regtest", network);
  const host = options.host ?? "127.0.0.1";
  if (!/^127(\.[0-9]{1,3}){3}$|^localhost$/.test(host)) throw invalid("host", "a loopback address", host);
  const terms = resolveTerms(options.terms);
  const protocolVersions = options.protocolVersions ?? { min: terms.release === "0.6.0" ? 1 : 4, max: 5 };
  whole("protocolVersions.min", protocolVersions.min, 1, 1_000);
  whole("protocolVersions.max", protocolVersions.max, protocolVersions.min, 1_000);
  return {
    seed: options.seed ?? "heartwood",
    network,
    host,
    grpcPort: whole("grpcPort", options.grpcPort ?? 0, 0, 65_535),
    chainPort: whole("chainPort", options.chainPort ?? 0, 0, 65_535),
    controlPort: options.controlPort === undefined ? null : whole("controlPort", options.controlPort, 0, 65_535),
    now: options.now ?? Date.now,
    tipHeight: whole("tipHeight", options.tipHeight ?? 200, 1, HIGHEST_TIP),
    pageLimit: whole("pageLimit", options.pageLimit ?? 100, 1, 10_000),
    protocolVersions,
    psa: options.psa,
    terms,
  };
}

function resolveTerms(given: Partial<ServerTerms> = {}): ServerTerms {
  const terms = { ...DEFAULT_TERMS, ...given };
  if (terms.release !== "later" && terms.release !== "0.6.0") throw invalid("terms.release", "later or 0.6.0", terms.release);
  whole("terms.vtxoExitDelta", terms.vtxoExitDelta, 1, HIGHEST_DELTA);
  whole("terms.vtxoLifetime", terms.vtxoLifetime, 1, HIGHEST_DELTA);
  whole("terms.maxVtxoExitDepth", terms.maxVtxoExitDepth, 1, 65_535);
  whole("terms.maxArkoorFanout", terms.maxArkoorFanout, 1, 255);
  whole("terms.htlcSendExpiryDelta", terms.htlcSendExpiryDelta, 1, HIGHEST_DELTA);
  whole("terms.htlcExpiryDelta", terms.htlcExpiryDelta, 1, HIGHEST_DELTA);
  whole("terms.maxUserInvoiceCltvDelta", terms.maxUserInvoiceCltvDelta, 1, HIGHEST_DELTA);
  whole("terms.requiredBoardConfirmations", terms.requiredBoardConfirmations, 0, HIGHEST_DELTA);
  return terms;
}

/** Passes a whole number within bounds on. @throws SimulatorError `OPTION_INVALID` */
function whole(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) throw invalid(name, `${least} … ${most}`, value);
  return value;
}

function invalid(name: string, expected: string, got: unknown): SimulatorError {
  return new SimulatorError("OPTION_INVALID", `expected ${name} to be ${expected}, got ${String(got)}`);
}

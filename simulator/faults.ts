import { Status } from "nice-grpc-common";
import type { ArkInfo } from "../proto/generated/bark_server.ts";
import { SimulatorError } from "./errors.ts";
import { LightningFaults } from "./lightning-faults.ts";
import type { SkewedClock } from "./skewed-clock.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** The methods of both services that can be made to fail. */
export const SIMULATOR_METHODS = [
  "Handshake",
  "GetArkInfo",
  "GetVtxo",
  "GetVtxoStatus",
  "RegisterVtxoTransactions",
  "RegisterVtxos",
  "RequestArkoorCosign",
  "RequestLightningPayHtlcCosign",
  "InitiateLightningPayment",
  "CheckLightningPayment",
  "RequestLightningPayHtlcRevocation",
  "StartLightningReceive",
  "CheckLightningReceive",
  "PrepareLightningReceiveClaim",
  "ClaimLightningReceive",
  "CancelLightningReceive",
  "RoundParticipationStatus",
  "PostArkoorMessage",
  "SubscribeMailbox",
  "ReadMailbox",
  "PostRecoveryVtxoIds",
] as const;

/** Name of a method as the `.proto` files spell it. */
export type SimulatorMethod = (typeof SIMULATOR_METHODS)[number];

/** How `have_more` of a page is answered: as the reference does (mailbox.md §3.5), or always or never true. */
export type HaveMoreRule = "reference" | "always" | "never";

interface Failure {
  readonly status: Status;
  readonly details: string;
  /** Whether the call takes effect before its answer is replaced by the failure. */
  readonly afterwards: boolean;
  left: number;
}

/** Switches that make the simulated server misbehave. Everything is off until asked for; `clear()` turns all off. */
export class Faults {
  readonly #subscriptions: Subscriptions;
  readonly #clock: SkewedClock;
  readonly #failures = new Map<SimulatorMethod, Failure[]>();
  readonly #delaysMs = new Map<SimulatorMethod, number>();
  /** Rows in a page, instead of the option `pageLimit`; `null` for that option. */
  pageLimit: number | null = null;
  haveMore: HaveMoreRule = "reference";
  /** While true, `ReadMailbox` answers from the beginning whatever position is asked for: the same page again and again. */
  repeatPages = false;
  /** Wait of a subscription before each message. */
  streamPaceMs = 0;
  /** Messages after which a subscription is cut with UNAVAILABLE; `null` for no end. */
  messagesPerStream: number | null = null;
  /** Members of `ArkInfo` that replace the true ones. */
  arkInfo: Partial<ArkInfo> = {};
  /** Those of Lightning payments and of cosigning. */
  readonly lightning = new LightningFaults();

  constructor(subscriptions: Subscriptions, clock: SkewedClock) {
    this.#subscriptions = subscriptions;
    this.#clock = clock;
  }

  /** Milliseconds added to the clock of the server. */
  get skewMs(): number {
    return this.#clock.skewMs;
  }

  set skewMs(skewMs: number) {
    this.#clock.skewMs = skewMs;
  }

  /** While true, mailbox writes are not announced to open subscriptions. */
  get dropNotices(): boolean {
    return this.#subscriptions.dropNotices;
  }

  set dropNotices(on: boolean) {
    this.#subscriptions.dropNotices = on;
  }

  /**
   * Refuses the next calls of a method before they take effect.
   *
   * @param times `Number.POSITIVE_INFINITY` until cleared.
   * @throws SimulatorError `OPTION_INVALID`
   */
  failNext(method: SimulatorMethod, status: Status = Status.UNAVAILABLE, times = 1, details = "simulated failure"): void {
    this.#add(method, { status, details, afterwards: false, left: times });
  }

  /**
   * Lets the next calls of a unary method take effect, but answers with a failure: a lost response.
   *
   * @throws SimulatorError `OPTION_INVALID`
   */
  loseNext(method: SimulatorMethod, times = 1, status: Status = Status.UNAVAILABLE): void {
    this.#add(method, { status, details: "simulated loss of the response", afterwards: true, left: times });
  }

  /**
   * Makes every call of a method wait before it takes effect; 0 ends that.
   *
   * @throws SimulatorError `OPTION_INVALID`
   */
  delay(method: SimulatorMethod, delayMs: number): void {
    checkMethod(method);
    if (!Number.isFinite(delayMs) || delayMs < 0) {
      throw new SimulatorError("OPTION_INVALID", `expected a delay of at least 0 ms, got ${delayMs}`);
    }
    this.#delaysMs.set(method, delayMs);
  }

  /** Ends every open subscription with an error. */
  cutStreams(status: Status = Status.UNAVAILABLE): void {
    this.#subscriptions.cutAll(status);
  }

  /** Ends every open subscription with status OK, as a server does that shuts down. */
  endStreams(): void {
    this.#subscriptions.endAll();
  }

  /** Turns every fault off. Streams that were ended stay ended. */
  clear(): void {
    this.#failures.clear();
    this.#delaysMs.clear();
    this.pageLimit = null;
    this.haveMore = "reference";
    this.repeatPages = false;
    this.streamPaceMs = 0;
    this.messagesPerStream = null;
    this.arkInfo = {};
    this.skewMs = 0;
    this.dropNotices = false;
    this.lightning.clear();
  }

  /** How long the next call of a method waits. */
  delayMs(method: SimulatorMethod): number {
    return this.#delaysMs.get(method) ?? 0;
  }

  /** Takes the failure that the next call of a method meets at this stage, if any. */
  take(method: SimulatorMethod, stage: "before" | "afterwards"): { readonly status: Status; readonly details: string } | null {
    const failures = this.#failures.get(method) ?? [];
    const index = failures.findIndex((failure) => failure.afterwards === (stage === "afterwards"));
    const failure = failures[index];
    if (!failure) return null;
    failure.left -= 1;
    if (failure.left <= 0) failures.splice(index, 1);
    return failure;
  }

  #add(method: SimulatorMethod, failure: Failure): void {
    checkMethod(method);
    if (!(failure.left >= 1)) throw new SimulatorError("OPTION_INVALID", `expected at least 1 time, got ${failure.left}`);
    this.#failures.set(method, [...(this.#failures.get(method) ?? []), failure]);
  }
}

/** Whether a text names a method of the simulator. */
export function isSimulatorMethod(name: string): name is SimulatorMethod {
  return (SIMULATOR_METHODS as readonly string[]).includes(name);
}

function checkMethod(name: string): void {
  if (!isSimulatorMethod(name)) {
    throw new SimulatorError("OPTION_INVALID", `expected one of ${SIMULATOR_METHODS.join(", ")}, got ${JSON.stringify(name)}`);
  }
}

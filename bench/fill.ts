import { createHash } from "node:crypto";
import { messageInstance } from "../engine/message-instance.ts";
import { type Dispatch, RunLoop } from "../engine/run-loop.ts";
import { CONNECTION, WALLET, WalletState } from "../engine/wallet-state.ts";
import type { AcceptedVtxo, Verdict } from "../machines/package.ts";
import type { EventLog } from "../store/index.ts";

/** What a log is filled with. */
export interface Filling {
  readonly records: number;
  /** Packages that were credited, and how many VTXOs each brought: all of them are the wallet's at the end. */
  readonly packages: number;
  readonly vtxosPerPackage: number;
}

const START_MS = Date.UTC(2026, 0, 1);
const MESSAGE_BYTES = 400;
/** Messages decided before their commits are waited for: group commit makes few of them. */
const IN_FLIGHT = 400;
const RECORDS_A_PACKAGE = 5;
const FEWEST_RECORDS_OF_A_SYNC = 5;

/**
 * Fills an empty log with a life: packages that are credited, registered and backed up, and for the rest syncs that each
 * bring a notice. The records are decided by the run loop and the machines; only the answers of the outside are made up.
 *
 * @returns what the records come to
 */
export async function fill(log: EventLog, { records, packages, vtxosPerPackage }: Filling): Promise<WalletState> {
  const committed = new WalletState();
  const life = new Life(log, committed, vtxosPerPackage);
  life.begin();
  const syncs = Math.max(0, Math.floor((records - packages * RECORDS_A_PACKAGE) / FEWEST_RECORDS_OF_A_SYNC));
  const steps = Math.max(packages, syncs);
  for (let at = 0, packed = 0, synced = 0; at < steps; at++) {
    for (; packed * steps < packages * (at + 1); packed++) life.receive();
    for (; synced * steps < syncs * (at + 1); synced++) life.sync();
    if (at % IN_FLIGHT === 0) await life.settled();
  }
  await life.settled();
  return committed;
}

class Life {
  readonly #loop: RunLoop;
  readonly #vtxosPerPackage: number;
  #nowMs = START_MS;
  #vtxos = 0;

  constructor(log: EventLog, committed: WalletState, vtxosPerPackage: number) {
    this.#vtxosPerPackage = vtxosPerPackage;
    this.#loop = new RunLoop({
      log,
      committed,
      clock: { nowMs: () => this.#nowMs, after: () => () => {} },
      randomness: { bytes: (length) => new Uint8Array(length) },
      listener: {
        onCommitted: () => {},
        onFailed: (error) => {
          throw error;
        },
      },
    });
  }

  begin(): void {
    const place = { network: "regtest", serverUrl: "https://ark.example", chainUrl: "https://chain.example" };
    this.#dispatch(WALLET, { type: "wallet.created", fingerprint: "00000000", ...place });
    this.#dispatch(WALLET, { type: "wallet.opened", epoch: 1n });
  }

  /** A package that is money, with all that follows. */
  receive(): void {
    const { instance, checkpoint, digest } = this.#message("arkoor", this.#vtxosPerPackage);
    const verdicts = Array.from({ length: this.#vtxosPerPackage }, (_, entry) => this.#accepted(digest, entry));
    this.#dispatch(instance, { type: "package.vetted", verdicts }, `${checkpoint}`);
    this.#dispatch(instance, { type: "vtxos.registered" });
    this.#dispatch(instance, { type: "recoveryIds.posted" });
  }

  /** Connects, reads a notice, and is done. */
  sync(): void {
    this.#dispatch(CONNECTION, { type: "run.requested", mode: "drain" });
    this.#dispatch(CONNECTION, { type: "connection.opened" });
    this.#message("round", 0);
    this.#dispatch(CONNECTION, { type: "mailbox.caughtUp" });
  }

  settled(): Promise<void> {
    return this.#loop.settled();
  }

  #message(kind: string, entries: number) {
    this.#nowMs += 1_000;
    const checkpoint = BigInt(this.#nowMs) << 20n;
    const data = new Uint8Array(MESSAGE_BYTES);
    new DataView(data.buffer).setBigUint64(0, checkpoint);
    const digest = createHash("sha256").update(data).digest("hex");
    const instance = messageInstance(checkpoint, digest);
    const event = { type: "message.received", checkpoint, digest, kind, entries, notice: null, ahead: false };
    this.#taken({ instance, event, blobs: [{ digest, data }] });
    return { instance, checkpoint, digest };
  }

  #accepted(digest: string, entry: number): Verdict {
    const vtxo: AcceptedVtxo = {
      id: `${createHash("sha256").update(`${this.#vtxos}`).digest("hex")}:0`,
      amountSats: 1_000n,
      expiryHeight: 5_000,
      exitDepth: 3,
      keyIndex: this.#vtxos++,
      source: { digest, entry },
      registered: true,
      flags: [],
      lineage: [0, 1, 2].map((step) => `${createHash("sha256").update(`${this.#vtxos} ${step}`).digest("hex").slice(0, 32)}:0`),
    };
    return { kind: "accepted", key: digest.slice(0, 32), vtxo };
  }

  #dispatch(instance: string, event: Dispatch["event"], effectId?: string): void {
    this.#taken({ instance, event, ...(effectId === undefined ? {} : { effectId }) });
  }

  #taken(dispatch: Dispatch): void {
    const { taken } = this.#loop.dispatch(dispatch);
    if (!taken) throw new Error(`expected ${dispatch.instance} to take ${dispatch.event.type}`);
  }
}

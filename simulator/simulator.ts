import type { VtxoId } from "../ark/vtxo-id.ts";
import type { ArkInfo } from "../proto/generated/bark_server.ts";
import type { MailboxMessage } from "../proto/generated/mailbox_server.ts";
import { arkInfo } from "./ark-info.ts";
import type { CallHeaders } from "./call-gate.ts";
import { answerControl } from "./control.ts";
import { describeVtxo, type SentMessage } from "./deliveries.ts";
import type { Faults, SimulatorMethod } from "./faults.ts";
import { HttpServer } from "./http-server.ts";
import type { StoredMessage } from "./mailbox-row.ts";
import { resolveOptions, type SimulatorOptions } from "./options.ts";
import type { PackageRequest, SimulatedVtxo } from "./payer.ts";
import { checkCorruptions, type Payment, type PaymentRequest, refusedAsError, spoil } from "./payment.ts";
import { blindedIdOf, mailboxIdOf, readAddress } from "./recipient.ts";
import type { ServerKeyName } from "./server-keys.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { SimulatedLightning } from "./simulated-lightning.ts";
import type { LedgerEntry, SpendState } from "./vtxo-ledger.ts";
import { buildWorld, type World } from "./world.ts";

/** How busy the server was. */
export interface SimulatorCounters {
  /** Streams open now, and opened so far. */
  readonly openSubscriptions: number;
  readonly subscriptions: number;
  /** Messages put into mailboxes by the simulator itself. */
  readonly sent: number;
  /** VTXOs by spend state, internal ones left out. */
  readonly vtxos: Readonly<Partial<Record<SpendState, number>>>;
}

/**
 * A simulated Ark server with its chain and its payers, reached over real gRPC and HTTP on loopback.
 *
 * Its signatures are real, its coins and keys follow from a seed. `chain` and `faults` hold the switches.
 */
export class Simulator implements AsyncDisposable {
  readonly #world: World;
  readonly #control: HttpServer | null;

  private constructor(world: World) {
    const { host, controlPort } = world.options;
    this.#world = world;
    this.#control = controlPort === null ? null : new HttpServer(host, controlPort, (request) => answerControl(this, request));
  }

  /**
   * Starts everything; see {@link startSimulator}.
   *
   * @throws SimulatorError `OPTION_INVALID`, `LISTEN_FAILED`
   */
  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const simulator = new Simulator(buildWorld(resolveOptions(options)));
    try {
      await simulator.bringUp();
      await simulator.#world.esplora.start();
      await simulator.#control?.start();
    } catch (error) {
      await simulator.stop();
      throw error;
    }
    return simulator;
  }

  /** Where wallets find the Ark server: `http://127.0.0.1:port`. */
  get serverUrl(): string {
    return this.#world.grpc.url;
  }

  /** Where wallets find the chain source: in Esplora's paths, and as a Bitcoin Core node with {@link RPC_CREDENTIALS}. */
  get chainUrl(): string {
    return this.#world.esplora.url;
  }

  /** The control interface; `null` without the option `controlPort`. */
  get controlUrl(): string | null {
    return this.#control?.url ?? null;
  }

  /** The simulated chain and its faults. */
  get chain(): SimulatedChain {
    return this.#world.chain;
  }

  /** The faults of the Ark server. */
  get faults(): Faults {
    return this.#world.faults;
  }

  /** The simulated Lightning network and what the server does with it. */
  get lightning(): SimulatedLightning {
    return this.#world.lightning;
  }

  /** What `GetArkInfo` answers while no fault changes it. */
  get arkInfo(): ArkInfo {
    const { options, keys } = this.#world;
    return arkInfo(options.network, keys, options.terms);
  }

  /** Everything that was put into mailboxes, in order. */
  get sent(): readonly SentMessage[] {
    return this.#world.deliveries.sent;
  }

  /**
   * Pays an address: new coins are boarded, sent by real arkoor payments and posted as one message.
   *
   * @throws SimulatorError `ADDRESS_INVALID`, `ADDRESS_FOREIGN`, `AMOUNT_INVALID`, `OPTION_INVALID`, `PAYMENT_REFUSED`,
   *   `CORRUPTION_IMPOSSIBLE`
   */
  async pay(address: string, request: PaymentRequest): Promise<Payment> {
    checkCorruptions(request);
    const vtxos = spoil(await this.createPackage(address, request), request.corrupt);
    const mailboxId = this.mailboxIdOf(address);
    if (vtxos.every(({ corruption }) => corruption === null)) {
      return { checkpoint: await this.post(address, vtxos), mailboxId, vtxos };
    }
    const sent = vtxos.map(({ bytes, corruption }) => describeVtxo(bytes, corruption));
    return { checkpoint: this.#world.deliveries.deliver(mailboxId, sent), mailboxId, vtxos };
  }

  /**
   * Makes a package for the owner of an address and delivers nothing.
   *
   * @throws SimulatorError as {@link pay}
   */
  async createPackage(address: string, request: PackageRequest): Promise<SimulatedVtxo[]> {
    const { keys, options, payer } = this.#world;
    return refusedAsError(() => payer.createPackage(readAddress(address, keys, options.network), request));
  }

  /**
   * Posts VTXOs to an address as a payer does, with every check of the server: what {@link pay} does after
   * {@link createPackage}. Packages made ahead can so be delivered in quick succession.
   *
   * @returns The position of the message; `null` if every VTXO was in a mailbox already.
   * @throws SimulatorError `ADDRESS_INVALID`, `ADDRESS_FOREIGN`, `PAYMENT_REFUSED`
   */
  async post(address: string, vtxos: readonly (Uint8Array | SimulatedVtxo)[]): Promise<bigint | null> {
    const { keys, options, mailbox, deliveries } = this.#world;
    const blindedId = blindedIdOf(readAddress(address, keys, options.network));
    const sent = vtxos.map((vtxo) => describeVtxo(bytesOf(vtxo)));
    const checkpoint = await refusedAsError(() => mailbox.post({ blindedId, vtxos: sent.map(({ bytes }) => bytes) }));
    deliveries.note({ how: "pay", mailboxId: this.mailboxIdOf(address), checkpoint, vtxos: sent });
    return checkpoint;
  }

  /**
   * Puts one message with any VTXOs into a mailbox, past every check of a post.
   *
   * @param target An address, or a mailbox id in hex.
   * @returns The position of the message.
   * @throws SimulatorError `ADDRESS_INVALID`, `ADDRESS_FOREIGN`
   */
  deliver(target: string, vtxos: readonly (Uint8Array | SimulatedVtxo)[]): bigint {
    const sent = vtxos.map((vtxo) => describeVtxo(bytesOf(vtxo)));
    return this.#world.deliveries.deliver(this.mailboxIdOf(target), sent);
  }

  /** Puts bytes into a mailbox as one message, made from the position it gets. @returns the position */
  deliverRaw(target: string, make: (checkpoint: bigint) => Uint8Array): bigint {
    return this.#world.deliveries.deliverRaw(this.mailboxIdOf(target), make);
  }

  /** Puts a message of any known kind into a mailbox. @returns its position */
  deliverMessage(target: string, message: MailboxMessage["message"]): bigint {
    return this.#world.deliveries.deliverMessage(this.mailboxIdOf(target), message);
  }

  /** Puts a message of a kind that no client knows into a mailbox. @returns its position */
  deliverUnknown(target: string, field = 99, payload: Uint8Array = Uint8Array.of(1, 2, 3)): bigint {
    return this.#world.deliveries.deliverUnknown(this.mailboxIdOf(target), field, payload);
  }

  /**
   * Delivers an earlier message once more: under a new position, or with the `same` one, once, into the streams that are
   * open now, as a faulty server might.
   *
   * @returns The new position, `null` for the same one.
   * @throws SimulatorError `UNKNOWN_MESSAGE`
   */
  redeliver(checkpoint: bigint, { position = "new" }: { readonly position?: "new" | "same" } = {}): bigint | null {
    return this.#world.deliveries.redeliver(checkpoint, position);
  }

  /** The mailbox id, in hex, behind an address. @throws SimulatorError `ADDRESS_INVALID`, `ADDRESS_FOREIGN` */
  mailboxIdOf(target: string): string {
    return mailboxIdOf(target, this.#world.keys, this.#world.options.network);
  }

  /** Every message of a mailbox, whole, in order. */
  mailbox(target: string): StoredMessage[] {
    return this.#world.store.messages(this.mailboxIdOf(target));
  }

  /** Every VTXO that the server knows. */
  vtxos(): LedgerEntry[] {
    return this.#world.ledger.entries();
  }

  /** One VTXO as the server knows it. */
  vtxo(id: VtxoId): LedgerEntry | null {
    return this.#world.ledger.get(id);
  }

  /** Ids in recovery mailboxes, whoever posted them. */
  recoveryIds(): VtxoId[] {
    return this.#world.store.keys("recovery-vtxo-id");
  }

  /** How many calls of a method arrived, refused ones included. */
  calls(method: SimulatorMethod): number {
    return this.#world.gate.count(method);
  }

  /** The headers of the newest call of a method. */
  lastHeaders(method: SimulatorMethod): CallHeaders | null {
    return this.#world.gate.lastHeaders(method);
  }

  counters(): SimulatorCounters {
    const { subscriptions, ledger } = this.#world;
    const vtxos: Partial<Record<SpendState, number>> = {};
    for (const { state, isInternal } of ledger.entries()) if (!isInternal) vtxos[state] = (vtxos[state] ?? 0) + 1;
    return { openSubscriptions: subscriptions.size, subscriptions: subscriptions.opened, sent: this.sent.length, vtxos };
  }

  /** Changes what the server says of a VTXO. @throws SimulatorError `UNKNOWN_VTXO` */
  setSpendState(id: VtxoId, state: SpendState): void {
    this.#world.ledger.setState(id, state);
  }

  /** Has the server forget a VTXO. @throws SimulatorError `UNKNOWN_VTXO` */
  forgetVtxo(id: VtxoId): void {
    this.#world.ledger.forget(id);
  }

  /** Replaces a key of the server; VTXOs and addresses of the old one are then foreign to it. */
  rotateKeys(name: ServerKeyName): void {
    this.#world.keys.rotate(name);
  }

  /** Adds blocks; the first confirms the mempool. @returns the new tip */
  mine(blocks = 1): number {
    return this.chain.mine(blocks);
  }

  /** Takes the Ark server off the network. It keeps all it knows; the chain source stays. */
  async takeDown(how: "clean" | "abrupt" = "clean"): Promise<void> {
    await this.#world.grpc.stop(how);
  }

  /** Brings the Ark server back on its port. @throws SimulatorError `LISTEN_FAILED` */
  async bringUp(): Promise<void> {
    await this.#world.grpc.start();
  }

  /** Takes the Ark server down and brings it back on the same port. @throws SimulatorError `LISTEN_FAILED` */
  async restart(how: "clean" | "abrupt" = "abrupt"): Promise<void> {
    await this.takeDown(how);
    await this.bringUp();
  }

  /** Closes every port. Takes a second at most, whatever is open; idempotent. */
  async stop(): Promise<void> {
    const { grpc, esplora } = this.#world;
    await Promise.all([grpc.stop(), esplora.stop(), this.#control?.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Starts a simulated Ark server, its chain source and, with `controlPort`, its control interface.
 *
 * @example
 * await using simulator = await startSimulator({ seed: "demo" });
 * await simulator.pay(address, { amountsSats: [21_000n] });
 * @throws SimulatorError `OPTION_INVALID`, `LISTEN_FAILED`
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return Simulator.start(options);
}

function bytesOf(vtxo: Uint8Array | SimulatedVtxo): Uint8Array {
  return vtxo instanceof Uint8Array ? vtxo : vtxo.bytes;
}

import { Status } from "nice-grpc-common";
import { filter, firstValueFrom, timeout } from "rxjs";
import { encodeHex } from "../../../ark/hex.ts";
import { WalletKeys } from "../../../ark/keys.ts";
import { encodeVtxoId } from "../../../ark/vtxo-id.ts";
import {
  codeOf,
  Heartwood,
  type Invoice,
  type InvoiceOptions,
  type Payment,
  type Wallet,
  type WalletEvent,
  type WalletOptions,
} from "../../../engine/index.ts";
import { defaultPorts } from "../../../engine/node/default-ports.ts";
import { noteSalvage } from "../../../engine/note-salvage.ts";
import { type Simulator, startSimulator } from "../../../simulator/index.ts";
import { createMemoryLog, type EventLog, exportLines, type MemoryLog } from "../../../store/index.ts";
import { addressOf, eventually, MNEMONIC, OTHER_MNEMONIC } from "../helpers.ts";
import { ManualClock, steadyChain, steadyPorts } from "./outside.ts";
import { wrapLog } from "./wrapped-log.ts";

const LOG_ID = "676f6c64".repeat(8);
const BEGINNING_MS = 1_790_000_000_000;
const RETRY_MS = 60_000;
const POLL_MS = 30_000;
const RECEIVE_POLL_MS = 4_000;
const DAY_MS = 86_400_000;
const PAYMENT_POLL_MS = 2_000;
/** So many blocks later the HTLCs of a payment are near their expiry. */
const SEND_EXPIRY_BLOCKS = 250;
/** So many blocks before its expiry a VTXO is to be exited. */
const EXIT_BLOCKS = 20;

/** Everything that the life below needs. */
interface World {
  readonly simulator: Simulator;
  readonly clock: ManualClock;
  readonly log: MemoryLog;
  readonly options: WalletOptions;
}

/**
 * A life in which a bit of everything happens to a wallet, the same each time: its log as the text of an export file.
 *
 * The engine, its streams and the simulated server are the real ones; clock, randomness and ports are fixed.
 */
export async function liveGoldenLife(): Promise<string> {
  const clock = new ManualClock(BEGINNING_MS);
  await using simulator = await startSimulator({ seed: "golden", network: "regtest", now: () => clock.nowMs() });
  const log = createMemoryLog({ logId: LOG_ID });
  const options = {
    mnemonic: () => MNEMONIC,
    server: "https://ark.example",
    network: "regtest",
    create: true,
    chain: steadyChain(simulator),
    ports: steadyPorts(simulator, clock),
  } as const;
  const world = { simulator, clock, log, options };
  await drainedLife(world);
  await followingLife(world);
  await payingLife(world);
  await interruptedLife(world);
  await salvagedLife(world);
  await expiringLife(world);
  await receivingLife(world);
  await using finished = await log.open({ readOnly: true });
  const lines: string[] = [];
  for await (const line of exportLines(finished)) lines.push(line);
  return lines.join("");
}

/** First epoch: the seed had something before; then one sync after each thing that happens. */
async function drainedLife({ simulator, clock, log, options }: World): Promise<void> {
  const keys = WalletKeys.fromMnemonic(MNEMONIC);
  const [earlier] = await simulator.createPackage(addressOf(simulator, MNEMONIC, 2), { amountsSats: [1_000n] });
  const policy = {
    kind: "server-htlc-send-v1",
    userPubkey: keys.vtxoPublicKey(0),
    paymentHash: new Uint8Array(32).fill(9),
    htlcExpiryHeight: simulator.chain.tip + 100,
  } as const;
  const [htlc] = await simulator.createPackage(addressOf(simulator, MNEMONIC, 0), { amountsSats: [600n], policy });
  const backup = encodeHex(keys.recoveryMailboxId);
  const vtxoIds = [earlier, htlc].map((vtxo) => encodeVtxoId(vtxo?.id ?? ""));
  simulator.deliverMessage(backup, { $case: "recoveryVtxoIds", value: { vtxoIds } });
  await using wallet = await Heartwood.openOn(await log.open(), { ...options, restore: true });
  const sync = async (): Promise<void> => {
    clock.advance(1_000);
    await wallet.sync();
  };
  await sync();
  const first = await wallet.address();
  const { checkpoint } = await simulator.pay(first, { amountsSats: [21_000n] });
  await sync();
  const second = await wallet.address({ fresh: true });
  // The server has a sound copy of the second; the last one stays in quarantine.
  const corrupt = [
    { index: 1, how: "signature" },
    { index: 3, how: "truncate" },
  ] as const;
  await simulator.pay(second, { amountsSats: [5_000n, 3_000n, 900n, 700n], corrupt });
  await sync();
  simulator.redeliver(checkpoint ?? 0n);
  await sync();
  simulator.deliverUnknown(first);
  simulator.deliver(first, []);
  await sync();
  const late = await simulator.pay(first, { amountsSats: [8_000n], unconfirmedAnchor: true });
  await sync();
  simulator.mine();
  await sync();
  simulator.chain.setFault("down");
  await simulator.pay(second, { amountsSats: [13_000n] });
  simulator.deliverMessage(first, {
    $case: "lightningSendFinished",
    value: { paymentHash: new Uint8Array(32).fill(7), preimage: undefined },
  });
  await sync();
  simulator.chain.setFault(null);
  await sync();
  // One question about one VTXO gets no answer, while others do.
  simulator.faults.failNext("GetVtxoStatus", Status.INTERNAL);
  await simulator.pay(second, { amountsSats: [2_000n] });
  await sync();
  await sync();
  // A longer chain leaves out the block of an anchor; its next block has it again.
  const anchor = simulator.chain.transaction(late.vtxos[0]?.anchorTxid ?? "");
  simulator.mine();
  simulator.chain.add(anchor?.bytes ?? new Uint8Array(), null);
  await sync();
  simulator.mine();
  await sync();
}

/** Second epoch, with a live subscription, a halt in it, and a server that goes away. */
async function followingLife({ simulator, clock, log, options }: World): Promise<void> {
  clock.advance(60_000);
  await using wallet = await Heartwood.openOn(await log.open(), { ...options, server: "https://moved.example" });
  const address = await wallet.address();
  const live = when(wallet, (event) => event.type === "connection.changed" && event.state === "Live");
  wallet.start();
  await live;
  clock.advance(500);
  const paid = when(wallet, ({ type }) => type === "payment.received");
  await simulator.pay(address, { amountsSats: [34_000n, 1_000n] });
  await paid;
  await eventually(() => wallet.status().openCommands === 0, "every result");

  simulator.chain.setFault("down");
  clock.advance(500);
  const waiting = when(wallet, (event) => event.type === "connection.changed" && event.state === "BackingOff");
  await simulator.pay(address, { amountsSats: [55_000n] });
  await waiting;
  simulator.chain.setFault(null);
  const again = when(wallet, (event) => event.type === "connection.changed" && event.state === "Live");
  clock.advance(RETRY_MS);
  await again;
  await eventually(() => wallet.status().openCommands === 0, "every result");

  const gone = when(wallet, (event) => event.type === "connection.changed" && event.state === "BackingOff");
  clock.advance(500);
  await eventually(() => simulator.counters().openSubscriptions === 1, "an open subscription");
  simulator.faults.cutStreams();
  await gone;
  clock.advance(500);
  await wallet.stop();
}

/** Third epoch: a payment that is refused, one that is delivered at the second attempt, and some over Lightning. */
async function payingLife({ simulator, clock, log, options }: World): Promise<void> {
  clock.advance(60_000);
  await using wallet = await Heartwood.openOn(await log.open(), { ...options, server: "https://moved.example" });
  const live = when(wallet, (event) => event.type === "connection.changed" && event.state === "Live");
  const looks = looksAtHeldItems(wallet);
  wallet.start();
  await live;
  // What is held is looked at again with the connection, before or after what comes next.
  await eventually(() => looksAtHeldItems(wallet) > looks, "a look at what is held");
  // The first look at the tip wakes whatever waits.
  await eventually(() => clock.isAwaited(POLL_MS), "the first poll");
  const address = addressOf(simulator, OTHER_MNEMONIC, 0);
  simulator.faults.failNext("RequestArkoorCosign", Status.INVALID_ARGUMENT);
  const refused = await wallet.send(address, 1_500n);
  await refused.settled().catch(expectFailure);
  clock.advance(500);
  simulator.faults.failNext("PostArkoorMessage", Status.INTERNAL);
  const delayed = when(
    wallet,
    (event) => event.type === "payment.changed" && event.state === "Delivering" && event.code === null,
  );
  const sent = await wallet.send(address, 1_500n);
  await delayed;
  await eventually(() => clock.isAwaited(RETRY_MS), "a delivery that waits");
  clock.advance(RETRY_MS);
  await sent.settled();
  await lightningLife({ simulator, clock }, wallet);
  clock.advance(500);
  await wallet.stop();
}

/** Payments over Lightning: refused twice, failed, done as a poll finds, done as a notice says, and one that takes too long. */
async function lightningLife({ simulator, clock }: Pick<World, "simulator" | "clock">, wallet: Wallet): Promise<void> {
  const { faults, lightning } = simulator;
  const begin = async () => {
    clock.advance(500);
    const invoice = lightning.invoice({ amountSats: 2_000n });
    lightning.setOutcome("never", invoice.paymentHash);
    return { ...invoice, payment: await wallet.pay(invoice.bolt11) };
  };
  const ended = (payment: Payment) => payment.settled().catch(expectFailure);
  const open = async () => {
    const begun = await begin();
    await eventually(() => clock.isAwaited(PAYMENT_POLL_MS), "a payment that is asked for");
    return begun;
  };

  faults.failNext("RequestLightningPayHtlcCosign", Status.INVALID_ARGUMENT);
  await ended((await begin()).payment);
  faults.failNext("InitiateLightningPayment", Status.INVALID_ARGUMENT);
  faults.failNext("RequestLightningPayHtlcRevocation", Status.INTERNAL);
  await ended((await begin()).payment);
  // A notice and a poll would come in any order.
  faults.lightning.dropNotices = true;
  for (const how of ["failure", "success"] as const) {
    const { payment, paymentHash } = await open();
    lightning.finish(paymentHash, how);
    clock.advance(PAYMENT_POLL_MS);
    await ended(payment);
  }
  faults.lightning.dropNotices = false;
  const noticed = await open();
  lightning.finish(noticed.paymentHash, "success");
  await ended(noticed.payment);
  await eventually(() => wallet.status().openNotices === 0, "a notice that was acted on");

  faults.lightning.dropNotices = true;
  const slow = await open();
  await slow.payment.allowExit();
  const stuck = when(wallet, (event) => event.type === "payment.changed" && event.state === "RevocationStuck");
  simulator.mine(SEND_EXPIRY_BLOCKS);
  clock.advance(PAYMENT_POLL_MS);
  await stuck;
  lightning.finish(slow.paymentHash, "failure");
  await eventually(() => clock.isAwaited(RETRY_MS), "a revocation that waits");
  clock.advance(RETRY_MS);
  await ended(slow.payment);

  // A server that never gives it back: only an exit is left, and the owner makes it elsewhere.
  const lost = await open();
  await lost.payment.allowExit();
  faults.failNext("RequestLightningPayHtlcRevocation", Status.INTERNAL, 1_000);
  const exiting = when(wallet, ({ type }) => type === "exit.required");
  simulator.mine(SEND_EXPIRY_BLOCKS + 11);
  clock.advance(PAYMENT_POLL_MS);
  await exiting;
  await lost.payment.giveUp();
  faults.clear();
}

function looksAtHeldItems(wallet: Wallet): number {
  return wallet.quarantine().reduce((sum, { attempts }) => sum + attempts, 0);
}

function expectFailure(error: unknown): void {
  if (codeOf(error) !== "PAYMENT_FAILED") throw error;
}

/** Fourth epoch, which ends like a process that is killed; in the fifth somebody else answers for the server. */
async function interruptedLife({ simulator, clock, log, options }: World): Promise<void> {
  clock.advance(60_000);
  const opened = await log.open();
  let isKilled = false;
  const append: EventLog["append"] = async (request) => {
    if (isKilled) throw new Error("killed");
    return opened.append(request);
  };
  await using wallet = await Heartwood.openOn(wrapLog(opened, { append }), { ...options, server: "https://moved.example" });
  const live = when(wallet, (event) => event.type === "connection.changed" && event.state === "Live");
  wallet.start();
  await live;
  await eventually(() => simulator.counters().openSubscriptions === 1, "an open subscription");
  isKilled = true;
  await wallet.close();

  clock.advance(60_000);
  await using impostor = await startSimulator({ seed: "impostor", network: "regtest", now: () => clock.nowMs() });
  await using again = await Heartwood.openOn(await log.open(), { ...options, ports: steadyPorts(impostor, clock) });
  await again.sync().catch((error: unknown) => {
    if (codeOf(error) !== "SERVER_KEY_CHANGED") throw error;
  });
}

/** Sixth and seventh epoch: what a salvage adds to what it kept, and a wallet of which a VTXO was spent in the lost records. */
async function salvagedLife({ simulator, clock, log, options }: World): Promise<void> {
  clock.advance(60_000);
  {
    await using kept = await log.open();
    const { seq } = kept.head();
    const note = { keptSeq: seq, lostTo: seq + 3n, damage: ["STORE_BAD_FRAME"], keyGap: 20 };
    await noteSalvage(kept, note, { clock, randomness: defaultPorts.randomness });
  }
  await using wallet = await Heartwood.openOn(await log.open(), options);
  const [spent] = wallet.vtxos();
  simulator.setSpendState(spent?.id ?? "", "spent");
  await wallet.sync();
}

/** Eighth epoch, a month later: what is left is about to expire. */
async function expiringLife({ simulator, clock, log, options }: World): Promise<void> {
  clock.advance(DAY_MS);
  await using wallet = await Heartwood.openOn(await log.open(), options);
  const first = Math.min(...wallet.vtxos().map(({ expiryHeight }) => expiryHeight));
  simulator.mine(first - simulator.chain.tip);
  await wallet.sync();
}

/** Ninth and tenth epoch: payments that come in over Lightning, each with another end. */
async function receivingLife(world: World): Promise<void> {
  const { simulator, clock, log, options } = world;
  const { lightning, faults } = simulator;
  faults.lightning.dropNotices = true;
  let unpaid: Invoice;
  {
    clock.advance(60_000);
    await using wallet = await Heartwood.openOn(await log.open(), { ...options, server: "https://moved.example" });
    const live = when(wallet, (event) => event.type === "connection.changed" && event.state === "Live");
    wallet.start();
    await live;
    await eventually(() => clock.isAwaited(POLL_MS), "the first poll");
    const invoice = async (more: Partial<InvoiceOptions> = {}): Promise<Invoice> => {
      clock.advance(500);
      const made = await wallet.invoice({ amountSats: 10_000n, description: "tea", ...more });
      await eventually(() => clock.isAwaited(RECEIVE_POLL_MS), "a look at the payment");
      return made;
    };
    const pay = ({ bolt11 }: Invoice): void => {
      lightning.pay(bolt11);
      clock.advance(RECEIVE_POLL_MS);
    };
    faults.failNext("StartLightningReceive", Status.INVALID_ARGUMENT);
    await wallet.invoice({ amountSats: 10_000n, description: "tea" }).catch(excuse("INVOICE_FAILED"));

    const given = await invoice();
    await wallet.cancelInvoice(given.paymentHash);
    await given.payment.settled().catch(excuse("PAYMENT_FAILED"));

    faults.lightning.grant = "htlc-delta";
    const inflated = await invoice();
    pay(inflated);
    await inflated.payment.settled().catch(excuse("PAYMENT_FAILED"));
    faults.lightning.grant = null;

    const claimed = await invoice();
    pay(claimed);
    await claimed.payment.settled();
    await eventually(() => wallet.status().openCommands === 0, "the backup");

    faults.failNext("PostArkoorMessage", Status.INTERNAL);
    const forwarded = await invoice({ destination: addressOf(simulator, OTHER_MNEMONIC, 0) });
    pay(forwarded);
    await eventually(() => clock.isAwaited(RETRY_MS) && wallet.status().openCommands === 1, "a delivery that waits");
    clock.advance(RETRY_MS);
    await forwarded.payment.settled();

    faults.failNext("ClaimLightningReceive", Status.INVALID_ARGUMENT, 1_000);
    const stuck = await invoice();
    const parked = when(wallet, (event) => event.type === "payment.changed" && event.state === "PreimageRevealed");
    pay(stuck);
    await parked;
    await eventually(() => simulator.calls("ClaimLightningReceive") === 3, "a claim that is refused");
    const required = when(wallet, ({ type }) => type === "exit.required");
    simulator.mine(25);
    await eventually(() => clock.isAwaited(RETRY_MS), "a look at the deadline");
    clock.advance(RETRY_MS);
    await required;
    simulator.mine(300);
    await wallet.giveUpReceive(stuck.paymentHash);
    await unansweredSend(world, wallet);
    unpaid = await invoice();
    await wallet.stop();
  }
  clock.advance(3 * DAY_MS);
  await using wallet = await Heartwood.openOn(await log.open(), { ...options, server: "https://moved.example" });
  await wallet.sync();
  await wallet.payment(unpaid.payment.id).settled().catch(excuse("PAYMENT_FAILED"));
}

/** A payment to an address that the server does not answer until its input is near its expiry; its owner lets that go. */
async function unansweredSend({ simulator, clock }: World, wallet: Wallet): Promise<void> {
  simulator.faults.failNext("RequestArkoorCosign", Status.UNAVAILABLE, 1_000);
  const payment = await wallet.send(addressOf(simulator, OTHER_MNEMONIC, 0), 1_500n);
  const [input] = wallet.vtxos().filter(({ lockedBy }) => lockedBy === payment.id);
  const expiring = when(wallet, ({ type }) => type === "vtxo.expiring");
  simulator.mine((input?.expiryHeight ?? 0) - simulator.chain.tip - EXIT_BLOCKS);
  clock.advance(POLL_MS);
  await expiring;
  clock.advance(RETRY_MS - POLL_MS);
  await payment.settled().catch(expectFailure);
  clock.advance(500);
  await payment.giveUp();
  simulator.faults.clear();
}

/** Swallows an error of that code. */
function excuse(code: string): (error: unknown) => void {
  return (error) => {
    if (codeOf(error) !== code) throw error;
  };
}

function when(wallet: Wallet, wanted: (event: WalletEvent) => boolean): Promise<WalletEvent> {
  return firstValueFrom(wallet.events$.pipe(filter(wanted), timeout({ first: 20_000 })));
}

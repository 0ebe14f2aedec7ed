import { corruptVtxo, type Simulator } from "heartwood/simulator";
import { plural } from "../format.ts";
import type { Dice } from "./dice.ts";
import type { Narrator } from "./narrator.ts";
import type { Tally } from "./tally.ts";
import type { WalletLine, WalletProcess } from "./wallet-process.ts";

const KILLS = 3;
const BURST = 6;

/** Everything that the story needs. */
export interface Stage {
  readonly simulator: Simulator;
  readonly wallet: WalletProcess;
  readonly narrator: Narrator;
  readonly dice: Dice;
  readonly tally: Tally;
  readonly address: string;
}

/** Payments of every kind, one after the other. */
export async function payments(stage: Stage): Promise<void> {
  const { simulator, narrator, tally, address } = stage;
  narrator.wait("coins are boarded and sent");
  const single = await pay(stage, [21_000n]);
  narrator.done("one VTXO", `+21,000 sat at ${single}`);

  const multi = await pay(stage, [4_000n, 8_000n, 1_200n]);
  narrator.done("three VTXOs in one package", `+13,200 sat at ${multi}, one movement`);

  const [good, forged] = await simulator.createPackage(address, { amountsSats: [5_000n, 9_000n] });
  if (good === undefined || forged === undefined) throw new Error("expected two VTXOs");
  simulator.forgetVtxo(forged.id);
  await send(stage, () => simulator.deliver(address, [corruptVtxo(forged.bytes, "signature"), good]));
  tally.packages++;
  tally.quarantined++;
  tally.balanceSats += 5_000n;
  narrator.done("a forged VTXO beside a good one", "+5,000 sat, the forged one is quarantined with its bytes");

  await send(stage, () => simulator.redeliver(multi));
  narrator.done("the three VTXOs delivered once more", "nothing new, nothing credited");

  await send(stage, () => simulator.deliverUnknown(address));
  narrator.done("a message of an unknown kind", "kept, passed over");
}

/** A package that cannot be decided stops the mailbox until it can. */
export async function halt(stage: Stage): Promise<void> {
  const { simulator, wallet, narrator } = stage;
  const before = stage.tally.checkpoint;
  simulator.chain.setFault("down");
  narrator.say("the chain source is switched off, and 7,000 sat are sent");
  narrator.wait("the wallet asks the chain source, which does not answer");
  const since = wallet.lines.length;
  const applied = pay(stage, [7_000n]);
  applied.catch(() => {}); // awaited below, once the halt was seen
  const halted = await wallet.until("a halt", ({ type }) => type === "package.halted", since);
  narrator.done("the package halts", `${String(halted.code)}; the checkpoint stands at ${before}`);
  simulator.chain.setFault(null);
  narrator.say("the chain source is back");
  narrator.wait("the wallet waits before it connects again");
  const at = await applied;
  const again = wallet.lines.slice(since).filter(({ type }) => type === "package.redelivered").length;
  narrator.done("redelivered and applied once", `+7,000 sat at ${at}, after ${plural(again, "redelivery", "redeliveries")}`);
}

/** The wallet dies in the middle of a burst, and goes on. */
export async function kills(stage: Stage): Promise<void> {
  const { wallet, narrator, dice } = stage;
  for (let kill = 1; kill <= KILLS; kill++) {
    const since = wallet.lines.length;
    const [deadly, delayMs] = [1 + dice.below(BURST - 1), dice.below(60)];
    narrator.wait(`${BURST} payments are being sent`);
    const burst = postBurst(stage);
    burst.catch(() => {}); // awaited below, after the kill
    await wallet.until("payments of the burst", countdown(deadly), since);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await wallet.kill();
    const seen = wallet.lines.slice(since).filter(isPayment).length;
    narrator.done(`SIGKILL ${kill} of ${KILLS}`, `${delayMs} ms after payment ${deadly} of ${BURST} (it had told of ${seen})`);
    narrator.wait("the rest of the burst is sent to a wallet that is not there");
    const last = await burst;
    narrator.wait("the wallet reads its log and catches up");
    wallet.start();
    await wallet.until("the wallet to be live again", ({ type }) => type === "wallet.ready", since);
    await settled(stage, last, since);
    narrator.done("opened again", `caught up to ${last}`);
  }
}

/** Pays and waits until the wallet says so; answers the checkpoint. */
async function pay(stage: Stage, amountsSats: readonly bigint[]): Promise<bigint> {
  const at = await send(stage, async () => (await stage.simulator.pay(stage.address, { amountsSats })).checkpoint);
  credit(stage, amountsSats);
  return at;
}

async function send(stage: Stage, post: () => bigint | null | Promise<bigint | null>): Promise<bigint> {
  const since = stage.wallet.lines.length;
  const at = await posted(stage, post);
  await settled(stage, at, since);
  return at;
}

async function posted({ tally }: Stage, post: () => bigint | null | Promise<bigint | null>): Promise<bigint> {
  const at = await post();
  if (at === null) throw new Error("expected a new message");
  tally.messages++;
  tally.checkpoint = at;
  return at;
}

function credit({ tally }: Stage, amountsSats: readonly bigint[]): void {
  tally.packages++;
  tally.balanceSats += amountsSats.reduce((sum, amount) => sum + amount, 0n);
}

async function postBurst(stage: Stage): Promise<bigint> {
  let last = 0n;
  for (let i = 0; i < BURST; i++) {
    const amountsSats = [BigInt(1_000 + stage.dice.below(9_000))];
    last = await posted(stage, async () => (await stage.simulator.pay(stage.address, { amountsSats })).checkpoint);
    credit(stage, amountsSats);
  }
  return last;
}

/** Waits until the message is decided, now or since a place in the wallet's lines. */
async function settled({ wallet }: Stage, checkpoint: bigint, since: number): Promise<void> {
  const decided = (line: WalletLine): boolean =>
    (line.type === "payment.received" || line.type === "message.ignored") && line.checkpoint === String(checkpoint);
  await wallet.until(`message ${checkpoint} to be decided`, decided, since);
}

function countdown(count: number): (line: WalletLine) => boolean {
  let left = count;
  return (line) => isPayment(line) && --left === 0;
}

function isPayment({ type }: WalletLine): boolean {
  return type === "payment.received";
}

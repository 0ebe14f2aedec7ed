// A wallet on real gRPC and LevelDB that lives steps of a scenario, as its parent tells it over IPC (job.ts), or kills itself
// at a boundary of a call. Says on standard output, in lines, where it dies and what it reached.
import { writeSync } from "node:fs";
import { esplora, Heartwood, type Wallet } from "../../../engine/index.ts";
import { watchCalls } from "./boundaries.ts";
import { type Action, accountOf, type Goal, isReached, type Place, type Said, type Told } from "./job.ts";
import { SEED } from "./keys.ts";
import { PatientClock } from "./patient-clock.ts";

const LOOK_MS = 5;
/** Looks in a row at which nothing happened: then nothing happens but what waits. */
const STILL_LOOKS = 6;
/** A step is over when what the wallet does after such a wait is done too, as reading the mailbox to its end. */
const SHORT_WAIT_MS = 1_500;

const clock = new PatientClock();
let boundaries: string[] = [];
let step: (Told & { readonly tell: "begin" }) | undefined;
let wallet: Wallet | undefined;

const traffic = watchCalls((name) => {
  boundaries.push(name);
  const { diesAt = null, diesAfter = null } = step ?? {};
  if (name !== diesAt && (diesAfter === null || boundaries.length <= diesAfter)) return;
  say({ diesAt: name });
  process.kill(process.pid, "SIGKILL");
});

process.on("message", (told: Told) => {
  follow(told).catch((error) => {
    say({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    process.exit(1);
  });
});

async function follow(told: Told): Promise<void> {
  switch (told.tell) {
    case "begin":
      step = told;
      traffic.recount();
      boundaries = [];
      return say({ begun: true });
    case "live":
      return live(told.action, told.goal);
    case "end":
      await wallet?.close();
      return process.exit(0);
  }
}

async function live(action: Action | null, goal: Goal): Promise<void> {
  if (step === undefined) throw new Error("expected a step that began, got none");
  const open = wallet ?? (await openWallet(step.place));
  const isNew = wallet === undefined;
  wallet = open;
  if (goal.connection === "Live") wallet.start();
  let isActed = action === null;
  let failure: { readonly error: unknown } | undefined;
  if (action !== null)
    act(action, isNew).then(
      () => {
        isActed = true;
      },
      (error) => {
        failure = { error };
      },
    );
  for (let untilMs: number | undefined; ; ) {
    await comesToRest();
    if (failure !== undefined) throw failure.error;
    const isOver = isActed && isReached(wallet.status(), goal) && wallet.payments().length === goal.open;
    untilMs = isOver ? (untilMs ?? clock.passedMs + SHORT_WAIT_MS) : undefined;
    if (!clock.endNext(untilMs) && isOver) break;
  }
  const payments = wallet.payments().map(({ id }) => id);
  say({ reached: { boundaries, payments, account: accountOf(wallet.status()) } });
}

function openWallet({ directory, serverUrl, chainUrl, isRestore }: Place): Promise<Wallet> {
  return Heartwood.open({
    directory,
    seed: () => SEED,
    server: serverUrl,
    chain: esplora(chainUrl, { retries: 0, tipCacheMs: 0 }),
    network: "regtest",
    create: true,
    ...(isRestore ? { restore: true } : {}),
    ports: { clock },
  });
}

/** What the owner asks for, unless a process before this one has it in its log. */
async function act(action: Action, isNew: boolean): Promise<void> {
  const open = wallet as Wallet;
  switch (action.kind) {
    case "stop":
      return open.stop();
    case "sync":
      return void (await open.sync());
    case "reopen":
      if (isNew) return;
      await open.close();
      wallet = await openWallet((step as { readonly place: Place }).place);
      return wallet.start();
    case "send":
    case "pay": {
      const isBegun = open.movements().some(({ sentTo }) => sentTo.some(({ destination }) => destination === action.to));
      if (isBegun || open.payments().length > 0) return;
      await comesLive();
      await (action.kind === "send" ? open.send(action.to, BigInt(action.sats)) : open.pay(action.to));
      return;
    }
    case "invoice":
      await comesLive();
      // What a process before this one began comes to its end first; that may be an invoice or none.
      if (open.payments().length > 0) await comesToRest();
      if (open.payments().length > 0) return;
      await open.invoice({ amountSats: BigInt(action.sats) });
      return;
    case "cancel":
      if (open.payments().length > 0) await open.cancelInvoice(action.paymentHash);
  }
}

async function comesLive(): Promise<void> {
  while (wallet?.status().connection !== "Live") await sleep();
}

/** Ends when nothing happens any more but what waits for time to pass. */
async function comesToRest(): Promise<void> {
  let last = "";
  for (let still = 0; still < STILL_LOOKS; ) {
    await sleep();
    const now = `${traffic.events} ${wallet?.status().records}`;
    still = traffic.open === 0 && now === last ? still + 1 : 0;
    last = now;
  }
}

function sleep(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

function say(what: Said): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

import assert from "node:assert/strict";
import { codeOf } from "../../engine/errors.ts";
import type { Command, Message, OWN, Place, PostedVtxo } from "./commands.ts";
import { compose, packageOf, picked } from "./compose.ts";
import { copyOf } from "./pool.ts";
import type { Run } from "./run.ts";
import type { Entry } from "./scripted-server.ts";

const TIME_SHIFT = 20n;
/** Too far ahead for every clock that a wallet has here. */
const AHEAD_MS = 2n * 365n * 86_400_000n;
/** Together more attempts and more time than a package has that is in its own way, whatever the waits. */
const POISON_ROUNDS = 16;
const POISON_ROUND_MS = 600_000;

/** Longer than a connection that broke takes to be opened again. */
const REOPEN_MS = 5_000;
/** Longer than a wallet takes to look at the tip again. */
const POLL_MS = 31_000;
/** What a sync may answer with while faults are on. */
const EXCUSES = new Set([
  "SERVER_UNREACHABLE",
  "DEADLINE",
  "SERVER_FAILED",
  "SERVER_BUSY",
  "STREAM_RESET",
  "STREAM_ENDED",
  "MAILBOX_STUCK",
  "SESSION_CLOSED",
]);

/**
 * Does one command to a wallet and lets everything settle.
 *
 * @returns the classes that it counts for; none if it made no sense where it came
 */
export async function perform(run: Run, command: Command): Promise<readonly string[]> {
  switch (command.type) {
    case "deliver":
      return deliver(run, command.message, command.place);
    case "backlog":
      return backlog(run, command.messages);
    case "reorder":
      return reorder(run, command.messages);
    case "duplicate":
      return duplicate(run, command.which, command.how);
    case "halt":
      return halt(run, command.message, command.silent);
    case "import":
      return importOne(run, command.vtxo);
    case "poison":
      return poison(run, command.message, command.silent);
    case "fail":
      for (let i = 0; i < command.calls; i++) run.server.faults.push(command);
      return [command.replyLost ? "fail.reply-lost" : "fail.call", ...(command.isForCommand ? ["fail.command"] : [])];
    case "stream-ends":
      if (!run.server.endStreams(command.code)) return [];
      await run.settle();
      return ["stream-ends"];
    case "crash":
      if (command.after === null) await run.crash();
      else run.fate.killAfter(command.after);
      return [command.after === null ? "crash.now" : "crash.armed"];
    case "clock":
      run.clock.skewMs = command.to === "1970" ? -run.clock.trueMs : command.to;
      await run.settle();
      return [`clock.${command.to === "1970" || command.to < 0 ? "behind" : command.to === 0 ? "right" : "ahead"}`];
    case "advance":
      await run.advance(command.ms);
      return ["advance"];
    case "chain":
      run.chain.state = command.state;
      return [`chain.${command.state}`];
    case "server":
      run.server.isUp = command.up;
      if (!command.up) run.server.disconnect();
      await run.settle();
      return [`server.${command.up ? "up" : "down"}`];
    default:
      return own(run, command.type);
  }
}

/** The position that an honest server gives the next message. */
function nextCheckpoint(run: Run): bigint {
  const now = BigInt(run.clock.trueMs) << TIME_SHIFT;
  const last = run.honest + 1n;
  run.honest = last > now ? last : now;
  return run.honest;
}

async function deliver(run: Run, message: Message, place: Place): Promise<readonly string[]> {
  const checkpoint = placed(run, place);
  if (checkpoint === undefined) return [];
  const entry = compose(run.pool, run.posted, message, checkpoint);
  run.posted.push(entry);
  // Two messages of one mailbox never share a place, and nothing is put in before what was read: streams only.
  const isKept = place === "next" || place === "ahead" || (place === "huge" && checkpoint < 2n ** 63n);
  if (isKept) run.server.keep(entry);
  else run.hidden.add(entry);
  run.server.emit(entry);
  await run.settle();
  return [place === "next" ? `deliver.${message.kind}` : `place.${place}`, ...labels(run, message)];
}

async function backlog(run: Run, messages: readonly Message[]): Promise<readonly string[]> {
  await run.wait(run.wallet.stop());
  for (const message of messages) await deliver(run, message, "next");
  await sync(run);
  if (run.setup.live) await own(run, "start");
  return ["backlog", ...messages.flatMap((message) => labels(run, message))];
}

async function reorder(run: Run, messages: readonly [Message, Message]): Promise<readonly string[]> {
  const entries = messages.map((message) => {
    const entry = compose(run.pool, run.posted, message, nextCheckpoint(run));
    run.posted.push(entry);
    run.server.keep(entry);
    return entry;
  });
  for (const entry of entries.slice(0, 1)) run.hidden.add(entry);
  for (const entry of entries.reverse()) run.server.emit(entry);
  await run.settle();
  return ["reorder", ...messages.flatMap((message) => labels(run, message))];
}

async function duplicate(run: Run, which: number, how: "stream" | "repost"): Promise<readonly string[]> {
  const entry = run.posted[which % run.posted.length];
  if (entry === undefined) return [];
  if (how === "stream") {
    if (!run.server.emit(entry)) return [];
  } else {
    if (entry.vtxos === undefined) return [];
    const again = packageOf(entry.vtxos, nextCheckpoint(run));
    run.posted.push(again);
    run.server.keep(again);
    run.server.emit(again);
  }
  await run.settle();
  return [`duplicate.${how}`];
}

/** A package comes while somebody who has to answer does not; later that passes. */
async function halt(run: Run, message: Message, silent: "chain" | "server"): Promise<readonly string[]> {
  const { halts } = run.wallet.status().counters;
  if (silent === "chain") run.chain.state = "down";
  else run.server.isMute = true;
  await deliver(run, message, "next");
  if (run.wallet.status().connection === "Stopped") await sync(run);
  if (silent === "chain") run.chain.state = "up";
  else run.server.isMute = false;
  return ["halt", ...(run.wallet.status().counters.halts > halts ? ["halt.seen"] : []), ...labels(run, message)];
}

/** What the owner brought before a crash need not be durable; what he got an answer about is. */
async function importOne(run: Run, posted: PostedVtxo): Promise<readonly string[]> {
  const bytes = copyOf(picked(run.pool, posted), posted.copy);
  run.imported.push(bytes);
  const outcome = await run.wait(run.wallet.importVtxo(bytes));
  assert.ok(outcome === undefined || "value" in outcome, "an import is answered");
  return ["import", `copy.${posted.copy}`];
}

/** One VTXO of a package is in the way for hours; if all else is well, the mailbox goes on without it. */
async function poison(run: Run, message: Message, silent: "chain" | "server"): Promise<readonly string[]> {
  if (message.kind !== "package" || message.vtxos[0] === undefined) return [];
  const { id, anchorTxid } = picked(run.pool, message.vtxos[0]);
  const { halts } = run.wallet.status().counters;
  run.chain.poisoned.clear();
  run.server.poisoned.clear();
  if (silent === "chain") run.chain.poisoned.add(anchorTxid);
  else run.server.poisoned.add(id);
  await deliver(run, message, "next");
  const syncIfStopped = async () => void (run.wallet.status().connection === "Stopped" && (await sync(run)));
  await syncIfStopped();
  // Other copies of it may stand in packages before, each with its own limit.
  const rounds = POISON_ROUNDS * (1 + run.ledger.undecided().length + unseen(run).length);
  for (let i = 0; i < rounds && run.wallet.status().halted !== null; i++) {
    await run.advance(POISON_ROUND_MS);
    await syncIfStopped();
  }
  const isWell = run.server.isUp && run.chain.state === "up" && run.server.faults.length === 0;
  assert.ok(!isWell || run.wallet.status().halted === null, "the mailbox goes on without what is in its way");
  return ["halt", ...(run.wallet.status().counters.halts > halts ? ["halt.for-hours"] : []), ...labels(run, message)];
}

type Own = Extract<Command, { readonly type: (typeof OWN)[number] }>["type"];

async function own(run: Run, type: Own): Promise<readonly string[]> {
  switch (type) {
    case "reopen":
      await run.reopen();
      break;
    case "mine":
      run.chain.tipHeight++;
      break;
    case "confirm":
      run.chain.confirmed = true;
      run.chain.tipHeight++;
      break;
    case "reorganize":
      run.chain.confirmed = false;
      run.chain.tipHeight--;
      break;
    case "outrun":
      return outrun(run);
    case "syncs":
      await Promise.all([sync(run, false), sync(run, false), sync(run, false)]);
      break;
    case "learn":
      run.server.learned = true;
      break;
    case "sync":
      await sync(run);
      break;
    case "start":
      run.wallet.start();
      await run.settle();
      break;
    case "stop":
      await run.wait(run.wallet.stop());
      break;
    case "address":
      await issueAddress(run);
      break;
  }
  return [type];
}

/** A wallet that follows the chain sees within half a minute that anchors of its VTXOs are in no block any more. */
async function outrun(run: Run): Promise<readonly string[]> {
  const { fate } = run;
  const isFollowing = () => run.fate === fate && run.wallet.status().connection === "Live" && run.chain.state === "up";
  const wasFollowing = isFollowing();
  run.chain.outrun();
  await run.advance(POLL_MS);
  const left = run.wallet.vtxos().filter(({ id }) => run.pool.vtxos.some((one) => one.id === id && one.role === "unconfirmed"));
  if (!wasFollowing || !isFollowing() || left.length === 0) return ["outrun"];
  for (const { id, state } of left) assert.notEqual(state, "spendable", `${id} is not spendable without its anchor`);
  return ["outrun", "outrun.seen"];
}

/** @param isAlone whether no other sync goes on beside it */
async function sync(run: Run, isAlone = true): Promise<void> {
  const { checkpoint: before, connection } = run.wallet.status();
  // Beside a running wallet it may wait until a good connection that broke is opened again.
  const outcome = await run.wait(run.wallet.sync(), connection === "Stopped" ? 0 : REOPEN_MS);
  if (outcome === undefined) return;
  if ("error" in outcome) {
    assert.ok(EXCUSES.has(codeOf(outcome.error)), `a sync failed: ${outcome.error}`);
    return;
  }
  const { halted, caughtUp, checkpoint } = outcome.value;
  assert.equal(caughtUp, halted === null, "a sync reads to the end or says what stopped it");
  // Beside others it ends before they do.
  const isLast = isAlone && connection === "Stopped";
  assert.ok(isLast ? checkpoint === run.wallet.checkpoint() : checkpoint <= run.wallet.checkpoint());
  const left = unseen(run).filter((entry) => run.server.mailbox.includes(entry) && entry.checkpoint > before);
  assert.ok(!caughtUp || left.length === 0, "a sync that read to the end left nothing");
  if (halted !== null && isLast) assert.deepEqual(run.wallet.status().halted, halted);
}

async function issueAddress(run: Run): Promise<void> {
  const isPinned = run.wallet.status().serverPubkey !== null;
  const outcome = await run.wait(run.wallet.address({ fresh: true }));
  if (outcome === undefined) return;
  if ("error" in outcome) assert.ok(!isPinned && codeOf(outcome.error) === "SERVER_NOT_SEEN", `no address: ${outcome.error}`);
  else run.noteIssued();
}

function placed(run: Run, place: Place): bigint | undefined {
  const last = run.posted.findLast(({ checkpoint }) => checkpoint <= run.honest)?.checkpoint;
  switch (place) {
    case "next":
      return nextCheckpoint(run);
    case "equal":
      return last;
    case "lower":
      return last === undefined ? undefined : last - 1_000n;
    case "ahead":
      return ((BigInt(run.clock.trueMs) + AHEAD_MS) << TIME_SHIFT) + BigInt(run.posted.length);
    case "huge":
      return ([2n ** 62n, 2n ** 63n, 2n ** 64n - 100n][run.posted.length % 3] ?? 0n) + BigInt(run.posted.length);
  }
}

/** Classes of what a message brings. */
function labels(run: Run, message: Message): string[] {
  const found = new Set<string>();
  const vtxos = message.kind === "package" ? message.vtxos : message.kind === "twice" ? [message.vtxo] : [];
  if (vtxos.length > 1) found.add("package.several");
  for (const vtxo of vtxos) {
    found.add(`role.${picked(run.pool, vtxo).role}`);
    found.add(`copy.${vtxo.copy}`);
  }
  return [...found];
}

/** Messages that the wallet never saw, because the server told lies about their order. */
export function unseen(run: Run): Entry[] {
  const { received } = run.ledger;
  return run.posted.filter(({ raw }) => !received.has(run.digest(raw)));
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Attack, attacks } from "./hostile-server/attacks.ts";
import { Child } from "./hostile-server/child.ts";
import { MemoryWatch } from "./hostile-server/memory.ts";
import type { ServerAbilities } from "./hostile-server/server.ts";
import type { WalletAbilities, WalletReport } from "./hostile-server/wallet.ts";
import type { Lane, LaneRun } from "./lane.ts";
import { Random } from "./random.ts";
import { withScratch } from "./scratch.ts";

const MIB = 1024 * 1024;
const BEFORE_SATS = 70_001n;
const AFTER_SATS = 70_002n;
/** A connection whose pings nobody answers for 20 s is dead: the engine never works on one thing for nearly as long. */
const LONGEST_STALL_MS = 5_000;
const LONGEST_ABSENCE_MS = 20_000;
const POLL_MS = 50;
/** Waits after failures are ended by hand, as an impatient owner does. */
const NUDGE_MS = 500;
/** For what hangs: a flood takes half a minute where others have the processor as well. */
const PATIENCE_MS = 240_000;

interface Server {
  readonly process: Child<ServerAbilities>;
  readonly server: string;
  readonly chain: string;
}

type Wallet = Child<WalletAbilities>;

/**
 * A wallet in a process of its own against a server that does its worst: it lives, honest payments before and after are
 * credited exactly once, memory, stalls and log stay within their ceilings.
 */
export const hostileServer: Lane = {
  name: "hostile-server",
  unit: "attacks",
  counts: { ci: attacks.length, soak: 10 * attacks.length, test: 1 },
  shards: 1,
  leastPercent: {},
  async run(run) {
    let server: Server | undefined;
    try {
      for (const index of run.cases()) {
        const number = index % attacks.length;
        const attack = attacks[number];
        assert.ok(attack !== undefined);
        server ??= await startServer(`${run.seed} ${index}`);
        await suffer(attack, number, server, run, new Random(run.seed, index + 1));
        // One that changed its keys is no use to the next wallet.
        if (attack.isFinal === true) {
          await server.process[Symbol.asyncDispose]();
          server = undefined;
        }
      }
    } finally {
      await server?.process[Symbol.asyncDispose]();
    }
  },
};

async function startServer(seed: string): Promise<Server> {
  const child = new Child<ServerAbilities>("hostile-server/server.js");
  return { process: child, ...(await child.ask("start", seed)) };
}

async function suffer(attack: Attack, number: number, server: Server, run: LaneRun, random: Random): Promise<void> {
  await withScratch(async (scratch) => {
    await using wallet = new Child<WalletAbilities>("hostile-server/wallet.js");
    const seed = Uint8Array.from({ length: 64 }, () => random.below(256));
    const place = { server: server.server, chain: server.chain };
    const address = await wallet.ask("open", { directory: join(scratch, "wallet"), seed, ...place });
    await wallet.ask("start", undefined);
    await server.process.ask("pay", { address, sats: BEFORE_SATS });
    const isReady = ({ totalSats, connection }: WalletReport): boolean => totalSats === BEFORE_SATS && connection === "Live";
    const before = await until(wallet, attack, "the payment before", isReady);
    await server.process.ask("awaitStream", undefined);
    if (attack.whileAway === true) await wallet.ask("stop", undefined);
    await wallet.ask("reset", undefined);

    using memory = new MemoryWatch(wallet.pid);
    const baseBytes = memory.peakBytes;
    const startedMs = performance.now();
    const credits = await server.process.ask("attack", { number, address });
    if (attack.whileAway === true) await wallet.ask("start", undefined);
    const after =
      attack.isFinal === true ? await refused(wallet, attack) : await paidAfter(wallet, attack, server, address, credits);

    const grownBytes = memory.peakBytes - baseBytes;
    const seconds = (performance.now() - startedMs) / 1_000;
    const written = after.directoryBytes - before.directoryBytes;
    const figures = `${attack.name}: memory +${mib(grownBytes)} MiB of ${attack.memoryMiB}, longest stall ${Math.round(after.stallMs)} ms of work and ${Math.round(after.absentMs)} ms by the clock, directory +${mib(written)} MiB of ${attack.directoryMiB}, ${after.messages} messages, ${after.held} held, ${seconds.toFixed(1)} s`;
    run.note(figures);
    checkBooks(after, credits, attack);
    assert.ok(grownBytes <= attack.memoryMiB * MIB, `too much memory: ${figures}`);
    assert.ok(written <= attack.directoryMiB * MIB, `too much on disk: ${figures}`);
    assert.ok(after.stallMs <= LONGEST_STALL_MS, `too long a stall: ${figures}`);
    assert.ok(after.absentMs <= LONGEST_ABSENCE_MS, `too long a stall by the clock: ${figures}`);
    assert.equal(after.unsafeLines, 0, `what the wallet logs is safe for a terminal: ${attack.name}`);
    await wallet.ask("close", undefined);
  });
}

/** An honest payment behind the attack arrives: during it, or at the latest once the server is honest again. */
async function paidAfter(
  wallet: Wallet,
  attack: Attack,
  server: Server,
  address: string,
  credits: bigint,
): Promise<WalletReport> {
  if (attack.code !== undefined) {
    await until(wallet, attack, `a connection that ends with ${attack.code}`, ({ codes }) => codes.includes(attack.code ?? ""));
    await server.process.ask("heal", undefined);
  }
  await server.process.ask("pay", { address, sats: AFTER_SATS });
  if (attack.needsSync === true) {
    await until(wallet, attack, "a stream that is open", ({ connection }) => connection === "Live");
    assert.equal(await wallet.ask("sync", undefined), null, `a sync beside: ${attack.name}`);
  }
  const report = await until(
    wallet,
    attack,
    "the payment after",
    ({ totalSats }) => totalSats === BEFORE_SATS + credits + AFTER_SATS,
  );
  await server.process.ask("heal", undefined);
  return report;
}

async function refused(wallet: Wallet, attack: Attack): Promise<WalletReport> {
  const isRefused = ({ connection, codes }: WalletReport): boolean => connection === "Stopped" && codes.at(-1) === attack.code;
  return until(wallet, attack, `a wallet that refuses with ${attack.code}`, isRefused);
}

async function until(
  wallet: Wallet,
  attack: Attack,
  what: string,
  holds: (report: WalletReport) => boolean,
): Promise<WalletReport> {
  const deadline = performance.now() + PATIENCE_MS;
  let nudgeAt = performance.now() + NUDGE_MS;
  for (;;) {
    const report = await wallet.ask("report", undefined);
    if (holds(report)) return report;
    const { movements: _, ...short } = report;
    assert.ok(performance.now() < deadline, `${attack.name}: expected ${what}, got ${describe(short)}`);
    const waits = report.connection === "BackingOff" || report.connection === "CoolingDown";
    if (waits && performance.now() >= nudgeAt) {
      nudgeAt = performance.now() + NUDGE_MS;
      await wallet.ask("start", undefined);
    }
    await sleep(POLL_MS);
  }
}

function checkBooks({ movements, totalSats }: WalletReport, credits: bigint, attack: Attack): void {
  const expected = [BEFORE_SATS, credits, attack.isFinal === true ? 0n : AFTER_SATS].filter((sats) => sats > 0n);
  const got = movements.map(({ sats }) => sats);
  assert.deepEqual(got.toSorted(compare), expected.toSorted(compare), `each payment once: ${attack.name}`);
  assert.equal(
    totalSats,
    expected.reduce((sum, sats) => sum + sats, 0n),
    attack.name,
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : 1;
}

function describe(report: object): string {
  return JSON.stringify(report, (_, value) => (typeof value === "bigint" ? String(value) : value));
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

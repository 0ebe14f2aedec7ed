// The engine under attack, in a process of its own: node wallet.js, asked through its parent.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Heartwood, type Wallet } from "../../../engine/index.ts";
import { serve } from "./child.ts";

const TICK_MS = 10;
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Where a wallet is to live. */
export interface Opening {
  readonly directory: string;
  /** 64 bytes. */
  readonly seed: Uint8Array;
  readonly server: string;
  readonly chain: string;
}

/** How a wallet is. */
export interface WalletReport {
  readonly connection: string;
  /** Codes with which connections ended so far. */
  readonly codes: readonly string[];
  readonly totalSats: bigint;
  readonly movements: readonly { readonly id: string; readonly sats: bigint }[];
  readonly held: number;
  readonly messages: number;
  readonly checkpoint: bigint;
  /** Longest work behind which nothing else had its turn, since the last report was reset. */
  readonly stallMs: number;
  /** The same by the clock: longer where others have the processor as well. */
  readonly absentMs: number;
  readonly directoryBytes: number;
  /** Lines for the log of the application that hold what a terminal would obey. */
  readonly unsafeLines: number;
}

let wallet: Wallet | undefined;
let directory = "";
let stallMs = 0;
let absentMs = 0;
let unsafeLines = 0;
const codes: string[] = [];

let lastTick = performance.now();
let lastWork = process.cpuUsage();
setInterval(() => {
  const now = performance.now();
  const { user, system } = process.cpuUsage(lastWork);
  const waitedMs = now - lastTick - TICK_MS;
  absentMs = Math.max(absentMs, waitedMs);
  // While others have the processor it does not work.
  stallMs = Math.max(stallMs, Math.min(waitedMs, (user + system) / 1_000));
  [lastTick, lastWork] = [now, process.cpuUsage()];
}, TICK_MS);

const abilities = {
  async open(opening: Opening): Promise<string> {
    directory = opening.directory;
    wallet = await Heartwood.open({
      directory,
      create: true,
      seed: () => opening.seed,
      server: opening.server,
      chain: opening.chain,
      network: "regtest",
      ports: {
        logger: (_, message, details) =>
          note(
            `${message} ${Object.values(details ?? {})
              .map(String)
              .join(" ")}`,
          ),
      },
    });
    wallet.events$.subscribe({
      next: (event) => {
        if (event.type === "connection.changed" && event.code !== null) codes.push(event.code);
      },
      error: () => {},
    });
    await wallet.sync();
    return wallet.address();
  },

  async start(): Promise<void> {
    open().start();
  },

  async stop(): Promise<void> {
    await open().stop();
  },

  /** One sync; the code with which it failed, or null. */
  async sync(): Promise<string | null> {
    try {
      await open().sync();
      return null;
    } catch (error) {
      return error instanceof Error && "code" in error ? String(error.code) : String(error);
    }
  },

  /** From now on stalls and memory count. */
  async reset(): Promise<void> {
    globalThis.gc?.();
    [stallMs, absentMs] = [0, 0];
  },

  async report(): Promise<WalletReport> {
    const { connection, counters, checkpoint, balance, movements, quarantine } = open().status();
    return {
      connection,
      codes,
      totalSats: balance.totalSats,
      movements: movements.map(({ id, effectiveBalanceSats }) => ({ id, sats: effectiveBalanceSats })),
      held: quarantine.length,
      messages: counters.messages,
      checkpoint,
      stallMs,
      absentMs,
      directoryBytes: await sizeOf(directory),
      unsafeLines,
    };
  },

  async close(): Promise<void> {
    await wallet?.close();
  },
};

/** What the process can be asked for. */
export type WalletAbilities = typeof abilities;

serve(abilities);

function open(): Wallet {
  if (wallet === undefined) throw new Error("expected an open wallet, got none");
  return wallet;
}

function note(line: string): void {
  if (UNSAFE.test(line)) unsafeLines++;
}

async function sizeOf(path: string): Promise<number> {
  let bytes = 0;
  for (const { name, parentPath } of await readdir(path, { recursive: true, withFileTypes: true })) {
    // Files come and go while a log is open.
    const file = await stat(join(parentPath, name)).catch(() => undefined);
    if (file?.isFile()) bytes += file.size;
  }
  return bytes;
}

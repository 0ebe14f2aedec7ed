import { packageOf } from "../../../property-tests/deliveries/compose.ts";
import type { Entry } from "../../../property-tests/deliveries/scripted-server.ts";
import type { GrowingWallet, Written } from "./world.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const CHECKPOINT = 5n;
const ENTRIES = 100;

/** Nothing is posted: the tip is asked for twice a minute. */
export function idle(world: GrowingWallet, ms: number): Promise<Written> {
  return world.written(() => world.advance(ms));
}

/** The server is gone. */
export function offline(world: GrowingWallet, ms: number): Promise<Written> {
  return world.written(async () => {
    world.server.isUp = false;
    world.server.disconnect();
    await world.advance(ms);
  });
}

/** The stream breaks every minute, and the server can be reached at once. */
export function breaking(world: GrowingWallet, ms: number): Promise<Written> {
  return world.written(async () => {
    for (let passed = 0; passed < ms; passed += MINUTE_MS) {
      await world.advance(MINUTE_MS);
      if (!world.server.endStreams("STREAM_RESET")) throw new Error("expected an open stream, got none");
    }
    await world.advance(MINUTE_MS);
  });
}

/** A package of so many bytes arrives while the chain source is away, and is delivered again after each wait. */
export function halted(world: GrowingWallet, ms: number, packageBytes: number): Promise<Written> {
  return world.written(async () => {
    world.chain.state = "down";
    const vtxos = Array.from({ length: ENTRIES }, (_, index) => new Uint8Array(packageBytes / ENTRIES).fill(index));
    post(world, packageOf(vtxos, CHECKPOINT));
    await world.advance(ms);
    if (world.wallet.status().halted?.checkpoint !== CHECKPOINT) throw new Error("expected a halted wallet, got another");
  });
}

/** A package with the VTXOs of the pool arrives and is credited. */
export function received(world: GrowingWallet): Promise<Written> {
  return world.written(async () => {
    post(world, wholePool(world));
    await world.advance(MINUTE_MS);
    if (world.wallet.vtxos().length !== world.pool.vtxos.length) throw new Error("expected a credited package, got none");
  });
}

/** A package that was credited is delivered again and again. */
export async function redelivered(world: GrowingWallet, times: number): Promise<Written> {
  await received(world);
  const entry = wholePool(world);
  return world.written(async () => {
    for (let count = 0; count < times; count++) {
      // After some of them the wallet drops the connection (mailbox.md W-46), and opens it again.
      while (!world.server.emit(entry)) await world.advance(MINUTE_MS);
      await world.settle();
    }
  });
}

function wholePool({ pool }: GrowingWallet): Entry {
  const vtxos = pool.vtxos.map(({ bytes }) => bytes);
  return packageOf(vtxos, CHECKPOINT);
}

function post({ server }: GrowingWallet, entry: Entry): void {
  server.keep(entry);
  server.emit(entry);
}

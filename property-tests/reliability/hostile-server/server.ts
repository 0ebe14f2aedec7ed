// The simulator as a hostile server, in a process of its own: node server.js, asked through its parent.
import { setTimeout as sleep } from "node:timers/promises";
import { type Simulator, startSimulator } from "../../../simulator/index.ts";
import { attacks, EVIL_ANNOUNCEMENT } from "./attacks.ts";
import { serve } from "./child.ts";

const POLL_MS = 20;

let simulator: Simulator | undefined;

const abilities = {
  async start(seed: string): Promise<{ readonly server: string; readonly chain: string }> {
    simulator = await startSimulator({ seed, psa: EVIL_ANNOUNCEMENT });
    return { server: simulator.serverUrl, chain: simulator.chainUrl };
  },

  async pay({ address, sats }: { readonly address: string; readonly sats: bigint }): Promise<void> {
    await running().pay(address, { amountsSats: [sats] });
  },

  /** Resolves when a subscription is open, so that there is one to be cut. */
  async awaitStream(): Promise<void> {
    while (running().counters().openSubscriptions === 0) await sleep(POLL_MS);
  },

  /** Begins an attack by its number; the sats that it credits. */
  async attack({ number, address }: { readonly number: number; readonly address: string }): Promise<bigint> {
    const attack = attacks[number];
    if (attack === undefined) throw new Error(`expected one of ${attacks.length} attacks, got ${number}`);
    return attack.begin(running(), address);
  },

  /** Becomes honest again; what was delivered stays. */
  async heal(): Promise<void> {
    running().faults.clear();
  },
};

/** What the process can be asked for. */
export type ServerAbilities = typeof abilities;

serve(abilities);

function running(): Simulator {
  if (simulator === undefined) throw new Error("expected a simulator, got none yet");
  return simulator;
}

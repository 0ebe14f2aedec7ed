import assert from "node:assert/strict";
import { join } from "node:path";
import { Heartwood, type WalletStatus } from "../../../engine/index.ts";
import { type Simulator, startSimulator } from "../../../simulator/index.ts";
import type { Place, Reached, Told } from "./job.ts";
import { goalOf, type Step, steps } from "./steps.ts";
import { WalletProgram } from "./wallet-program.ts";

/** Where the processes of one life of the scenario die. */
export interface Fate {
  /**
   * The boundary of a step at which the process dies that has come to that step; null for none. A step that begins with the
   * seed alone is lived once for each, and no step where there is nothing.
   */
  deathsIn(step: number): readonly (string | null)[];
  /** After how many boundaries the process after a dead one dies too; null for none. */
  nextDeath(): number | null;
  /** Told of each death, of a process that has come to the step or of one that goes on after such a death. */
  onDeath(step: number, boundary: string, isAgain: boolean): void;
  /** Told how each step came out. */
  onReached(step: number, reached: Reached): void;
}

/** Lives the scenario with a wallet, one process after the other, and checks what came of it. */
export async function liveScenario(directory: string, seed: number, fate: Fate): Promise<void> {
  await using simulator = await startSimulator({ seed: `kills ${seed}`, network: "regtest" });
  const life = new Life(directory, simulator, fate);
  try {
    for (const number of steps.keys()) for (const death of fate.deathsIn(number)) await life.take(number, death);
    await life.end();
  } finally {
    life.program?.kill();
  }
}

type Living = Extract<Told, { readonly tell: "live" }>;

class Life {
  program: WalletProgram | undefined;
  readonly #directory: string;
  readonly #simulator: Simulator;
  readonly #fate: Fate;
  #place: Place | undefined;
  #restored = 0;
  #before = { totalSats: 0, held: 0 };
  /** Hash of the payment that is open. */
  #payment: string | undefined;

  constructor(directory: string, simulator: Simulator, fate: Fate) {
    this.#directory = directory;
    this.#simulator = simulator;
    this.#fate = fate;
  }

  /** Lives a step, and dies in it where it is told to. */
  async take(number: number, diesAt: string | null): Promise<void> {
    const step = steps[number] as Step;
    if (step.isRestore) await this.end();
    this.#place = this.#placeOf(step);
    this.program ??= new WalletProgram();
    await this.program.ask({ tell: "begin", place: this.#place, diesAt, diesAfter: null });
    const action = (await step.begin?.(this.#simulator, this.#payment)) ?? null;
    const goal = goalOf(this.#simulator, step, this.#before);
    let reached = await this.#live(number, { tell: "live", action, goal }, false);
    // A process that died has others after it.
    for (let next: number | null = this.#fate.nextDeath(); reached === undefined; next = null) {
      this.program = new WalletProgram();
      await this.program.ask({ tell: "begin", place: this.#place, diesAt: null, diesAfter: next });
      reached = await this.#live(number, { tell: "live", action, goal }, true);
    }
    const { account, payments } = reached;
    this.#before = { totalSats: Number(account.totalSats), held: account.held.length };
    this.#payment = payments[0]?.split("/")[1];
    this.#simulator.faults.clear();
    this.#fate.onReached(number, reached);
  }

  /** Ends the process in order, and reads what it left. */
  async end(): Promise<void> {
    await this.program?.end();
    this.program = undefined;
    if (this.#place !== undefined) checkMoney(await Heartwood.read(this.#place.directory), this.#simulator);
  }

  async #live(number: number, told: Living, isAgain: boolean): Promise<Reached | undefined> {
    const said = await this.program?.ask(told);
    if (said !== undefined && "reached" in said) return said.reached;
    assert.ok(
      said !== undefined && "diesAt" in said,
      `${steps[number]?.name}: expected a death or the end, got ${JSON.stringify(said)}`,
    );
    this.#fate.onDeath(number, said.diesAt, isAgain);
    return undefined;
  }

  #placeOf(step: Step): Place {
    const isRestore = step.isRestore === true;
    const { serverUrl, chainUrl } = this.#simulator;
    const name = isRestore ? `restored ${++this.#restored}` : "wallet";
    return { directory: join(this.#directory, name), serverUrl, chainUrl, isRestore };
  }
}

/** What the wallet has is what the server says that it has, and its books add up. */
function checkMoney({ balance, movements, vtxos }: WalletStatus, simulator: Simulator): void {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  assert.equal(sum(movements.map(({ effectiveBalanceSats }) => effectiveBalanceSats)), balance.totalSats);
  assert.equal(sum(vtxos.map(({ amountSats }) => amountSats)), balance.totalSats);
  for (const { id } of vtxos) assert.equal(simulator.vtxo(id)?.state, "spendable", `${id} is spendable at the server`);
  for (const { id } of vtxos) assert.ok(simulator.recoveryIds().includes(id), `${id} is backed up`);
  const succeeded = simulator.lightning.payments().filter(({ status }) => status === "succeeded");
  const hashes = succeeded.map(({ paymentHash }) => paymentHash);
  assert.equal(new Set(hashes).size, hashes.length, "no invoice is paid twice");
}

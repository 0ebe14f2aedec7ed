import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Heartwood } from "heartwood";
import { type Simulator, startSimulator } from "heartwood/simulator";
import { Status } from "nice-grpc-common";
import { filter, firstValueFrom } from "rxjs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CliError } from "../../cli/errors.ts";
import { connect } from "../../cli/live-wallet.ts";
import { waitForPayment } from "../../cli/payment-wait.ts";
import { Progress } from "../../cli/progress.ts";
import { Running, run, runHere } from "./heartwood.ts";

const WORDS = `${"abandon ".repeat(11)}about`;
const OTHER_WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow";

let simulator: Simulator;
let home: string;
beforeEach(async () => {
  simulator = await startSimulator({ seed: "cli" });
  home = mkdtempSync(join(tmpdir(), "heartwood-cli-"));
});
afterEach(async () => {
  await simulator.stop();
  rmSync(home, { recursive: true });
});

/** Makes a wallet, and the words that name it on a command line. */
async function wallet(name: string, words: string): Promise<{ directory: string; address: string; keys: string[] }> {
  const directory = join(home, name);
  const file = join(home, `${name}.words`);
  writeFileSync(file, `${words}\n`, { mode: 0o600 });
  const place = { server: simulator.serverUrl, chain: simulator.chainUrl, network: "regtest" as const };
  await using made = await Heartwood.open({ directory, create: true, mnemonic: () => words, ...place });
  await made.sync();
  return { directory, address: await made.address(), keys: ["--mnemonic-file", file] };
}

it("send pays another wallet; balance, history and address tell of it, with and without --json", async () => {
  const [mine, other] = [await wallet("mine", WORDS), await wallet("other", OTHER_WORDS)];
  await simulator.pay(mine.address, { amountsSats: [10_000n] });
  const sent = await run(["send", mine.directory, other.address, "4000", ...mine.keys, "--json"]);
  expect([sent.code, sent.stderr]).toEqual([0, expect.stringContaining("paying")]);
  expect(JSON.parse(sent.stdout)).toMatchObject({
    type: "payment.settled",
    movement: {
      status: "successful",
      effectiveBalanceSats: "-4000",
      sentTo: [{ destination: other.address, amountSats: "4000" }],
    },
    balance: { totalSats: "6000", spendableSats: "6000", lockedSats: "0" },
  });

  const balance = await runHere(["balance", mine.directory]);
  expect([balance.code, balance.stdout]).toEqual([0, "total      6,000 sat\nspendable  6,000 sat\n"]);
  const history = await runHere(["history", mine.directory]);
  expect(history.stdout).toMatch(
    /^time +change .*\n.* \+10,000 sat .*receive .*\n.* -4,000 sat .*bark\.arkoor send +successful +arkoor_send\./,
  );
  const lines = (await runHere(["history", mine.directory, "--json"])).stdout.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).effectiveBalanceSats)).toEqual(["10000", "-4000"]);
  const shown = await runHere(["address", other.directory, ...other.keys]);
  expect(shown.stdout).toBe(`${other.address}\n`);
  const fresh = await runHere(["address", other.directory, ...other.keys, "--fresh", "--json"]);
  expect(JSON.parse(fresh.stdout).address).not.toBe(other.address);
});

it("quote says what a Lightning payment takes, pay pays it and shows the proof, and neither pays it twice", async () => {
  const mine = await wallet("mine", WORDS);
  await simulator.pay(mine.address, { amountsSats: [10_000n] });
  const { bolt11, preimage } = simulator.lightning.invoice({ amountSats: 4_000n, description: "tea\u0007" });
  const uri = `bitcoin:BCRT1Q?amount=0.00004&lightning=${bolt11.toUpperCase()}`;
  const quoted = await runHere(["quote", mine.directory, uri, ...mine.keys]);
  expect([quoted.code, quoted.stdout]).toEqual([
    0,
    expect.stringMatching(/^amount +4,000 sat\nfee +\d+ sat\n[\s\S]*tea\\u\{7\}/),
  ]);
  const onChain = await runHere(["pay", mine.directory, "bitcoin:bcrt1q?amount=1", ...mine.keys]);
  expect(onChain.stderr).toMatch(/BAD_INVOICE: .* Lightning invoice, got one without: give its invoice alone\n$/);
  const paid = await run(["pay", mine.directory, uri, ...mine.keys, "--json"]);
  const proof = Buffer.from(preimage ?? []).toString("hex");
  expect(JSON.parse(paid.stdout)).toMatchObject({ type: "payment.settled", preimage: proof, movement: { status: "successful" } });
  const again = await runHere(["pay", mine.directory, bolt11, ...mine.keys, "--json"]);
  expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([1, "INVOICE_PAID"]);
  const left = await runHere(["give-up", mine.directory, JSON.parse(paid.stdout).payment, ...mine.keys]);
  expect([left.stdout, left.stderr]).toEqual([
    expect.stringMatching(/^0 VTXOs of .*, 0 sat\n$/),
    expect.stringMatching(/^Nothing of it/),
  ]);
  const open = simulator.lightning.invoice();
  const refused = await runHere(["pay", mine.directory, open.bolt11, "1000", "--max-fee", "1", ...mine.keys, "--json"]);
  expect([refused.code, JSON.parse(refused.stdout).error.code]).toEqual([1, "FEE_TOO_HIGH"]);
});

it("a command that waits says for what, and when its time is over what is recorded goes on, and may be let ask for an exit", async () => {
  const mine = await wallet("mine", WORDS);
  await simulator.pay(mine.address, { amountsSats: [10_000n] });
  simulator.lightning.setOutcome("never");
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 4_000n });
  const open = () => Heartwood.open({ directory: mine.directory, mnemonic: () => WORDS });
  /** Progress that ends the time at the first line with these words. */
  const timed = (words: string) => {
    const ended = new AbortController();
    const write = (line: string) => line.includes(words) && ended.abort(new CliError("TIMED_OUT", "ended after 1 second"));
    return { progress: new Progress({ write }), signal: ended.signal };
  };
  {
    await using paying = await open();
    const live = { wallet: paying, ...timed("paying: PaymentInitiated") };
    await connect(paying, live.progress, live.signal);
    const recorded = {
      code: "TIMED_OUT",
      message: expect.stringMatching(/^the payment lightning-send.* is recorded and goes on/),
    };
    await expect(waitForPayment(await paying.pay(bolt11), live)).rejects.toMatchObject(recorded);
  }
  await simulator.stop();
  await using waiting = await open();
  const { progress, signal } = timed("(SERVER_UNREACHABLE): 2 attempts in ");
  const why = /^ended after 1 second, waiting for http.* \(SERVER_UNREACHABLE\) in 2 attempts; nothing was begun$/;
  await expect(connect(waiting, progress, signal)).rejects.toThrow(why);
  await waiting.close();
  // Without a server too, and as often as one likes.
  const { id } = JSON.parse((await runHere(["history", mine.directory, "--json"])).stdout.trim().split("\n").at(-1) ?? "");
  for (const _time of [1, 2]) {
    const allowed = await runHere(["allow-exit", mine.directory, id, ...mine.keys, "--json"]);
    expect([allowed.code, JSON.parse(allowed.stdout)]).toEqual([
      0,
      { payment: expect.stringMatching(/^lightning-send\/[0-9a-f]{64}\/0$/), allowed: true },
    ]);
  }
  for (const words of [
    ["quote", mine.directory, bolt11],
    ["sync", mine.directory],
  ]) {
    const { code, stderr } = await runHere([...words, ...mine.keys, "--timeout", "0"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^heartwood: TIMED_OUT: ended after 0 seconds \(--timeout\)/)]);
  }
});

it("invoice prints what to pay, waits for the money, and stays open when it is interrupted; invoices lists it, cancel gives it up", async () => {
  const mine = await wallet("mine", WORDS);
  const waiting = new Running("invoice", mine.directory, "3000", "--description", "tea", ...mine.keys, "--json");
  simulator.lightning.pay(JSON.parse(await waiting.line("issued")).bolt11);
  const { code, stdout } = await waiting.ended;
  expect([code, JSON.parse(stdout.trim().split("\n").at(-1) ?? "")]).toMatchObject([
    0,
    {
      type: "payment.settled",
      movement: { status: "successful", effectiveBalanceSats: "2894" },
      balance: { spendableSats: "2894" },
    },
  ]);
  const open = new Running("invoice", mine.directory, "5000", "--description", "rum\u0007", ...mine.keys, "--json");
  const { paymentHash, bolt11 } = JSON.parse(await open.line("issued"));
  open.child.kill("SIGINT");
  expect((await open.ended).code).toBe(130);
  const listed = await runHere(["invoices", mine.directory]);
  expect([listed.code, listed.stdout]).toEqual([
    0,
    expect.stringMatching(
      new RegExp(`^${bolt11}\n  5,000 sat, fee 110 sat, expires .*  rum\\\\u\\{7\\}\n  payment hash ${paymentHash}\n$`),
    ),
  ]);
  const [asJson] = (await runHere(["invoices", mine.directory, "--json"])).stdout.split("\n");
  expect(JSON.parse(asJson ?? "")).toMatchObject({ bolt11, paymentHash, amountSats: "5000", description: "rum\u0007" });
  const cancelled = await runHere(["cancel", mine.directory, paymentHash, ...mine.keys]);
  expect([cancelled.code, cancelled.stdout]).toEqual([0, "the invoice is given up\n"]);
  expect((await runHere(["invoices", mine.directory])).stdout).toBe("no invoice waits for its payment\n");
});

it("give-up shows what a payment left to be exited, and lets it go only with --yes", async () => {
  const mine = await wallet("mine", WORDS);
  const [input] = (await simulator.pay(mine.address, { amountsSats: [5_000n] })).vtxos;
  const options = { directory: mine.directory, mnemonic: () => WORDS };
  {
    await using wallet = await Heartwood.open(options);
    const live = firstValueFrom(wallet.events$.pipe(filter((event) => "state" in event && event.state === "Live")));
    wallet.start();
    await live;
    simulator.faults.failNext("RequestArkoorCosign", Status.UNAVAILABLE, 1_000);
    await wallet.send(await wallet.address({ fresh: true }), 2_000n);
  }
  const words = ["give-up", mine.directory, input?.id.slice(0, 8) ?? "", ...mine.keys];
  expect((await runHere(words)).stderr).toMatch(/It goes on/);
  simulator.mine(4_310);
  {
    await using wallet = await Heartwood.open(options);
    await wallet.sync();
  }
  const shown = await runHere([...words, "--json"]);
  const { payment } = JSON.parse(shown.stdout);
  // By the id of its movement it is the same payment.
  const [machine, name] = payment.split("/");
  const byMovement = ["give-up", mine.directory, `${machine.replace("-", "_")}.${name}`, ...mine.keys, "--json"];
  expect((await runHere(byMovement)).stdout).toBe(shown.stdout);
  const senseless = await runHere(["allow-exit", mine.directory, payment, ...mine.keys]);
  expect([senseless.code, senseless.stdout]).toEqual([1, expect.stringMatching(/^nothing to allow: arkoor-send/)]);
  expect([shown.code, JSON.parse(shown.stdout)]).toMatchObject([
    0,
    { vtxos: [{ id: input?.id, state: "exiting" }], givenUp: false, balance: { totalSats: "5000", exitingSats: "5000" } },
  ]);
  expect(JSON.parse(shown.stdout).vtxos[0].exitTransactions[0]).toMatch(/^[0-9a-f]+$/);
  const given = await runHere([...words, "--yes"]);
  expect([given.code, given.stdout]).toEqual([
    0,
    expect.stringMatching(/given up: 1 VTXO of arkoor-send.*, 5,000 sat\nbalance 0 sat\n$/),
  ]);
  expect((await runHere(["history", mine.directory])).stdout).toMatch(
    / -5,000 sat .*heartwood\.exit withdrawal +successful +exit\./,
  );
  const again = await runHere([...words, "--json"]);
  expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([1, "NOT_FOUND"]);
});

it("what cannot be paid is refused with a code before anything happens", async () => {
  const mine = await wallet("mine", WORDS);
  const refusal = async (...operands: string[]) => {
    const { code, stdout } = await run(["send", mine.directory, ...operands, ...mine.keys, "--json"]);
    return [code, JSON.parse(stdout).error.code];
  };
  expect(await refusal(mine.address, "1e3")).toEqual([2, "USAGE"]);
  expect(await refusal("tark1nonsense", "1000")).toEqual([1, "BAD_ADDRESS"]);
  expect(await refusal(mine.address, "1000")).toEqual([1, "INSUFFICIENT_FUNDS"]);
  expect(JSON.parse((await runHere(["balance", mine.directory, "--json"])).stdout).totalSats).toBe("0");
});

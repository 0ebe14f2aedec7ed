import { Status } from "nice-grpc-common";
import { defer, Subject } from "rxjs";
import { expect, test } from "vitest";
import { decodeAuthorization } from "../../ark/authorization.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { authorized$ } from "../../engine/clock-skew.ts";
import type { Logger, Transport } from "../../engine/index.ts";
import { Keyring } from "../../engine/keyring.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { encodeMessage } from "../../simulator/index.ts";
import { StreamError } from "../../streams/errors.ts";
import { eventually, fastOptions, freshDirectory, goLive, MNEMONIC, openWallet, setUp, simulate } from "./helpers.ts";

test.each([30, 2 * 60, 20 * 60, 12 * 60 * 60])(
  "a wallet whose clock is %i s behind the server's reads, follows and backs up all the same, and says so once (mailbox.md W-31)",
  async (behindS) => {
    const simulator = await simulate();
    simulator.faults.skewMs = behindS * 1_000;
    const lives: number[] = [];
    const transport: Transport = async (given) => {
      const session = await defaultPorts.transport(given);
      const readMailbox = session.readMailbox.bind(session);
      session.readMailbox = (read, call) => {
        lives.push(Number(decodeAuthorization(read.authorization).expiresAt) - Math.floor(Date.now() / 1_000));
        return readMailbox(read, call);
      };
      return session;
    };
    const told: string[] = [];
    const logger: Logger = (_level, message) => void told.push(message);
    const fast = fastOptions(simulator, await freshDirectory());
    const wallet = await openWallet({ ...fast, ports: { ...fast.ports, logger, transport } });
    await wallet.sync();
    const address = await wallet.address();
    await goLive(wallet);
    await simulator.pay(address, { amountsSats: [1_000n] });
    await eventually(() => wallet.balance().totalSats === 1_000n && wallet.status().openCommands === 0, "a payment, backed up");
    expect(simulator.recoveryIds()).toHaveLength(1);
    expect(wallet.status().connection).toBe("Live");
    // Ten minutes by the server's clock, which its answers tell; less what they were on their way.
    if (behindS > 600) expect(Math.abs((lives.at(-1) ?? 0) - behindS - 600)).toBeLessThan(60);
    expect(told.filter((message) => message.includes("seems to be behind"))).toHaveLength(1);
  },
);

test("a server whose date is far off gets no authorization that lives longer than a day (mailbox.md W-31, W-44)", () => {
  const keyring = new Keyring(WalletKeys.fromMnemonic(MNEMONIC), defaultPorts.clock, defaultPorts.randomness);
  keyring.isLongLived = true;
  const lifeS = (serverAheadMs: number | undefined): number => {
    keyring.serverAheadMs = serverAheadMs;
    const lifeS = Number(decodeAuthorization(keyring.mailboxAuthorization(10)).expiresAt) - Date.now() / 1_000;
    return Math.ceil(lifeS / 10) * 10;
  };
  const [day, hour] = [24 * 3_600, 3_600_000];
  expect([hour, 0, -hour, 30 * 24 * hour, undefined].map(lifeS)).toEqual([4_200, 600, day, day, day]);
});

test("a refusal that a longer authorization does not help is reported, after one more try", async () => {
  const { simulator, wallet } = await setUp();
  simulator.faults.failNext("ReadMailbox", Status.INVALID_ARGUMENT, 2);
  const before = simulator.calls("ReadMailbox");
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_REJECTED" });
  expect(simulator.calls("ReadMailbox") - before).toBe(2);
  expect(await wallet.sync()).toMatchObject({ caughtUp: true });
});

/** A stream that a test plays, each time it is opened, with the waits that are under way. */
function playedStream() {
  const keyring = new Keyring(WalletKeys.fromMnemonic(MNEMONIC), defaultPorts.clock, defaultPorts.randomness);
  const [opened, waits, errors, told] = [[] as Subject<number>[], new Set<() => void>(), [] as unknown[], [] as boolean[]];
  keyring.onClockBehind = () => void told.push(keyring.isLongLived);
  const after = (_delayMs: number, callback: () => void) => {
    waits.add(callback);
    return () => void waits.delete(callback);
  };
  const stream$ = defer(() => {
    const subject = new Subject<number>();
    opened.push(subject);
    return subject;
  });
  authorized$(keyring, { nowMs: () => 0, after }, stream$).subscribe({ error: (error) => void errors.push(error) });
  const refuse = (): void => opened.at(-1)?.error(new StreamError("SERVER_REJECTED", "no", { retryable: false }));
  return { keyring, opened, waits, errors, told, refuse };
}

test("a stream that is refused with a longer authorization too leaves them as they were, and nothing is told of the clock", () => {
  const { keyring, opened, waits, errors, told, refuse } = playedStream();
  refuse();
  expect([opened.length, keyring.isLongLived, told, waits.size]).toEqual([2, true, [], 1]);
  refuse();
  expect([opened.length, keyring.isLongLived, told, waits.size, errors.length]).toEqual([2, false, [], 0, 1]);
});

test.each(["a delivery", "a while"])("that a longer authorization helped a stream is told once, after %s", (proof) => {
  const { keyring, opened, waits, errors, told, refuse } = playedStream();
  refuse();
  if (proof === "a delivery") opened[1]?.next(1);
  for (const wait of waits) wait();
  opened[1]?.next(2);
  expect(told).toEqual([true]);
  refuse();
  expect([keyring.isLongLived, errors.length]).toEqual([true, 1]);
});

test("a stream that is refused after it delivered is not opened again from where it began", () => {
  const { keyring, opened, errors, refuse } = playedStream();
  opened[0]?.next(1);
  refuse();
  expect([opened.length, keyring.isLongLived, errors.length]).toEqual([1, false, 1]);
});

test("a message that says that it was posted days from now is told to the owner, once, and the checkpoint stays (mailbox.md W-11)", async () => {
  const simulator = await simulate();
  const told: string[] = [];
  const logger: Logger = (_level, message) => void told.push(message);
  const fast = fastOptions(simulator, await freshDirectory());
  const wallet = await openWallet({ ...fast, ports: { ...fast.ports, logger } });
  await wallet.sync();
  const lie = BigInt(Date.now() + 2 * 86_400_000) << 20n;
  simulator.deliverRaw(await wallet.address(), () =>
    encodeMessage({ checkpoint: lie, message: { $case: "arkoor", value: { vtxos: [] } } }),
  );
  await wallet.sync();
  await wallet.sync();
  expect(told.filter((message) => message.includes("posted more than a day"))).toHaveLength(1);
  expect(wallet.checkpoint()).toBe(0n);
});

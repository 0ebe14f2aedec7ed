import { Status } from "nice-grpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { concatBytes } from "../../ark/bytes.ts";
import type { Simulator } from "../../simulator/index.ts";
import { connect, NOON_MS, refusal, startTestSimulator, TestWallet } from "./support.ts";

let simulator: Simulator;
let clock: { nowMs: number };
const wallet = new TestWallet("reader");
const noonSeconds = BigInt(NOON_MS / 1_000);
beforeAll(async () => {
  ({ simulator, clock } = await startTestSimulator());
});
afterAll(() => simulator.stop());

function flip(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ 1);
}

/** From the first check to the last; each also fails every later one where it can. */
const refused: readonly [string, Partial<ReturnType<TestWallet["request"]>>, RegExp][] = [
  ["1: an id of another length", { mailboxId: new Uint8Array(32), authorization: undefined as never }, /invalid mailbox id/],
  ["1: an id that is no point", { mailboxId: concatBytes(Uint8Array.of(5), new Uint8Array(32)) }, /invalid mailbox id/],
  ["2: no authorization", { authorization: undefined as never }, /mailbox authorization required/],
  ["3: an empty authorization", { authorization: new Uint8Array() }, /invalid mailbox authorization: SHORT_INPUT/],
  ["3: a left-over byte", { authorization: concatBytes(wallet.authorization(), Uint8Array.of(0)) }, /TRAILING_BYTES/],
  ["3: a timestamp out of range", { authorization: wallet.authorization().fill(0x7f, 33, 41) }, /BAD_TIMESTAMP/],
  [
    "3: another id that is no point",
    { authorization: wallet.authorization().fill(0, 0, 33) },
    /invalid mailbox authorization: BAD_MAILBOX_ID/,
  ],
  [
    "4: an expired authorization of another mailbox",
    { authorization: new TestWallet("other").authorization(0n) },
    /MAILBOX_MISMATCH/,
  ],
  ["5: expired, with a bad signature too", { authorization: flip(wallet.authorization(noonSeconds - 6n), 104) }, /EXPIRED/],
  ["6: a bad signature", { authorization: flip(wallet.authorization(), 104) }, /AUTHORIZATION_SIGNATURE/],
];

describe.each(refused)("check %s", (_, change, details) => {
  test("ReadMailbox refuses with INVALID_ARGUMENT", async () => {
    using client = connect(simulator);
    expect(await refusal(client.mailbox.readMailbox({ ...wallet.request(), ...change }), Status.INVALID_ARGUMENT)).toMatch(
      details,
    );
  });

  test("SubscribeMailbox refuses with INVALID_ARGUMENT", async () => {
    using client = connect(simulator);
    const stream = client.mailbox.subscribeMailbox({ ...wallet.request(), ...change })[Symbol.asyncIterator]();
    expect(await refusal(stream.next(), Status.INVALID_ARGUMENT)).toMatch(details);
  });
});

test("five seconds late is in time, a millisecond more is not", async () => {
  using client = connect(simulator);
  const request = { ...wallet.request(), authorization: wallet.authorization(noonSeconds - 5n) };
  expect((await client.mailbox.readMailbox(request)).messages).toEqual([]);
  clock.nowMs = NOON_MS + 1;
  expect(await refusal(client.mailbox.readMailbox(request), Status.INVALID_ARGUMENT)).toMatch(/EXPIRED/);
  clock.nowMs = NOON_MS;
});

test("an open subscription outlives its authorization", async () => {
  using client = connect(simulator);
  const request = { ...wallet.request(), authorization: wallet.authorization(noonSeconds) };
  const stream = client.mailbox.subscribeMailbox(request)[Symbol.asyncIterator]();
  const first = stream.next();
  await expect.poll(() => simulator.counters().openSubscriptions).toBe(1);
  clock.nowMs = NOON_MS + 3_600_000;
  const checkpoint = simulator.deliverUnknown(wallet.mailboxHex);
  expect((await first).value?.checkpoint).toBe(checkpoint);
  clock.nowMs = NOON_MS;
  await stream.return?.();
});

import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { decodeAuthorization } from "../../ark/authorization.ts";
import { encodeHex } from "../../ark/hex.ts";
import type { Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { connect, refusal } from "../simulator/support.ts";
import { fastOptions, freshDirectory, logOf, openWallet, setUp, simulate } from "./helpers.ts";

const DAY_MS = 86_400_000;

test("an authorization for somebody else reads the main mailbox until it expires, and no other (mailbox.md M-8)", async () => {
  const { simulator, wallet, address } = await setUp();
  const { checkpoint } = await simulator.pay(address, { amountsSats: [1_000n] });
  const expiresAt = new Date(Date.now() + 60_500);
  const authorization = wallet.mailboxAuthorization({ expiresAt });
  const { mailboxId, expiresAt: until } = decodeAuthorization(authorization);
  expect([authorization.length, until]).toEqual([105, BigInt(Math.floor(expiresAt.getTime() / 1_000))]);
  expect(encodeHex(mailboxId)).toBe(simulator.mailboxIdOf(address));
  using client = connect(simulator);
  const { messages } = await client.mailbox.readMailbox({ mailboxId, authorization, checkpoint: 0n });
  expect(messages.map((message) => message.checkpoint)).toEqual([checkpoint]);
  const other = new Uint8Array(mailboxId).map((byte, index) => (index === 0 ? byte ^ 1 : byte));
  await refusal(client.mailbox.readMailbox({ mailboxId: other, authorization, checkpoint: 0n }), Status.INVALID_ARGUMENT);
});

test("its life is capped at 30 days (mailbox.md W-44)", async () => {
  const { wallet } = await setUp();
  const refused = { code: "BAD_OPTION", message: expect.stringContaining("at most 30 days") };
  for (const ms of [-1_000, 30 * DAY_MS + 60_000, Number.NaN]) {
    expect(() => wallet.mailboxAuthorization({ expiresAt: new Date(Date.now() + ms) })).toThrow(expect.objectContaining(refused));
  }
  expect(wallet.mailboxAuthorization({ expiresAt: new Date(Date.now() + 30 * DAY_MS) })).toHaveLength(105);
});

test("no authorization comes into the log, what the wallet tells its logger, or an error (mailbox.md W-44)", async () => {
  const simulator = await simulate();
  const directory = await freshDirectory();
  const [used, told]: [Uint8Array[], unknown[]] = [[], []];
  const transport: Transport = async (given) => {
    const session = await defaultPorts.transport(given);
    const { readMailbox, postRecoveryVtxoIds } = session;
    session.readMailbox = (read, call) => {
      used.push(read.authorization);
      return readMailbox.call(session, read, call);
    };
    session.postRecoveryVtxoIds = (post, call) => {
      used.push(post.authorization);
      return postRecoveryVtxoIds.call(session, post, call);
    };
    return session;
  };
  const fast = fastOptions(simulator, directory);
  const wallet = await openWallet({
    ...fast,
    ports: { ...fast.ports, transport, logger: (...words) => void told.push(words) },
  });
  await wallet.sync();
  await simulator.pay(await wallet.address(), { amountsSats: [1_000n] });
  simulator.faults.failNext("ReadMailbox", Status.INVALID_ARGUMENT, 2);
  told.push(await wallet.sync().catch((error: unknown) => error));
  simulator.faults.failNext("PostRecoveryVtxoIds", Status.INTERNAL);
  await wallet.sync();
  await wallet.close();
  expect(used.length).toBeGreaterThan(4);
  const said = told.map((words) => (words instanceof Error ? `${words.stack} ${JSON.stringify(words)}` : JSON.stringify(words)));
  const texts = [...said, ...(await logOf(directory)).bodies].join("\n");
  for (const authorization of used) {
    // The expiry and the signature, without the mailbox id, which is no secret.
    const secret = Buffer.from(authorization.slice(41));
    for (const encoding of ["hex", "base64", "base64url"] as const)
      expect(texts).not.toContain(secret.toString(encoding).slice(0, 40));
    expect(texts).not.toContain(JSON.stringify([...secret.subarray(0, 16)]).slice(1, -1));
  }
});

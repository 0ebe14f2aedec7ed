import { readFileSync } from "node:fs";
import { firstValueFrom, take, toArray } from "rxjs";
import { expect, test } from "vitest";
import { decodeAuthorization } from "../../ark/authorization.ts";
import { openSession } from "../../streams/session.ts";
import { logOf, openWallet, setUp } from "../engine/helpers.ts";

test("who subscribes to a mailbox raw sees its messages; the wallet's log stays as it is, and it takes them all later (mailbox.md M-12)", async () => {
  const { simulator, directory, options, wallet, address } = await setUp();
  const authorization = wallet.mailboxAuthorization({ expiresAt: new Date(Date.now() + 60_000) });
  await wallet.close();
  const before = await logOf(directory);
  const { checkpoint: first } = await simulator.pay(address, { amountsSats: [1_000n] });
  const { checkpoint: second } = await simulator.pay(address, { amountsSats: [2_000n] });
  await using session = await openSession({ serverUrl: simulator.serverUrl, network: "regtest" });
  const { mailboxId } = decodeAuthorization(authorization);
  const subscription = session.mailbox$({ mailboxId, authorization: () => authorization, after: 0n });
  const seen = await firstValueFrom(subscription.pipe(take(2), toArray()));
  expect(seen.map(({ value }) => [value.checkpoint, value.content.kind])).toEqual([
    [first, "arkoor"],
    [second, "arkoor"],
  ]);
  expect(await logOf(directory)).toEqual(before);
  const again = await openWallet({ ...options, create: false });
  expect(again.checkpoint()).toBe(0n);
  expect(await again.sync()).toMatchObject({ messages: 2, applied: 2, checkpoint: second });
});

test("nothing that a raw subscription is made of reaches a log, a machine or the engine (mailbox.md M-12)", () => {
  const reached = new Set<string>();
  const reach = (file: URL): void => {
    if (reached.has(file.href)) return;
    reached.add(file.href);
    // A generated file imports nothing of ours but others of its kind.
    for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/^(?:import|export) (?:[^;]*? from )?"(\.[^"]+)";/gm)) {
      reach(new URL(path, file));
    }
  };
  reach(new URL("../../streams/session.ts", import.meta.url));
  const root = new URL("../../", import.meta.url).href;
  const folders = new Set([...reached].map((href) => href.slice(root.length).split("/")[0]));
  expect([...folders].sort()).toEqual(["ark", "proto", "streams"]);
  expect(reached.size).toBeGreaterThan(20);
});

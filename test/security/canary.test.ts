import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { mnemonicToSeedSync } from "@scure/bip39";
import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { decodeHex } from "../../ark/hex.ts";
import { WalletKeys } from "../../ark/keys.ts";
import type { Logger, OpenOptions, Wallet } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { decodeTransition } from "../../engine/transition.ts";
import { exportLines, openLevelLog } from "../../store/index.ts";
import type { ServerSession } from "../../streams/session.ts";
import {
  addressOf,
  eventually,
  FastClock,
  fastChain,
  freshDirectory,
  goLive,
  MNEMONIC,
  OTHER_MNEMONIC,
  openWallet,
  simulate,
  walletOptions,
} from "../engine/helpers.ts";
import { found, type Needle, needlesOf, textNeedles } from "./needles.ts";

/** Keys that are looked for: more than a life below uses. */
const KEYS = 40;

test("every shape of a planted secret is found, wherever it begins", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, index) => (index * 37 + 11) % 256);
  const needles = needlesOf("secret", secret);
  const hex = Buffer.from(secret).toString("hex");
  const reversed = Buffer.from(secret).reverse().toString("hex");
  const before = (count: number) => Buffer.concat([Buffer.alloc(count, 0x55), secret, Buffer.alloc(9, 0xaa)]);
  const planted: readonly (readonly [string, Uint8Array])[] = [
    ["raw", before(7)],
    ["hex", Buffer.from(`{"key":"${hex}"}`)],
    ["hex in capitals", Buffer.from(hex.toUpperCase())],
    ["hex backwards", Buffer.from(reversed)],
    ...[0, 1, 2].map((count) => [`base64 at ${count}`, Buffer.from(before(count).toString("base64"))] as const),
    ...[0, 1, 2].map((count) => [`base64url at ${count}`, Buffer.from(before(count).toString("base64url"))] as const),
    ["hex in UTF-16", Buffer.from(hex, "utf16le")],
  ];
  expect(planted.filter(([, hay]) => found(needles, hay).length === 0).map(([name]) => name)).toEqual([]);
  expect(found(needles, Buffer.from("nothing of it"))).toEqual([]);
});

test("no secret is in the log, in exports, in what is logged, thrown or told, whatever is paid, received or restarted", async () => {
  const simulator = await simulate();
  const directory = await freshDirectory();
  const authorizations: Uint8Array[] = [];
  const hay: Buffer[] = [];
  const note = (value: unknown): void =>
    void hay.push(Buffer.from(inspect(value, { depth: 12, showHidden: true, maxArrayLength: null, maxStringLength: null })));
  const logger: Logger = (...said) => note(said);
  const options: OpenOptions = {
    ...walletOptions(simulator, directory),
    chain: fastChain(simulator),
    ports: {
      clock: new FastClock(),
      logger,
      transport: async (wanted) => watched(await defaultPorts.transport(wanted), authorizations),
    },
  };
  const claimed: string[] = [];

  const first = await openWallet(options);
  const told = first.events$.subscribe({ next: note, error: note });
  await goLive(first);
  await simulator.pay(await first.address(), { amountsSats: [20_000n] });
  await eventually(() => first.balance().spendableSats === 20_000n, "the money");
  await (await first.send(addressOf(simulator, OTHER_MNEMONIC, 0), 1_000n)).settled();
  const paid = await first.pay(simulator.lightning.invoice({ amountSats: 2_000n }).bolt11);
  await paid.settled();
  await refusals(first, note);

  const received = await first.invoice({ amountSats: 3_000n, description: "tea" });
  simulator.lightning.pay(received.bolt11);
  await received.payment.settled();
  claimed.push(received.paymentHash);
  const open = await first.invoice({ amountSats: 3_000n });
  const cancelled = await first.invoice({ amountSats: 3_000n });
  await first.cancelInvoice(cancelled.paymentHash);
  // Granted, revealed, and never claimed: what is pending shows no preimage (lightning.md R9).
  simulator.faults.failNext("ClaimLightningReceive", Status.INTERNAL, 10_000);
  const stuck = await first.invoice({ amountSats: 4_000n });
  simulator.lightning.pay(stuck.bolt11);
  await eventually(() => simulator.calls("ClaimLightningReceive") > 6, "claims that fail");
  for (const shown of [first.status(), await first.explain(stuck.payment.id.replace("lightning-receive/", "lightning_receive."))])
    note(shown);
  told.unsubscribe();
  await first.close();

  const again = await openWallet(options);
  await goLive(again);
  for (const { id, status } of again.payments()) note([id, status]);
  note(again);
  await again.close();

  const salts = await collectLog(directory, hay);
  expect([...salts.keys()].sort()).toEqual([received, open, cancelled, stuck].map(({ paymentHash }) => paymentHash).sort());
  const keys = WalletKeys.fromMnemonic(MNEMONIC);
  const early = [...salts].filter(([hash]) => !claimed.includes(hash));
  const secrets: Needle[] = [
    ...textNeedles("mnemonic", MNEMONIC),
    ...needlesOf("seed", mnemonicToSeedSync(MNEMONIC)),
    ...needlesOf("mailbox key", keys.mailboxSecretKey()),
    ...needlesOf("recovery key", keys.recoveryMailboxSecretKey()),
    ...Array.from({ length: KEYS }, (_, index) => needlesOf(`key ${index}`, keys.vtxoSecretKey(index))).flat(),
    ...early.flatMap(([hash, salt]) => needlesOf(`preimage of ${hash}`, keys.receivePreimage(decodeHex(salt)))),
    // The signature is what nobody else can make.
    ...authorizations.flatMap((bytes, index) => needlesOf(`authorization ${index}`, bytes.slice(-64))),
  ];
  expect(authorizations.length).toBeGreaterThan(2);
  expect(hay.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(100_000);
  expect(found(secrets, Buffer.concat(hay))).toEqual([]);
  // What the search would have found: the preimage that was claimed stands in its movement, and in the log.
  const [hash = ""] = claimed;
  const shown = needlesOf("claimed preimage", keys.receivePreimage(decodeHex(salts.get(hash) ?? "")));
  expect(found(shown, Buffer.concat(hay))).toContain("claimed preimage, hex 0");
});

/** Everything that an owner can get wrong, as it is thrown. */
async function refusals(wallet: Wallet, note: (value: unknown) => void): Promise<void> {
  const attempts: readonly (() => Promise<unknown>)[] = [
    () => wallet.send("tark1nonsense", 1n),
    () => wallet.send("", 1n),
    () => wallet.pay("lnbcrt1nonsense"),
    () => wallet.invoice({ amountSats: 0n }),
    () => wallet.cancelInvoice("00".repeat(32)),
    () => wallet.explain("ffffffff"),
    () => wallet.importVtxo(new Uint8Array(0)),
    () => wallet.exitTransactions("nothing"),
  ];
  for (const attempt of attempts) {
    const error = await attempt().then(
      () => new Error("expected a refusal, got none"),
      (thrown: unknown) => thrown,
    );
    note(error);
    note(error instanceof Error ? error.stack : error);
  }
}

/** A session that keeps every authorization that goes over it. */
function watched(session: ServerSession, authorizations: Uint8Array[]): ServerSession {
  const keep = (request: unknown): void => {
    if (typeof request !== "object" || request === null || !("authorization" in request)) return;
    const { authorization } = request;
    if (authorization instanceof Uint8Array) authorizations.push(authorization);
    else if (typeof authorization === "function") authorizations.push(authorization());
  };
  return new Proxy(session, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        for (const one of given) keep(one);
        return value.apply(target, given);
      };
    },
  });
}

/** Adds every file, record and export line of a wallet directory; the salts of its receives by payment hash. */
async function collectLog(directory: string, hay: Buffer[]): Promise<Map<string, string>> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) hay.push(await readFile(join(entry.parentPath, entry.name)));
  }
  const salts = new Map<string, string>();
  await using log = await openLevelLog(directory, { readOnly: true });
  for await (const { body, record } of log.read()) {
    hay.push(Buffer.from(body));
    const { event } = decodeTransition(record);
    hay.push(Buffer.from(inspect(event, { depth: 12 })));
    if (event.type === "invoice.requested") salts.set(String(event.paymentHash), String(event.salt));
  }
  for await (const line of exportLines(log)) hay.push(Buffer.from(line));
  return salts;
}

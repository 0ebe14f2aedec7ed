import { ClientError, createChannel, createClientFactory, Metadata, Status } from "nice-grpc";
import { expect } from "vitest";
import { buildAddress, encodeAddress } from "../../ark/address.ts";
import { createAuthorization, encodeAuthorization } from "../../ark/authorization.ts";
import { publicKeyOf, sha256 } from "../../ark/crypto.ts";
import { encodeHex } from "../../ark/hex.ts";
import { mailboxIdOf } from "../../ark/mailbox.ts";
import { decodeTransaction } from "../../ark/transaction.ts";
import { validateVtxo } from "../../ark/validate.ts";
import { decodeVtxo } from "../../ark/vtxo.ts";
import { ArkServiceDefinition } from "../../proto/generated/bark_server.ts";
import { MailboxServiceDefinition } from "../../proto/generated/mailbox_server.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.ts";

/** Unix milliseconds at which the clock of a test simulator stands still. */
export const NOON_MS = 1_800_000_000_000;

/** A simulator with a clock that the test moves by `clock.nowMs`. */
export async function startTestSimulator(
  options: SimulatorOptions = {},
): Promise<{ simulator: Simulator; clock: { nowMs: number } }> {
  const clock = { nowMs: NOON_MS };
  return { simulator: await startSimulator({ now: () => clock.nowMs, ...options }), clock };
}

/** A wallet that can be paid and can prove that its mailbox is its own. */
export class TestWallet {
  readonly vtxoSecretKey: Uint8Array;
  readonly mailboxSecretKey: Uint8Array;
  readonly mailboxId: Uint8Array;

  constructor(name: string) {
    this.vtxoSecretKey = sha256(new TextEncoder().encode(`${name}/vtxo`));
    this.mailboxSecretKey = sha256(new TextEncoder().encode(`${name}/mailbox`));
    this.mailboxId = mailboxIdOf(this.mailboxSecretKey);
  }

  get mailboxHex(): string {
    return encodeHex(this.mailboxId);
  }

  get userPubkey(): Uint8Array {
    return publicKeyOf(this.vtxoSecretKey);
  }

  address(simulator: Simulator): string {
    const { serverPubkey, mailboxPubkey } = simulator.arkInfo;
    const { vtxoSecretKey, mailboxId } = this;
    return encodeAddress(buildAddress({ serverPubkey, mailboxPubkey, vtxoSecretKey, mailboxId, mainnet: false }));
  }

  authorization(expiresAt: bigint = BigInt(NOON_MS / 1_000 + 60)): Uint8Array {
    const auxRand = new Uint8Array(32);
    return encodeAuthorization(createAuthorization({ secretKey: this.mailboxSecretKey, expiresAt, auxRand }));
  }

  /** A request for everything after a position. */
  request(checkpoint = 0n) {
    return { mailboxId: this.mailboxId, authorization: this.authorization(), checkpoint };
  }
}

/** The generated clients over a connection of their own: pooled ones wait after a failure of another test's. */
export function connect(
  simulator: Simulator,
  headers: Record<string, string> = { "x-user-agent": "heartwood/0.0.1", pver: "5" },
) {
  const channel = createChannel(simulator.serverUrl, undefined, { "grpc.use_local_subchannel_pool": 1 });
  const factory = createClientFactory().use((call, options) =>
    call.next(call.request, { ...options, metadata: new Metadata({ ...headers }) }),
  );
  return {
    ark: factory.create(ArkServiceDefinition, channel),
    mailbox: factory.create(MailboxServiceDefinition, channel),
    close: () => channel.close(),
    [Symbol.dispose]: () => channel.close(),
  };
}

/** Expects a refusal; answers its details and its `identifiers` metadata. */
export async function refusal(call: Promise<unknown>, status: Status): Promise<string> {
  const error = await call.then(
    () => expect.unreachable("expected a refusal"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClientError);
  const { code, details } = error as ClientError;
  expect(Status[code]).toBe(Status[status]);
  return details;
}

/** Validates a VTXO against the transaction that the chain source serves. */
export async function validateOverChain(simulator: Simulator, bytes: Uint8Array): Promise<void> {
  const vtxo = decodeVtxo(bytes);
  const response = await fetch(`${simulator.chainUrl}/tx/${vtxo.chainAnchor.txid}/raw`);
  validateVtxo(vtxo, decodeTransaction(new Uint8Array(await response.arrayBuffer())));
}

import type { Destination } from "../../ark/arkoor-allocation.ts";
import { ArkoorCosignSession } from "../../ark/arkoor-cosign.ts";
import { vtxosOfPolicy } from "../../ark/arkoor-result.ts";
import { type ArkoorInput, buildArkoorPackage } from "../../ark/arkoor-transactions.ts";
import { lightningSendFee } from "../../ark/fees.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import type { UserPolicy } from "../../ark/policy.ts";
import { decodeVtxo, encodeVtxo, type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import { encodeVtxoId } from "../../ark/vtxo-id.ts";
import type { ArkoorPackageCosignResponse } from "../../proto/generated/bark_server.ts";
import { DEFAULT_TERMS } from "../../simulator/ark-info.ts";
import { readCosignResponse, writeCosignRequest } from "../../simulator/arkoor-wire.ts";
import type { NetworkInvoice, Simulator } from "../../simulator/index.ts";
import { SeededRandom } from "../../simulator/seeded-random.ts";
import type { connect, TestWallet } from "./support.ts";

export type Client = ReturnType<typeof connect>;

/** A wallet's hands: it builds packages with the functions of ark/ and has them cosigned over gRPC. */
export class Hands {
  readonly wallet: TestWallet;
  readonly #simulator: Simulator;
  readonly #random = new SeededRandom("hands");
  readonly #coins = new Map<bigint, ArkoorInput[]>();

  constructor(simulator: Simulator, wallet: TestWallet) {
    this.#simulator = simulator;
    this.wallet = wallet;
  }

  /** A fresh coin; they are made by the four, which is cheaper. */
  async coin(amountSats: bigint): Promise<ArkoorInput> {
    const supply = this.#coins.get(amountSats) ?? [];
    this.#coins.set(amountSats, supply);
    if (supply.length === 0) {
      const request = { amountsSats: Array(4).fill(amountSats), perCoin: 4 };
      const made = await this.#simulator.createPackage(this.wallet.address(this.#simulator), request);
      supply.push(...made.map(({ bytes }) => decodeVtxo(bytes)));
    }
    const coin = supply.pop();
    if (!coin) throw new Error("expected a coin, got none");
    return coin;
  }

  /** A package in checkpoint mode, ready to be sent. */
  attempt(inputs: readonly ArkoorInput[], destinations: readonly Destination[]) {
    const parts = buildArkoorPackage({ inputs, destinations });
    const secretKeys = parts.map(() => this.wallet.vtxoSecretKey);
    const session = ArkoorCosignSession.start({ parts, secretKeys, randomBytes: (length) => this.#random.bytes(length) });
    return {
      wire: { parts: session.requests.map(writeCosignRequest) },
      finish: (response: ArkoorPackageCosignResponse) => session.finish(response.parts.map(readCosignResponse), secretKeys),
    };
  }

  get pubkey(): UserPolicy {
    return { kind: "pubkey", userPubkey: this.wallet.userPubkey };
  }

  /** HTLC-send policy for an invoice. */
  htlc(paymentHash: string, htlcExpiryHeight = this.#simulator.chain.tip + DEFAULT_TERMS.htlcSendExpiryDelta): UserPolicy {
    return {
      kind: "server-htlc-send-v1",
      userPubkey: this.wallet.userPubkey,
      paymentHash: decodeHex(paymentHash),
      htlcExpiryHeight,
    };
  }

  fee(amountSats: bigint, inputs: readonly Vtxo[]): bigint {
    return lightningSendFee(DEFAULT_TERMS.fees.lightningSend, amountSats, inputs, this.#simulator.chain.tip);
  }

  /** The package of a payment: HTLCs of amount and fee, then change. */
  payment(inputs: readonly ArkoorInput[], amountSats: bigint, htlc: UserPolicy) {
    const paid = amountSats + this.fee(amountSats, inputs);
    const change = inputs.reduce((sum, input) => sum + input.amountSats, 0n) - paid;
    return this.attempt(inputs, [
      { amountSats: paid, policy: htlc },
      ...(change > 0n ? [{ amountSats: change, policy: this.pubkey }] : []),
    ]);
  }

  /** Has HTLCs for an invoice cosigned, and registered unless told otherwise. */
  async lock(client: Client, invoice: NetworkInvoice, amountSats: bigint, register = true): Promise<Vtxo<UserPolicy>[]> {
    const policy = this.htlc(invoice.paymentHash);
    const { wire, finish } = this.payment([await this.coin(amountSats + 2_000n)], amountSats, policy);
    const vtxos = finish(await client.ark.requestLightningPayHtlcCosign(wire));
    if (register) await client.ark.registerVtxoTransactions({ vtxos: vtxos.map((vtxo) => encodeVtxo(vtxo)) });
    return vtxosOfPolicy(vtxos, policy);
  }

  /** A request to pay. */
  initiation({ bolt11 }: Pick<NetworkInvoice, "bolt11">, htlcs: readonly Vtxo[], paymentAmountSat: bigint) {
    const htlcVtxoIds = htlcs.map((htlc) => encodeVtxoId(vtxoId(htlc)));
    return { invoice: bolt11, htlcVtxoIds, paymentAmountSat, mailboxId: this.wallet.mailboxId };
  }

  /** A package that takes HTLCs back whole. */
  revocation(htlcs: readonly ArkoorInput[]) {
    const amountSats = htlcs.reduce((sum, htlc) => sum + htlc.amountSats, 0n);
    return this.attempt(htlcs, [{ amountSats, policy: this.pubkey }]);
  }
}

/** What a mailbox holds of a Lightning payment, in order, with bytes as hex. */
export async function notices(client: Client, wallet: TestWallet, paymentHash: string): Promise<object[]> {
  const { messages } = await client.mailbox.readMailbox(wallet.request());
  return messages.flatMap(({ message }): object[] => {
    if (message?.$case === "incomingLightningPayment" && encodeHex(message.value.paymentHash) === paymentHash) {
      return [{ kind: "incoming", amountMsat: message.value.amountMsat }];
    }
    if (message?.$case !== "lightningSendFinished" || encodeHex(message.value.paymentHash) !== paymentHash) return [];
    const { preimage } = message.value;
    return [{ kind: "finished", preimage: preimage && encodeHex(preimage) }];
  });
}

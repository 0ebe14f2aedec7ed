import assert from "node:assert/strict";
import type { ArkoorCosignResponse } from "../../ark/arkoor-request.ts";
import { ARKOOR_COSIGN_RULES } from "../../ark/arkoor-server.ts";
import { buildArkoorPackage } from "../../ark/arkoor-transactions.ts";
import { signBolt11 } from "../../ark/bolt11-sign.ts";
import { equalBytes } from "../../ark/bytes.ts";
import { sha256 } from "../../ark/crypto.ts";
import { lightningReceiveFee } from "../../ark/fees.ts";
import { encodeHex } from "../../ark/hex.ts";
import { signArkoorPartJointly } from "../../ark/joint-signing.ts";
import type { HtlcReceivePolicy, UserPolicy } from "../../ark/policy.ts";
import { encodeVtxo, vtxoId } from "../../ark/vtxo.ts";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import { encodeMessage } from "../../simulator/index.ts";
import type {
  ReceiveClaimRequest,
  ReceivePrepare,
  ReceiveReport,
  ReceiveStart,
  ReceiveState,
} from "../../streams/lightning-receive.ts";
import { type Pool, STRANGER_KEYS } from "../deliveries/pool.ts";
import type { ReceiveDesk } from "../deliveries/scripted-server.ts";
import { PayingServer, rejected } from "../sends/paying-server.ts";

interface Receive {
  readonly bolt11: string;
  readonly amountSats: bigint;
  state: ReceiveState;
  htlcIds: readonly VtxoId[];
}

const NODE_KEY = new Uint8Array(32).fill(0x44);
const CLAIM_RULES = {
  ...ARKOOR_COSIGN_RULES,
  maxFanOut: 1,
  maxExitDepth: null,
  dustRule: false,
  inputPolicies: ["server-htlc-receive-v1"],
} as const;

/** A server that makes invoices, grants and cosigns claims as lightning.md §13.2 says, and watches who gets to know a preimage. */
export class ReceivingServer extends PayingServer {
  /** By payment hash, hex. */
  readonly receives = new Map<string, Receive>();
  /** Blocks beyond the first tip for which a payment is held: less than a wallet asks for, and it must ask for less (R5). */
  heldBlocks = 400;
  /** Whether it makes all grants of one output. */
  grantsOneOutput = false;
  /** Told of every preimage, right when it arrives. */
  onPreimage: (paymentHash: string) => void = () => {};
  readonly #pool: Pool;
  readonly #nowMs: () => number;
  readonly #coins: VtxoId[];
  #notices = 0n;

  constructor(pool: Pool, seed: string, nowMs: () => number) {
    super(pool, seed);
    this.#pool = pool;
    this.#nowMs = nowMs;
    this.#coins = pool.vtxos.filter(({ role }) => role === "foreign").map(({ id }) => id);
    this.desk = {
      start: (start) => this.#start(start),
      check: (paymentHash) => this.#carryOut("check", () => this.#report(paymentHash)),
      prepare: (request) => this.#carryOut("prepare", () => this.#prepare(request)),
      claim: (request) => this.#claim(request),
      cancel: (paymentHash) => this.#carryOut("cancel", () => this.#cancel(paymentHash)),
    } satisfies ReceiveDesk;
  }

  /** Somebody pays an invoice, and the wallet may be told, several times. */
  pay(paymentHash: string, notices: number): void {
    const receive = this.receives.get(paymentHash);
    if (receive?.state !== "created") return;
    receive.state = "accepted";
    for (let i = 0; i < notices; i++) this.notify(paymentHash);
  }

  /** Tells the wallet of a payment, whether there is one or not. */
  notify(paymentHash: string): void {
    const checkpoint = 1_000n + ++this.#notices;
    const value = { paymentHash: Buffer.from(paymentHash, "hex"), amountMsat: this.#notices };
    const raw = encodeMessage({ checkpoint, message: { $case: "incomingLightningPayment", value } });
    this.keep({ checkpoint, raw, vtxos: undefined });
    this.emit({ checkpoint, raw, vtxos: undefined });
  }

  #start({ paymentHash, amountSats, minCltvDelta, description = "" }: ReceiveStart): string {
    return this.#carryOut("start", () => {
      const hash = encodeHex(paymentHash);
      const known = this.receives.get(hash);
      if (known !== undefined) return known.bolt11;
      const bolt11 = signBolt11(
        {
          network: "regtest",
          amountMsats: amountSats * 1_000n,
          createdAtS: BigInt(Math.floor(this.#nowMs() / 1_000)),
          paymentHash,
          paymentSecret: sha256(paymentHash),
          description,
          expiryS: 172_800n,
          minFinalCltvDelta: BigInt(minCltvDelta + 40),
        },
        NODE_KEY,
      );
      this.receives.set(hash, { bolt11, amountSats, state: "created", htlcIds: [] });
      return bolt11;
    });
  }

  #report(paymentHash: Uint8Array): ReceiveReport {
    const { bolt11: invoice, amountSats, state, htlcIds } = this.#find(paymentHash);
    return { invoice, amountSats, state, htlcIds };
  }

  #prepare({ paymentHash, userPubkey, htlcExpiryHeight }: ReceivePrepare) {
    const receive = this.#find(paymentHash);
    if (receive.state === "accepted") {
      if (htlcExpiryHeight > this.#pool.tipHeight + this.heldBlocks) throw rejected("SERVER_REJECTED");
      const htlcExpiryDelta = this.#pool.info.htlcExpiryDelta;
      const kind = "server-htlc-receive-v1";
      receive.htlcIds = this.#grant(receive, { kind, userPubkey, paymentHash, htlcExpiryHeight, htlcExpiryDelta });
      receive.state = "htlcs-ready";
    }
    if (receive.state !== "htlcs-ready") throw rejected("SERVER_REJECTED");
    const vtxos = receive.htlcIds.map((id) => encodeVtxo(this.rowOf(id).vtxo));
    return { report: this.#report(paymentHash), vtxos };
  }

  #grant({ amountSats }: Receive, policy: HtlcReceivePolicy): VtxoId[] {
    const [next = ""] = this.grantsOneOutput ? this.#coins : this.#coins.splice(0, 1);
    const coin = this.rowOf(next).vtxo;
    const grantedSats = amountSats - lightningReceiveFee(this.#pool.info.fees.lightningReceive, amountSats);
    const change: UserPolicy = { kind: "pubkey", userPubkey: STRANGER_KEYS.vtxoPublicKey(0) };
    const destinations = [
      { amountSats: grantedSats, policy },
      { amountSats: coin.amountSats - grantedSats, policy: change },
    ];
    const parts = buildArkoorPackage({ inputs: [coin], destinations, mode: "direct" });
    const keys = { userSecretKey: STRANGER_KEYS.vtxoSecretKey(0), serverSecretKey: this.keys.serverSecretKey };
    const vtxos = parts.flatMap((part) => signArkoorPartJointly(part, keys, (length) => this.random.bytes(length)));
    const granted = vtxos.filter((vtxo) => vtxo.policy.kind === policy.kind);
    for (const vtxo of granted) this.rows.set(vtxoId(vtxo), { vtxo, state: "spendable" });
    return granted.map(vtxoId);
  }

  #claim({ paymentHash, preimage, parts }: ReceiveClaimRequest): readonly ArkoorCosignResponse[] {
    const hash = encodeHex(paymentHash);
    if (!equalBytes(sha256(preimage), paymentHash)) this.broken ??= new assert.AssertionError({ message: "a false preimage" });
    this.onPreimage(hash);
    const receive = this.#find(paymentHash);
    if (receive.state !== "htlcs-ready" && receive.state !== "settled") throw rejected("SERVER_REJECTED");
    assert.deepEqual(
      parts.map(({ inputVtxoId }) => inputVtxoId),
      receive.htlcIds,
    );
    const answers = this.cosignAs("claim", parts, { ...CLAIM_RULES, inputPolicies: [...CLAIM_RULES.inputPolicies] });
    receive.state = "settled";
    return answers;
  }

  #cancel(paymentHash: Uint8Array): void {
    const receive = this.#find(paymentHash);
    if (receive.state === "htlcs-ready" || receive.state === "settled") throw rejected("SERVER_REJECTED");
    receive.state = "canceled";
  }

  #carryOut<T>(call: "start" | "check" | "prepare" | "cancel", work: () => T): T {
    this.begin(call);
    const answer = work();
    this.finish(call);
    return answer;
  }

  #find(paymentHash: Uint8Array): Receive {
    const receive = this.receives.get(encodeHex(paymentHash));
    if (receive === undefined) throw rejected("SERVER_NOT_FOUND");
    return receive;
  }
}

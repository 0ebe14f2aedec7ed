import assert from "node:assert/strict";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../../ark/arkoor-request.ts";
import { arkoorResults } from "../../ark/arkoor-result.ts";
import { ARKOOR_COSIGN_RULES, type ArkoorRpcRules, checkArkoorRequests, cosignArkoorPart } from "../../ark/arkoor-server.ts";
import { spendingTxid } from "../../ark/arkoor-transactions.ts";
import { ArkError } from "../../ark/errors.ts";
import { encodeHex } from "../../ark/hex.ts";
import type { UserPolicy } from "../../ark/policy.ts";
import { decodeTransaction } from "../../ark/transaction.ts";
import { validateVtxo } from "../../ark/validate.ts";
import { decodeVtxo, type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import { SeededRandom } from "../../simulator/seeded-random.ts";
import { ServerKeys } from "../../simulator/server-keys.ts";
import { StreamError, type StreamErrorCode } from "../../streams/errors.ts";
import type { VtxoStatus } from "../../streams/session.ts";
import type { Pool } from "../deliveries/pool.ts";
import { ScriptedServer } from "../deliveries/scripted-server.ts";

/** A VTXO that the server tracks. */
export interface Row {
  readonly vtxo: Vtxo<UserPolicy>;
  state: "spendable" | "unregistered" | "spent";
  spentBy?: string;
}

/** What the server makes of its next answer to a cosign request. */
export type Garble = "signature" | "nonce" | "part-missing" | "signatures-swapped";

/** A call that changes something; `registerInputs` and `registerResults` are the same one. */
export const CALLS = ["registerInputs", "cosign", "registerResults", "backUp", "deliver"] as const;
/** One of {@link CALLS}. */
export type Call = (typeof CALLS)[number];

/** A call of a Lightning receive. */
export const RECEIVE_CALLS = ["start", "check", "prepare", "claim", "cancel"] as const;
type ReceiveCall = (typeof RECEIVE_CALLS)[number];

/** What happens to a call: before it is carried out, or to its answer. */
export interface Trouble {
  readonly at: Call | ReceiveCall;
  readonly when: "before" | "after";
  /** What the wallet sees; null where its process dies. */
  readonly code: StreamErrorCode | null;
}

/** A server that cosigns as arkoor.md §10 says, with real signatures, and watches the nonces that it is given. */
export class PayingServer extends ScriptedServer {
  /** Answers that come wrong, the next first. */
  readonly garbles: Garble[] = [];
  /** What happens to calls, the next of its call first. */
  readonly troubles: Trouble[] = [];
  /** A promise that the wallet broke. */
  broken: Error | undefined;
  /** Ends the process that called. */
  kill: () => void = () => {};
  /** VTXOs that recipients got, by the key that owns them (hex). */
  readonly delivered = new Map<string, Map<VtxoId, bigint>>();
  protected readonly rows = new Map<VtxoId, Row>();
  readonly #nonces = new Set<string>();
  protected readonly keys: ServerKeys;
  protected readonly random = new SeededRandom("nonces");
  readonly #pool: Pool;

  constructor(pool: Pool, seed: string) {
    super(pool, 100, { onRegister() {}, onRecoveryPost() {} });
    this.#pool = pool;
    this.keys = new ServerKeys(new SeededRandom(seed).fork("keys"));
    for (const { id, bytes } of pool.vtxos) this.rows.set(id, { vtxo: decodeVtxo(bytes), state: "spendable" });
  }

  /** VTXOs that the server calls unspent. */
  unspent(): VtxoId[] {
    return [...this.rows].filter(([, { state }]) => state !== "spent").map(([id]) => id);
  }

  /** The key that owns a VTXO, hex. */
  ownerOf(id: VtxoId): string {
    return encodeHex(this.rowOf(id).vtxo.policy.userPubkey);
  }

  /** As if the wallet had spent it in records that it lost. */
  spend(id: VtxoId): void {
    this.rowOf(id).state = "spent";
  }

  override cosign(requests: readonly ArkoorCosignRequest[]): readonly ArkoorCosignResponse[] {
    return this.cosignAs("cosign", requests, ARKOOR_COSIGN_RULES);
  }

  /** Cosigns a package by the rules of a call. */
  protected cosignAs(
    call: Trouble["at"],
    requests: readonly ArkoorCosignRequest[],
    rules: ArkoorRpcRules,
  ): readonly ArkoorCosignResponse[] {
    this.begin(call);
    for (const nonce of requests.flatMap(({ userPublicNonces }) => userPublicNonces).map(encodeHex)) {
      // Thrown here it would be one more failed call.
      if (this.#nonces.has(nonce)) this.broken ??= new assert.AssertionError({ message: "a nonce is used once" });
      this.#nonces.add(nonce);
    }
    const inputs = requests.map((request) => ({ request, input: this.rowOf(request.inputVtxoId).vtxo }));
    const parts = orRejected(() => checkArkoorRequests(inputs, rules));
    for (const part of parts) {
      const row = this.rowOf(vtxoId(part.input));
      const isRetry = row.state === "spent" && row.spentBy === spendingTxid(part);
      if (!isRetry && row.state !== "spendable") throw rejected("SERVER_REJECTED");
    }
    for (const part of parts) {
      Object.assign(this.rowOf(vtxoId(part.input)), { state: "spent", spentBy: spendingTxid(part) });
      for (const vtxo of arkoorResults(part)) {
        if (!this.rows.has(vtxoId(vtxo))) this.rows.set(vtxoId(vtxo), { vtxo, state: "unregistered" });
      }
    }
    const server = { secretKey: this.keys.serverSecretKey, randomBytes: (length: number) => this.random.bytes(length) };
    const answers = parts.map((part, index) => cosignArkoorPart(part, requests[index]?.userPublicNonces ?? [], server));
    const garble = this.garbles.shift();
    this.finish(call);
    return garble === undefined ? answers : garbled(answers, garble);
  }

  override register(vtxos: readonly Uint8Array[]): void {
    const call = vtxos.some((bytes) => this.rowOf(vtxoId(decodeVtxo(bytes))).state === "unregistered")
      ? "registerResults"
      : "registerInputs";
    this.begin(call);
    for (const bytes of vtxos) {
      const vtxo = decodeVtxo(bytes);
      const row = this.rowOf(vtxoId(vtxo));
      const anchor = this.#pool.vtxos.find(({ anchorTxid }) => anchorTxid === vtxo.chainAnchor.txid);
      validateVtxo(vtxo, decodeTransaction(anchor?.anchorBytes ?? new Uint8Array()));
      if (row.state === "unregistered") row.state = "spendable";
    }
    this.finish(call);
  }

  override backUp(): void {
    this.begin("backUp");
    this.finish("backUp");
  }

  override status(id: VtxoId): VtxoStatus {
    return this.rowOf(id).state;
  }

  override deliver(_blindedId: Uint8Array, vtxos: readonly Uint8Array[]): void {
    this.begin("deliver");
    for (const bytes of vtxos) {
      const vtxo = decodeVtxo(bytes);
      if (this.rowOf(vtxoId(vtxo)).state === "spent") this.broken ??= new Error("what is delivered is unspent");
      const owner = encodeHex(vtxo.policy.userPubkey);
      const got = this.delivered.get(owner) ?? new Map<VtxoId, bigint>();
      this.delivered.set(owner, got.set(vtxoId(vtxo), vtxo.amountSats));
    }
    this.finish("deliver");
  }

  protected begin(call: Trouble["at"]): void {
    this.#suffer(call, "before");
  }

  protected finish(call: Trouble["at"]): void {
    this.#suffer(call, "after");
  }

  #suffer(call: Trouble["at"], when: Trouble["when"]): void {
    const index = this.troubles.findIndex((trouble) => trouble.at === call);
    if (index < 0 || this.troubles[index]?.when !== when) return;
    const [trouble] = this.troubles.splice(index, 1);
    if (trouble?.code === null) this.kill();
    throw new StreamError(trouble?.code ?? "SERVER_UNREACHABLE", `scripted: trouble ${when} ${call}`);
  }

  protected rowOf(id: VtxoId): Row {
    const row = this.rows.get(id);
    if (row === undefined) throw rejected("SERVER_NOT_FOUND");
    return row;
  }
}

function garbled(answers: ArkoorCosignResponse[], how: Garble): ArkoorCosignResponse[] {
  const [first, ...others] = answers;
  if (first === undefined) return answers;
  const { serverPublicNonces: nonces, serverPartialSignatures: signatures } = first;
  switch (how) {
    case "part-missing":
      return others;
    case "signatures-swapped":
      return [{ ...first, serverPartialSignatures: signatures.toReversed() }, ...others];
    case "signature":
      return [{ ...first, serverPartialSignatures: signatures.map((signature) => signature.map((byte) => byte ^ 1)) }, ...others];
    case "nonce":
      return [{ ...first, serverPublicNonces: nonces.toReversed() }, ...others];
  }
}

function orRejected<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ArkError) throw rejected("SERVER_REJECTED");
    throw error;
  }
}

/** A refusal. */
export function rejected(code: "SERVER_REJECTED" | "SERVER_NOT_FOUND"): StreamError {
  return new StreamError(code, `scripted: ${code}`);
}

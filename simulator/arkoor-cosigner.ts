import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { ArkoorCosignRequest } from "../ark/arkoor-request.ts";
import { arkoorResults } from "../ark/arkoor-result.ts";
import {
  ARKOOR_COSIGN_RULES,
  type ArkoorRpcRules,
  type ArkoorServerPart,
  checkArkoorRequests,
  cosignArkoorPart,
} from "../ark/arkoor-server.ts";
import { type ArkoorPart, spendingTxid } from "../ark/arkoor-transactions.ts";
import { sha256 } from "../ark/crypto.ts";
import { encodeHex } from "../ark/hex.ts";
import { isUserPolicy } from "../ark/policy.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { ArkoorPackageCosignRequest, type ArkoorPackageCosignResponse } from "../proto/generated/bark_server.ts";
import type { ServerTerms } from "./ark-info.ts";
import { internalOutputs } from "./arkoor-internal-outputs.ts";
import { readCosignRequest, writeCosignRequest, writeCosignResponse } from "./arkoor-wire.ts";
import { badInput, internal, NotFound, orBadInput } from "./rpc-status.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { SpendState, VtxoLedger } from "./vtxo-ledger.ts";

/** What the cosigner stands on. */
export interface ArkoorCosignerParts {
  readonly ledger: VtxoLedger;
  readonly chain: SimulatedChain;
  readonly keys: ServerKeys;
  readonly terms: ServerTerms;
  /** Source of the server's nonces. */
  readonly random: SeededRandom;
}

/** A part that passed its own checks. */
interface CheckedPart {
  readonly request: ArkoorCosignRequest;
  readonly part: ArkoorPart;
}

/** How a method of the server cosigns a package that it has checked (arkoor.md §10.1, rows 8 and 9). */
export interface ExecutionRules {
  /** Whether the inputs must be spendable before the write too. */
  readonly checksBefore: boolean;
  /** Whether inputs that another request works on are refused. */
  readonly locks: boolean;
  /** Last checks and effects of the method inside the write, before those of the inputs. */
  readonly insideWrite?: () => void;
}

/** States in which an input may be marked as spent (arkoor.md §10.2). */
const MARKABLE: readonly SpendState[] = ["spendable", "htlc-recv-unclaimed"];

/** Cosigns packages: checks, one write, then signatures (arkoor.md §10). */
export class ArkoorCosigner {
  readonly #parts: ArkoorCosignerParts;
  readonly #locked = new Set<VtxoId>();

  constructor(parts: ArkoorCosignerParts) {
    this.#parts = parts;
  }

  /**
   * `RequestArkoorCosign`. A request that was answered before is answered again, with fresh nonces.
   *
   * @throws ServerError
   */
  async cosign(wire: ArkoorPackageCosignRequest): Promise<ArkoorPackageCosignResponse> {
    const inputs = this.find(wire.parts.map((part) => readCosignRequest(part)));
    return this.execute(this.check(inputs, this.paymentRules), { checksBefore: true, locks: true });
  }

  /** The rules of `RequestArkoorCosign` with the limits of this server. */
  get paymentRules(): ArkoorRpcRules {
    const { maxArkoorFanout: maxFanOut, maxVtxoExitDepth: maxExitDepth } = this.#parts.terms;
    return { ...ARKOOR_COSIGN_RULES, maxFanOut, maxExitDepth };
  }

  /** Rows 1a to 7 of arkoor.md §10.1. @throws ServerError */
  check(inputs: readonly ArkoorServerPart[], rules: ArkoorRpcRules): CheckedPart[] {
    const built = orBadInput("package", () => checkArkoorRequests(inputs, rules));
    return inputs.flatMap(({ request }, i) => built.slice(i, i + 1).map((part) => ({ request, part })));
  }

  /** Rows 8 and 9, the write, and the signatures. @throws ServerError */
  async execute(checked: readonly CheckedPart[], rules: ExecutionRules): Promise<ArkoorPackageCosignResponse> {
    const { keys } = this.#parts;
    if (rules.checksBefore) for (const part of checked) this.#checkSpendable(part);
    await this.#locking(rules.locks ? checked : [], async () => {
      // As the database of a real server does, this lets other requests in between.
      await yieldToOthers();
      rules.insideWrite?.();
      for (const part of checked) this.#checkMarkable(part);
      this.#write(checked);
    });
    const random = this.#nonceSource(checked);
    const server = { secretKey: keys.serverSecretKey, randomBytes: (length: number) => random.bytes(length) };
    const signed = checked.map(({ request, part }) => cosignArkoorPart(part, request.userPublicNonces, server));
    return { parts: signed.map(writeCosignResponse) };
  }

  /**
   * Nonces follow from the whole request, so that answers do not depend on what else is going on. The user's nonces are
   * part of it: another message or another user nonce never meets the same server nonce.
   */
  #nonceSource(checked: readonly CheckedPart[]): SeededRandom {
    const wire = { parts: checked.map(({ request }) => writeCosignRequest(request)) };
    return this.#parts.random.fork(encodeHex(sha256(ArkoorPackageCosignRequest.encode(wire).finish())));
  }

  /** The inputs of a package: row 1 of arkoor.md §10.1. @throws ServerError */
  find(requests: readonly ArkoorCosignRequest[]): ArkoorServerPart[] {
    const ids = requests.map((request) => request.inputVtxoId);
    const unknown = ids.filter((id) => !this.#parts.ledger.has(id));
    if (unknown.length > 0) throw new NotFound("vtxos", unknown);
    if (new Set(ids).size < ids.length) throw new NotFound("vtxos given twice");
    return requests.map((request) => {
      const vtxo = this.#parts.ledger.get(request.inputVtxoId)?.vtxo;
      if (!vtxo || !isUserPolicy(vtxo.policy)) throw internal(`${request.inputVtxoId} is not a user vtxo`);
      return { request, input: { ...vtxo, policy: vtxo.policy } };
    });
  }

  /** Row 8: spendable for arkoor, or spent by this very part already (arkoor.md §10.2). */
  #checkSpendable(checked: CheckedPart): void {
    const { part, request } = checked;
    if (this.#isRetry(checked)) return;
    const { kind } = part.input.policy;
    const state = this.#stateOf(request.inputVtxoId, part);
    if (state !== "spendable" || kind !== "pubkey") {
      throw badInput(
        `expected ${request.inputVtxoId} to be spendable, got ${state}${kind === "pubkey" ? "" : ` of policy ${kind}`}`,
      );
    }
  }

  /** The same inside the write, where HTLCs pass. */
  #checkMarkable(checked: CheckedPart): void {
    if (this.#isRetry(checked)) return;
    const state = this.#stateOf(checked.request.inputVtxoId, checked.part);
    if (state === null || state === "exited" || !MARKABLE.includes(state)) {
      throw badInput(`expected ${checked.request.inputVtxoId} to be spendable, got ${state}`);
    }
  }

  #isRetry({ request, part }: CheckedPart): boolean {
    const { ledger, terms } = this.#parts;
    const entry = ledger.get(request.inputVtxoId);
    if (terms.release === "0.6.0" && this.#isExited(part)) return false;
    return entry?.state === "spent" && entry.spentBy === spendingTxid(part);
  }

  #stateOf(id: VtxoId, part: ArkoorPart): SpendState | "exited" | null {
    return this.#isExited(part) ? "exited" : (this.#parts.ledger.get(id)?.state ?? null);
  }

  /** Its own transaction is in a block; to release 0.6.0 the mempool is enough (lightning.md §13.3). */
  #isExited({ input }: ArkoorPart): boolean {
    const { chain, terms } = this.#parts;
    const seen = chain.transaction(input.point.txid);
    if (terms.release === "0.6.0") return seen !== null;
    return (seen?.height ?? null) !== null;
  }

  /** Row 9. */
  async #locking(checked: readonly CheckedPart[], step: () => Promise<void>): Promise<void> {
    const ids = checked.map(({ request }) => request.inputVtxoId);
    const taken = ids.find((id) => this.#locked.has(id));
    if (taken) throw badInput(`${taken} is already locked`);
    for (const id of ids) this.#locked.add(id);
    try {
      await step();
    } finally {
      for (const id of ids) this.#locked.delete(id);
    }
  }

  /** Everything or nothing: internal outputs, new VTXOs as unregistered, inputs as spent. */
  #write(checked: readonly CheckedPart[]): void {
    const { ledger } = this.#parts;
    const internals = checked.flatMap(({ part }) => internalOutputs(part));
    const conflict = internals.find(({ id, spentBy }) => ledger.has(id) && ledger.get(id)?.spentBy !== spentBy);
    if (conflict) throw internal(`${conflict.id} is spent by another transaction`);
    for (const { vtxo, spentBy } of internals) ledger.insert(vtxo, { state: "spent", isInternal: true, spentBy });
    for (const { request, part } of checked) {
      for (const vtxo of arkoorResults(part)) ledger.insert(vtxo, { state: "unregistered", isInternal: false });
      ledger.spend(request.inputVtxoId, spendingTxid(part));
    }
  }
}

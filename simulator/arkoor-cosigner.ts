import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { ArkoorCosignRequest } from "../ark/arkoor-request.ts";
import { arkoorResults } from "../ark/arkoor-result.ts";
import { ARKOOR_COSIGN_RULES, type ArkoorServerPart, checkArkoorRequests, cosignArkoorPart } from "../ark/arkoor-server.ts";
import { type ArkoorPart, spendingTxid } from "../ark/arkoor-transactions.ts";
import { sha256 } from "../ark/crypto.ts";
import { encodeHex } from "../ark/hex.ts";
import { isUserPolicy } from "../ark/policy.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { ArkoorPackageCosignRequest, type ArkoorPackageCosignResponse } from "../proto/generated/bark_server.ts";
import type { ServerTerms } from "./ark-info.ts";
import { internalOutputs } from "./arkoor-internal-outputs.ts";
import { readCosignRequest, writeCosignResponse } from "./arkoor-wire.ts";
import { badInput, internal, NotFound, orBadInput } from "./rpc-status.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

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

/** `RequestArkoorCosign`: checks, one write, then signatures (arkoor.md §10). */
export class ArkoorCosigner {
  readonly #parts: ArkoorCosignerParts;
  readonly #locked = new Set<VtxoId>();

  constructor(parts: ArkoorCosignerParts) {
    this.#parts = parts;
  }

  /**
   * Cosigns a package. A request that was answered before is answered again, with fresh nonces.
   *
   * @throws ServerError
   */
  async cosign(wire: ArkoorPackageCosignRequest): Promise<ArkoorPackageCosignResponse> {
    const { terms, keys } = this.#parts;
    const withInputs = this.#findInputs(wire.parts.map(readCosignRequest));
    const rules = { ...ARKOOR_COSIGN_RULES, maxFanOut: terms.maxArkoorFanout, maxExitDepth: terms.maxVtxoExitDepth };
    const built = orBadInput("package", () => checkArkoorRequests(withInputs, rules));
    const checked = withInputs.flatMap(({ request }, i) => built.slice(i, i + 1).map((part) => ({ request, part })));
    for (const part of checked) this.#checkUsable(part);
    await this.#locking(checked, async () => {
      // As the database of a real server does, this lets other requests in between.
      await yieldToOthers();
      for (const part of checked) this.#checkUsable(part);
      this.#write(checked);
    });
    const random = this.#nonceSource(wire);
    const server = { secretKey: keys.serverSecretKey, randomBytes: (length: number) => random.bytes(length) };
    const signed = checked.map(({ request, part }) => cosignArkoorPart(part, request.userPublicNonces, server));
    return { parts: signed.map(writeCosignResponse) };
  }

  /**
   * Nonces follow from the whole request, so that answers do not depend on what else is going on. The user's nonces are
   * part of it: another message or another user nonce never meets the same server nonce.
   */
  #nonceSource(wire: ArkoorPackageCosignRequest): SeededRandom {
    return this.#parts.random.fork(encodeHex(sha256(ArkoorPackageCosignRequest.encode(wire).finish())));
  }

  /** Row 1 of arkoor.md §10.1. */
  #findInputs(requests: readonly ArkoorCosignRequest[]): ArkoorServerPart[] {
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

  /** Row 8: spendable, or spent by this very part already (arkoor.md §10.2). */
  #checkUsable({ request: { inputVtxoId: id }, part }: CheckedPart): void {
    const entry = this.#parts.ledger.get(id);
    const isRetry = entry?.state === "spent" && entry.spentBy === spendingTxid(part);
    const isExited = (this.#parts.chain.transaction(part.input.point.txid)?.height ?? null) !== null;
    if (!isRetry && (entry?.state !== "spendable" || isExited)) {
      throw badInput(`expected ${id} to be spendable, got ${isExited ? "exited" : entry?.state}`);
    }
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

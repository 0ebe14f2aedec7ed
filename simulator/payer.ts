import type { Address } from "../ark/address.ts";
import { isolateDust, sumSats } from "../ark/arkoor-allocation.ts";
import { ArkoorCosignSession } from "../ark/arkoor-cosign.ts";
import { vtxosOfPolicy } from "../ark/arkoor-result.ts";
import { type ArkoorPart, buildArkoorPart } from "../ark/arkoor-transactions.ts";
import { publicKeyOf } from "../ark/crypto.ts";
import { signArkoorPartJointly } from "../ark/joint-signing.ts";
import type { UserPolicy } from "../ark/policy.ts";
import { encodeVtxo, exitDepth, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { ServerTerms } from "./ark-info.ts";
import type { ArkoorCosigner } from "./arkoor-cosigner.ts";
import { readCosignResponse, writeCosignRequest } from "./arkoor-wire.ts";
import { boardCoin, type Coin } from "./board-coin.ts";
import { SimulatorError } from "./errors.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";
import type { VtxoRegistry } from "./vtxo-registry.ts";

/** What a payer shall make. */
export interface PackageRequest {
  /** One VTXO for each, 1 … 2^62 sats. */
  readonly amountsSats: readonly bigint[];
  /** What the payer gets back from each of its coins, so that the new VTXOs have siblings. Default 0: no change. */
  readonly changeSats?: bigint;
  /**
   * How many of the new VTXOs come from one coin of the payer, and so share an anchor: 1 … the fan-out limit of the
   * server, less one with change. Default 1.
   */
  readonly perCoin?: number;
  /** Genesis items of the new VTXOs: an odd number from 3 on; every two more are one more payment. Default 3. */
  readonly depth?: number;
  /**
   * Signs all payments but the last for both sides at once, past the server: deep chains in a fraction of the time. Default
   * false.
   */
  readonly quick?: boolean;
  /** Leaves the funding transactions in the mempool. Default false: they are in blocks already. */
  readonly unconfirmedAnchor?: boolean;
  /** Another policy than the address has, say of an HTLC. */
  readonly policy?: UserPolicy;
  /** Whether the payer registers the new VTXOs, as an honest one does. Default true. */
  readonly register?: boolean;
  /** Height at which the new VTXOs expire. Default: the tip and the lifetime of the server's terms. */
  readonly expiryHeight?: number;
}

/** A VTXO that a payer made. */
export interface SimulatedVtxo {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  /** Full encoding, fully signed. */
  readonly bytes: Uint8Array;
  /** Transaction on chain that everything hangs from. */
  readonly anchorTxid: string;
  /** Number of genesis items. */
  readonly depth: number;
}

/** What payers stand on. */
export interface PayerParts {
  readonly keys: ServerKeys;
  readonly terms: ServerTerms;
  readonly ledger: VtxoLedger;
  readonly chain: SimulatedChain;
  readonly cosigner: ArkoorCosigner;
  readonly registry: VtxoRegistry;
  readonly random: SeededRandom;
}

/** Boards coins and sends them on: every signature is real and made by both sides, through the server's own methods. */
export class Payer {
  readonly #parts: PayerParts;
  #packages = 0;

  constructor(parts: PayerParts) {
    this.#parts = parts;
  }

  /**
   * Makes signed VTXOs for the owner of an address, without delivering them.
   *
   * @throws SimulatorError `AMOUNT_INVALID`, `OPTION_INVALID`; ServerError where the server refuses
   */
  async createPackage(address: Address, request: PackageRequest): Promise<SimulatedVtxo[]> {
    const { depth = 3, changeSats = 0n, perCoin = 1, register = true } = request;
    checkRequest(request, this.#parts.terms);
    const random = this.#parts.random.fork(`package/${this.#packages++}`);
    const groups = grouped(request.amountsSats, perCoin);
    let coins = groups.map((amounts) => this.#board(sumSats(amounts) + changeSats, request, random));
    for (let reached = 1; reached + 2 < depth; reached += 2) coins = await this.#forward(coins, request, random);

    const policy = request.policy ?? address.policy;
    const changePolicy: UserPolicy = { kind: "pubkey", userPubkey: publicKeyOf(random.secretKey()) };
    const parts = coins.map(({ vtxo }, i) => {
      const payments = (groups[i] ?? []).map((amountSats) => ({ amountSats, policy }));
      // The change goes first: it is then what lends to dust.
      const change = changeSats > 0n ? [{ amountSats: changeSats, policy: changePolicy }] : [];
      return buildArkoorPart(vtxo, isolateDust([...change, ...payments]), "checkpoint");
    });
    const created = await this.#cosign(coins, parts, random);
    if (register) this.#parts.registry.register(created.map(encodeVtxo));
    return inOrderOf(request.amountsSats, vtxosOfPolicy(created, policy)).map(describe);
  }

  /** Sends every coin whole to a new key of the payer. */
  async #forward(coins: readonly Coin[], { quick = false }: PackageRequest, random: SeededRandom): Promise<Coin[]> {
    const steps = coins.map(({ vtxo }) => {
      const secretKey = random.secretKey();
      const policy: UserPolicy = { kind: "pubkey", userPubkey: publicKeyOf(secretKey) };
      const outputs = { normal: [{ amountSats: vtxo.amountSats, policy }], isolated: [] };
      return { secretKey, part: buildArkoorPart(vtxo, outputs, "checkpoint") };
    });
    const parts = steps.map(({ part }) => part);
    const created = quick ? this.#signAlone(coins, parts, random) : await this.#cosign(coins, parts, random);
    if (!quick) this.#parts.registry.register(created.map(encodeVtxo));
    return steps.flatMap(({ secretKey }, i) => created.slice(i, i + 1).map((vtxo) => ({ vtxo, secretKey })));
  }

  #signAlone(coins: readonly Coin[], parts: readonly ArkoorPart[], random: SeededRandom): Vtxo<UserPolicy>[] {
    const { keys, ledger } = this.#parts;
    const created = parts.flatMap((part, i) => {
      const userSecretKey = coins[i]?.secretKey ?? new Uint8Array();
      return signArkoorPartJointly(part, { userSecretKey, serverSecretKey: keys.serverSecretKey }, (length) =>
        random.bytes(length),
      );
    });
    for (const vtxo of created) ledger.insert(vtxo, { state: "spendable", isInternal: false });
    return created;
  }

  async #cosign(coins: readonly Coin[], parts: readonly ArkoorPart[], random: SeededRandom): Promise<Vtxo<UserPolicy>[]> {
    const secretKeys = coins.map((coin) => coin.secretKey);
    const session = ArkoorCosignSession.start({ parts, secretKeys, randomBytes: (length) => random.bytes(length) });
    const response = await this.#parts.cosigner.cosign({ parts: session.requests.map(writeCosignRequest) });
    return session.finish(response.parts.map(readCosignResponse), secretKeys);
  }

  /** A coin that was boarded earlier: funding on the chain, known to the server, spendable. */
  #board(amountSats: bigint, request: PackageRequest, random: SeededRandom): Coin {
    const { keys, terms, ledger, chain } = this.#parts;
    const order = {
      amountSats,
      serverSecretKey: keys.serverSecretKey,
      expiryHeight: request.expiryHeight ?? chain.tip + terms.vtxoLifetime,
      exitDelta: terms.vtxoExitDelta,
      unconfirmedAnchor: request.unconfirmedAnchor ?? false,
    };
    const coin = boardCoin(chain, order, random);
    ledger.insert(coin.vtxo, { state: "spendable", isInternal: false });
    return coin;
  }
}

function describe(vtxo: Vtxo<UserPolicy>): SimulatedVtxo {
  return {
    id: vtxoId(vtxo),
    amountSats: vtxo.amountSats,
    bytes: encodeVtxo(vtxo),
    anchorTxid: vtxo.chainAnchor.txid,
    depth: exitDepth(vtxo),
  };
}

function grouped(amounts: readonly bigint[], size: number): bigint[][] {
  return Array.from({ length: Math.ceil(amounts.length / size) }, (_, i) => amounts.slice(i * size, (i + 1) * size));
}

/** Dust isolation can move a VTXO behind others, or cut one in two: that one is then missing. */
function inOrderOf(amounts: readonly bigint[], vtxos: readonly Vtxo<UserPolicy>[]): Vtxo<UserPolicy>[] {
  const left = [...vtxos];
  return amounts.map((amountSats) => {
    const index = left.findIndex((vtxo) => vtxo.amountSats === amountSats);
    const [vtxo] = index < 0 ? [] : left.splice(index, 1);
    if (!vtxo)
      throw new SimulatorError("AMOUNT_INVALID", `expected ${amountSats} sats in one VTXO, got them cut to isolate dust`);
    return vtxo;
  });
}

function checkRequest(request: PackageRequest, { maxArkoorFanout }: ServerTerms): void {
  const { amountsSats, depth = 3, changeSats = 0n, perCoin = 1 } = request;
  if (amountsSats.length === 0) throw new SimulatorError("AMOUNT_INVALID", "expected at least one amount, got none");
  for (const amountSats of amountsSats) checkAmount(amountSats, 1n);
  checkAmount(changeSats, 0n);
  const mostPerCoin = maxArkoorFanout - (changeSats > 0n ? 1 : 0);
  if (!Number.isInteger(perCoin) || perCoin < 1 || perCoin > mostPerCoin) {
    throw new SimulatorError("OPTION_INVALID", `expected 1 … ${mostPerCoin} VTXOs a coin, got ${perCoin}`);
  }
  if (!Number.isInteger(depth) || depth < 3 || depth % 2 === 0) {
    throw new SimulatorError("OPTION_INVALID", `expected an odd depth of at least 3, got ${depth}`);
  }
}

function checkAmount(amountSats: bigint, least: bigint): void {
  if (amountSats < least || amountSats > 1n << 62n) {
    throw new SimulatorError("AMOUNT_INVALID", `expected ${least} … 2^62 sats, got ${amountSats}`);
  }
}

import { type Destination, sumSats } from "../ark/arkoor-allocation.ts";
import { vtxosOfPolicy } from "../ark/arkoor-result.ts";
import { buildArkoorPackage, spendingTxid } from "../ark/arkoor-transactions.ts";
import { equalBytes } from "../ark/bytes.ts";
import { publicKeyOf } from "../ark/crypto.ts";
import { signArkoorPartJointly } from "../ark/joint-signing.ts";
import type { HtlcReceivePolicy, UserPolicy } from "../ark/policy.ts";
import { type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { ServerTerms } from "./ark-info.ts";
import { internalOutputs } from "./arkoor-internal-outputs.ts";
import { boardCoin, type Coin, type CoinOrder } from "./board-coin.ts";
import { internal } from "./rpc-status.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

/** What the pool stands on. */
export interface LightningPoolParts {
  readonly keys: ServerKeys;
  readonly terms: ServerTerms;
  readonly ledger: VtxoLedger;
  readonly chain: SimulatedChain;
  readonly random: SeededRandom;
}

/** What else can be said of the coins of a pool. */
export type PoolOrder = Partial<Pick<CoinOrder, "expiryHeight" | "unconfirmedAnchor">>;

/** What a forged grant is made of: a coin that is so, or the one that the first grant spent. */
type ForgeOrder = Partial<CoinOrder> & { readonly isRespent: boolean };

/** Blocks that a VTXO of the pool must still live to be granted (lightning.md §13.2). */
const LEAST_LIFE = 144;

/** What a pool that fills itself adds to what is asked for, so that a grant has change beside it. */
const SPARE_SATS = 10_000n;

/** The server's own VTXOs, out of which receives are granted. Unless it was set, it fills itself as needed. */
export class LightningPool {
  readonly #parts: LightningPoolParts;
  #coins: Coin[] | null = null;
  /** What the first grant spent. */
  #firstSpent: Coin | undefined;

  constructor(parts: LightningPoolParts) {
    this.#parts = parts;
  }

  /** Replaces the pool by coins of these amounts, which do not fill up again; `null` for one that fills itself. */
  set(amountsSats: readonly bigint[] | null, order: PoolOrder = {}): void {
    this.#coins = amountsSats?.map((amountSats) => this.#known(this.#mint(amountSats, order))) ?? null;
  }

  /**
   * Grants VTXOs of a policy, worth an amount together: in direct mode, fully signed, the change stays in the pool.
   *
   * @throws ServerError when the pool is exhausted
   */
  grant(amountSats: bigint, policy: HtlcReceivePolicy): Vtxo<UserPolicy>[] {
    const { ledger, keys } = this.#parts;
    const coins = this.#coins ? this.#take(amountSats) : [this.#known(this.#mint(amountSats + SPARE_SATS))];
    this.#firstSpent ??= coins[0];
    const package_ = this.#package(coins, { amountSats, policy }, keys.serverSecretKey);
    for (const part of package_.parts) {
      for (const { vtxo, spentBy } of internalOutputs(part)) ledger.insert(vtxo, { state: "spent", isInternal: true, spentBy });
      ledger.spend(vtxoId(part.input), spendingTxid(part));
    }
    for (const vtxo of package_.granted) ledger.insert(vtxo, { state: "htlc-recv-unclaimed", isInternal: false });
    this.#coins?.push(...package_.kept.map((coin) => this.#known(coin)));
    return package_.granted;
  }

  /** VTXOs that look like a grant, out of a coin that is as `order` says. The server does not know them. */
  forge(amountSats: bigint, policy: HtlcReceivePolicy, { isRespent, ...order }: ForgeOrder): Vtxo<UserPolicy>[] {
    const respent = isRespent ? this.#firstSpent : undefined;
    const coin = respent ?? this.#mint(amountSats + SPARE_SATS, order);
    const serverSecretKey = order.serverSecretKey ?? this.#parts.keys.serverSecretKey;
    return this.#package([coin], { amountSats, policy }, serverSecretKey).granted;
  }

  #package(coins: readonly Coin[], payment: Destination, serverSecretKey: Uint8Array) {
    const { random } = this.#parts;
    const secretKey = random.secretKey();
    const changeSats = sumSats(coins.map(({ vtxo }) => vtxo.amountSats)) - payment.amountSats;
    const change: UserPolicy = { kind: "pubkey", userPubkey: publicKeyOf(secretKey) };
    const destinations = [payment, ...(changeSats > 0n ? [{ amountSats: changeSats, policy: change }] : [])];
    const parts = buildArkoorPackage({ inputs: coins.map(({ vtxo }) => vtxo), destinations, mode: "direct" });
    const created = parts.flatMap((part, i) => {
      const userSecretKey = coins[i]?.secretKey ?? new Uint8Array();
      return signArkoorPartJointly(part, { userSecretKey, serverSecretKey }, (length) => random.bytes(length));
    });
    const kept = vtxosOfPolicy(created, change).map((vtxo) => ({ vtxo, secretKey }));
    return { parts, granted: vtxosOfPolicy(created, payment.policy), kept };
  }

  /** Soonest-expiring first until they cover the amount, then ordered by amount. */
  #take(amountSats: bigint): Coin[] {
    const { chain, keys } = this.#parts;
    const isUsable = ({ vtxo }: Coin) =>
      vtxo.expiryHeight >= chain.tip + LEAST_LIFE && equalBytes(vtxo.serverPubkey, keys.serverPubkey);
    const candidates = (this.#coins ?? []).filter(isUsable).sort((a, b) => a.vtxo.expiryHeight - b.vtxo.expiryHeight);
    const taken: Coin[] = [];
    let missing = amountSats;
    while (missing > 0n) {
      const next = candidates.shift();
      if (!next) throw internal("the pool has no VTXOs left for this amount");
      taken.push(next);
      missing -= next.vtxo.amountSats;
    }
    this.#coins = (this.#coins ?? []).filter((coin) => !taken.includes(coin));
    return taken.sort((a, b) => Number(a.vtxo.amountSats - b.vtxo.amountSats));
  }

  #mint(amountSats: bigint, order: Partial<CoinOrder> = {}): Coin {
    const { chain, terms, keys, random } = this.#parts;
    const usual = {
      serverSecretKey: keys.serverSecretKey,
      expiryHeight: chain.tip + terms.vtxoLifetime,
      exitDelta: terms.vtxoExitDelta,
      unconfirmedAnchor: false,
    };
    return boardCoin(chain, { amountSats, ...usual, ...order }, random);
  }

  #known(coin: Coin): Coin {
    this.#parts.ledger.insert(coin.vtxo, { state: "pool", isInternal: true });
    return coin;
  }
}

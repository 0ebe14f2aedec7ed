import { compareBytes } from "../ark/bytes.ts";
import { publicKeyOf } from "../ark/crypto.ts";
import { lightningReceiveFee } from "../ark/fees.ts";
import { decodeHex } from "../ark/hex.ts";
import type { HtlcReceivePolicy } from "../ark/policy.ts";
import { encodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import { encodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import type { ServerTerms } from "./ark-info.ts";
import type { CoinOrder } from "./board-coin.ts";
import type { GrantFault, LightningFaults } from "./lightning-faults.ts";
import type { LightningPool } from "./lightning-pool.ts";
import type { LightningReceive } from "./lightning-store.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

/** What grants stand on. */
export interface LightningGrantsParts {
  readonly terms: ServerTerms;
  readonly ledger: VtxoLedger;
  readonly chain: SimulatedChain;
  readonly pool: LightningPool;
  readonly faults: LightningFaults;
  readonly random: SeededRandom;
}

/** What a receiver asks a grant for. */
export interface GrantRequest {
  /** 33 bytes. */
  readonly userPubkey: Uint8Array;
  readonly htlcExpiryHeight: number;
}

/** What is handed out to a receiver. */
export interface HandedOut {
  /** Full encodings. */
  readonly vtxos: readonly Uint8Array[];
  readonly reportedSats: bigint;
}

/** A false grant: another policy or amount, or another coin below it. */
interface Falsehood {
  readonly amountSats?: bigint;
  readonly policy?: Partial<HtlcReceivePolicy>;
  readonly coin?: Partial<CoinOrder>;
  /** Whether it spends what the first grant of all spent already. */
  readonly isRespent?: boolean;
}

/** Grants HTLC VTXOs for receives, and tells lies about them where a fault asks for it. */
export class LightningGrants {
  readonly #parts: LightningGrantsParts;
  /** The lies that were told, by payment hash and fault: a lie is kept up too. */
  readonly #lies = new Map<string, readonly Uint8Array[]>();

  constructor(parts: LightningGrantsParts) {
    this.#parts = parts;
  }

  /** The fee that is taken off a receive. */
  fee(amountSats: bigint): bigint {
    const { terms, faults } = this.#parts;
    return lightningReceiveFee((faults.fees ?? terms.fees).lightningReceive, amountSats);
  }

  /** Grants, once. @returns the ids, sorted by raw bytes. @throws ServerError when the pool is exhausted */
  issue(receive: LightningReceive, request: GrantRequest): VtxoId[] {
    const vtxos = this.#parts.pool.grant(receive.amountSats - this.fee(receive.amountSats), this.#policy(receive, request));
    return sortedIds(vtxos);
  }

  /** What the receiver is answered: the grant, or what a switched fault makes of it. */
  handOut(receive: LightningReceive): HandedOut {
    const { ledger, faults } = this.#parts;
    const granted = receive.htlcIds.flatMap((id) => ledger.get(id)?.vtxo ?? []);
    const vtxos = granted.map((vtxo) => encodeVtxo(vtxo));
    const { amountSats } = receive;
    if (faults.grant === null) return { vtxos, reportedSats: amountSats };
    const [first] = granted;
    switch (faults.grant) {
      case "reported-amount":
        return { vtxos, reportedSats: amountSats * 2n };
      case "doubled":
        return { vtxos: [...vtxos, ...vtxos], reportedSats: amountSats };
      case "unsigned":
        return { vtxos: granted.map((vtxo) => encodeVtxo(withoutLastSignature(vtxo))), reportedSats: amountSats };
      default: {
        const key = `${receive.paymentHash}/${faults.grant}`;
        const lie = this.#lies.get(key) ?? this.#lie(receive, first, falsehood(faults.grant, this.#parts));
        this.#lies.set(key, lie);
        return { vtxos: lie, reportedSats: amountSats };
      }
    }
  }

  #policy({ paymentHash }: LightningReceive, request: GrantRequest): HtlcReceivePolicy {
    return {
      kind: "server-htlc-receive-v1",
      userPubkey: request.userPubkey,
      paymentHash: decodeHex(paymentHash),
      htlcExpiryHeight: request.htlcExpiryHeight,
      htlcExpiryDelta: this.#parts.terms.htlcExpiryDelta,
    };
  }

  /** A well-signed grant that differs from the true one as a fault says. */
  #lie(
    receive: LightningReceive,
    granted: Vtxo | undefined,
    { amountSats, policy, coin, isRespent = false }: Falsehood,
  ): Uint8Array[] {
    if (granted?.policy.kind !== "server-htlc-receive-v1") return [];
    const trueSats = receive.amountSats - this.fee(receive.amountSats);
    const shift = policy?.htlcExpiryHeight ?? 0;
    const lie = { ...granted.policy, ...policy, htlcExpiryHeight: granted.policy.htlcExpiryHeight + shift };
    const order = { ...coin, isRespent };
    return this.#parts.pool.forge(trueSats + (amountSats ?? 0n), lie, order).map((vtxo) => encodeVtxo(vtxo));
  }
}

/** What a fault makes of the grant; heights and amounts of it are differences. */
function falsehood(fault: GrantFault, { random, terms, chain }: LightningGrantsParts): Falsehood {
  switch (fault) {
    case "short-amount":
      return { amountSats: -1n };
    case "other-hash":
      return { policy: { paymentHash: random.bytes(32) } };
    case "other-key":
      return { policy: { userPubkey: publicKeyOf(random.secretKey()) } };
    case "other-policy":
      return { policy: { kind: "server-htlc-receive" } };
    case "early-expiry":
      return { policy: { htlcExpiryHeight: -1 } };
    case "htlc-delta":
      return { policy: { htlcExpiryDelta: terms.htlcExpiryDelta + 3 } };
    case "exit-delta":
      return { coin: { exitDelta: terms.vtxoExitDelta + 3 } };
    case "foreign-server":
      return { coin: { serverSecretKey: random.secretKey() } };
    case "expiring":
      return { coin: { expiryHeight: chain.tip + 6 } };
    case "unconfirmed":
      return { coin: { unconfirmedAnchor: true } };
    case "respent":
      return { isRespent: true };
    case "reported-amount":
    case "doubled":
    case "unsigned":
      return {};
  }
}

function withoutLastSignature(vtxo: Vtxo): Vtxo {
  const last = vtxo.genesis.at(-1);
  if (last?.transition.kind !== "arkoor") return vtxo;
  return { ...vtxo, genesis: vtxo.genesis.with(-1, { ...last, transition: { ...last.transition, signature: null } }) };
}

function sortedIds(vtxos: readonly Vtxo[]): VtxoId[] {
  return vtxos.map(vtxoId).sort((a, b) => compareBytes(encodeVtxoId(a), encodeVtxoId(b)));
}

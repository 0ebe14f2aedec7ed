import { readableVtxoId } from "../../ark/accept.ts";
import { sha256 } from "../../ark/crypto.ts";
import { encodeHex } from "../../ark/hex.ts";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import type { Pool, PoolVtxo, Role } from "./pool.ts";

/** Roles that are money in the end, when anchors are confirmed and the server knows what it has to. */
const MONEY: ReadonlySet<Role> = new Set(["good", "unregistered", "unconfirmed", "late", "tree-exited"]);

/** What a wallet must hold when all that was posted was processed and no fault is left. */
export interface Expected {
  /** Exactly these are credited. */
  readonly coins: ReadonlyMap<VtxoId, PoolVtxo>;
  /** Exactly these are in quarantine, by id, or by digest where no id can be read. */
  readonly held: ReadonlySet<string>;
}

/**
 * The model: a VTXO is money if it is of the right kind and a good copy of it arrived, from the payer or, where the
 * payer's copy is broken, from the server (mailbox.md W-5). Order, number of copies and faults do not matter.
 */
export function expectedOf(pool: Pool, posted: Iterable<Uint8Array>): Expected {
  const byId = new Map(pool.vtxos.map((vtxo) => [vtxo.id, vtxo]));
  const all = [...posted];
  const coins = new Map<VtxoId, PoolVtxo>();
  for (const bytes of all) {
    const vtxo = byId.get(readableVtxoId(bytes) ?? "");
    if (vtxo === undefined || !MONEY.has(vtxo.role)) continue;
    // The server's copy lacks the signatures of what nobody registered.
    if (vtxo.role !== "unregistered" || isWhole(bytes, vtxo)) coins.set(vtxo.id, vtxo);
  }
  const held = all.map(identityOf).filter((identity) => !coins.has(identity));
  return { coins, held: new Set(held) };
}

/** The id of posted bytes, or their digest. */
export function identityOf(bytes: Uint8Array): string {
  return readableVtxoId(bytes) ?? digestOf(bytes);
}

/** SHA-256, hex. */
export function digestOf(bytes: Uint8Array): string {
  return encodeHex(sha256(bytes));
}

function isWhole(bytes: Uint8Array, vtxo: PoolVtxo): boolean {
  return encodeHex(bytes) === encodeHex(vtxo.bytes);
}

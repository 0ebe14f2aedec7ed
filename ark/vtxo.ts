import { ByteReader, ByteWriter } from "./bytes.ts";
import { ArkError } from "./errors.ts";
import { decodeGenesis, decodeGenesisBlob, type EncodingVersion, encodeGenesis, type GenesisItem } from "./genesis.ts";
import { checkDelta, checkHeight } from "./limits.ts";
import { decodeOutpoint, encodeOutpoint, equalOutpoints, type Outpoint } from "./outpoint.ts";
import { decodePolicy, decodeUserPolicy, encodePolicy, type Policy, type UserPolicy } from "./policy.ts";
import { checkPublicKey, decodePublicKey } from "./public-key.ts";
import { type VtxoId, vtxoIdOf } from "./vtxo-id.ts";

/** A VTXO without its way to the chain (vtxo.md §3.3). */
export interface BareVtxo<P extends Policy = Policy> {
  /** Any u64. */
  readonly amountSats: bigint;
  /** E of vtxo.md. */
  readonly expiryHeight: number;
  /** S of vtxo.md: compressed, 33 bytes. */
  readonly serverPubkey: Uint8Array;
  /** D of vtxo.md, in blocks. */
  readonly exitDelta: number;
  /** The output on chain that everything hangs from. */
  readonly chainAnchor: Outpoint;
  readonly policy: P;
  /** The outpoint of the VTXO itself. */
  readonly point: Outpoint;
}

/** An off-chain output with all that is needed to bring it on chain (vtxo.md §3). */
export interface Vtxo<P extends Policy = Policy> extends BareVtxo<P> {
  /** From the chain anchor towards the VTXO; none if the VTXO is the anchor itself. */
  readonly genesis: readonly GenesisItem[];
}

/** The version that is written (vtxo.md §3.1). */
const CURRENT_VERSION = 2;

/** Names a VTXO. */
export function vtxoId(vtxo: BareVtxo): VtxoId {
  return vtxoIdOf(vtxo.point);
}

/** How many transactions bring a VTXO on chain (vtxo.md §6.2). */
export function exitDepth(vtxo: Vtxo): number {
  return vtxo.genesis.length;
}

/**
 * Reads the full form of a user's VTXO (vtxo.md §3). Both encoding versions are read.
 *
 * @throws ArkError one of the codes of vtxo.md §3.4
 */
export function decodeVtxo(bytes: Uint8Array): Vtxo<UserPolicy> {
  return decodeFull(bytes, decodeUserPolicy);
}

/**
 * Reads the full form of any VTXO, as a server tracks them: all policies of vtxo.md §4.1 are allowed.
 *
 * @throws ArkError one of the codes of vtxo.md §3.4
 */
export function decodeServerVtxo(bytes: Uint8Array): Vtxo {
  return decodeFull(bytes, decodePolicy);
}

/**
 * Reads the bare form of a user's VTXO; items that it carries are checked and dropped (vtxo.md §3.3).
 *
 * @throws ArkError one of the codes of vtxo.md §3.4
 */
export function decodeBareVtxo(bytes: Uint8Array): BareVtxo<UserPolicy> {
  const { genesis: _, ...bare } = decodeParsedBare(bytes).vtxo;
  return bare;
}

/**
 * Joins the bare form of a user's VTXO with its genesis section that was stored apart (vtxo.md §3.3).
 *
 * @throws ArkError one of the codes of vtxo.md §3.4
 */
export function decodeVtxoParts(bareBytes: Uint8Array, genesisBytes: Uint8Array): Vtxo<UserPolicy> {
  const { vtxo, version } = decodeParsedBare(bareBytes);
  return checkGenesis({ ...vtxo, genesis: decodeGenesisBlob(genesisBytes, version) });
}

/**
 * The full form, always in version 2 (vtxo.md §3.1): a VTXO that was read in version 1 keeps its id, not its bytes.
 *
 * @throws ArkError `MISSING_GENESIS`, `UNEXPECTED_GENESIS`, `BAD_HEIGHT`, `BAD_DELTA`, `BAD_PUBKEY`, `OUT_OF_RANGE` and
 * the codes of {@link encodeGenesis} and {@link encodePolicy}
 */
export function encodeVtxo(vtxo: Vtxo): Uint8Array {
  return encode(checkGenesis(vtxo), vtxo.genesis);
}

/** The bare form: no items (vtxo.md §3.3); @throws as {@link encodeVtxo} */
export function encodeBareVtxo(vtxo: BareVtxo): Uint8Array {
  return encode(vtxo, []);
}

function encode(vtxo: BareVtxo, genesis: readonly GenesisItem[]): Uint8Array {
  return new ByteWriter()
    .u16(CURRENT_VERSION)
    .u64(vtxo.amountSats)
    .u32(checkHeight(vtxo.expiryHeight))
    .bytes(checkPublicKey(vtxo.serverPubkey))
    .u16(checkDelta(vtxo.exitDelta))
    .bytes(encodeOutpoint(vtxo.chainAnchor))
    .bytes(encodeGenesis(genesis))
    .bytes(encodePolicy(vtxo.policy))
    .bytes(encodeOutpoint(vtxo.point))
    .finish();
}

function decodeFull<P extends Policy>(bytes: Uint8Array, policy: (reader: ByteReader) => P): Vtxo<P> {
  const reader = new ByteReader(bytes);
  const vtxo = checkGenesis(decodeFields(reader, policy).vtxo);
  reader.end();
  return vtxo;
}

function decodeParsedBare(bytes: Uint8Array): { vtxo: Vtxo<UserPolicy>; version: EncodingVersion } {
  const reader = new ByteReader(bytes);
  const decoded = decodeFields(reader, decodeUserPolicy);
  reader.end();
  return decoded;
}

/** All fields in wire order, each checked as soon as it was read (vtxo.md §3.1, §3.4). */
function decodeFields<P extends Policy>(
  reader: ByteReader,
  policy: (reader: ByteReader) => P,
): { vtxo: Vtxo<P>; version: EncodingVersion } {
  const version = checkVersion(reader.u16());
  const vtxo = {
    amountSats: reader.u64(),
    expiryHeight: checkHeight(reader.u32()),
    serverPubkey: decodePublicKey(reader),
    exitDelta: checkDelta(reader.u16()),
    chainAnchor: decodeOutpoint(reader),
    genesis: decodeGenesis(reader, version),
    policy: policy(reader),
    point: decodeOutpoint(reader),
  };
  return { vtxo, version };
}

function checkVersion(version: number): EncodingVersion {
  if (version !== 1 && version !== 2) throw new ArkError("BAD_VERSION", `expected encoding version 1 or 2, got ${version}`);
  return version;
}

/** Rule F of vtxo.md §3.3: there are items exactly if the VTXO is not the chain anchor itself. */
function checkGenesis<V extends Vtxo>(vtxo: V): V {
  const isAnchor = equalOutpoints(vtxo.point, vtxo.chainAnchor);
  if (!isAnchor && vtxo.genesis.length === 0) {
    throw new ArkError("MISSING_GENESIS", "expected genesis items between the chain anchor and the VTXO, got none");
  }
  if (isAnchor && vtxo.genesis.length > 0) {
    throw new ArkError("UNEXPECTED_GENESIS", `expected no genesis items at the chain anchor, got ${vtxo.genesis.length}`);
  }
  return vtxo;
}

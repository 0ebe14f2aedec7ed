import { buildAddress, encodeAddress } from "../../ark/address.ts";
import { WalletKeys } from "../../ark/keys.ts";
import type { VtxoId } from "../../ark/vtxo-id.ts";
import {
  type Corruption,
  corruptVtxo,
  type PackageRequest,
  type SimulatedVtxo,
  type Simulator,
  startSimulator,
} from "../../simulator/index.ts";
import { convertServerInfo, type ServerInfo } from "../../streams/server-info.ts";

/** What a VTXO of the pool is, apart from the copy that is posted of it. */
const ROLES = [
  /** Money. */
  "good",
  /** Money that the server has no signature of yet. */
  "unregistered",
  /** Money once its anchor is in a block. */
  "unconfirmed",
  /** Money once the server knows it. */
  "late",
  /** The server says that it is spent. */
  "spent",
  /** Its anchor output is spent on chain. */
  "anchor-spent",
  /** The payer's coin, from which it is made, is on chain, so that the payer can take it. */
  "owner-exited",
  /** Money: somebody exited the payer's coin, and a checkpoint that its chain goes through is on chain since. */
  "tree-exited",
  /** Pays somebody else. */
  "foreign",
  /** A pending contract to a key of the wallet. */
  "htlc",
  /** Pays the wallet, but at another server. */
  "other-server",
  /** Expires too soon. */
  "near-expiry",
] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** A real VTXO, made by a simulated server. */
export interface PoolVtxo {
  readonly id: VtxoId;
  readonly role: Role;
  readonly amountSats: bigint;
  /** Index of the wallet's key that it pays, or null. */
  readonly keyIndex: number | null;
  readonly bytes: Uint8Array;
  readonly anchorTxid: string;
  readonly anchorBytes: Uint8Array;
}

/** How a posted copy differs from the VTXO. */
export const COPIES = ["whole", "signature", "missing-signature", "amount", "point", "expiry", "truncate", "stub"] as const;

/** One of {@link COPIES}. */
export type Copy = (typeof COPIES)[number];

/** Everything that is made once and used by every run. */
export interface Pool {
  readonly vtxos: readonly PoolVtxo[];
  readonly info: ServerInfo;
  readonly keys: WalletKeys;
  readonly tipHeight: number;
}

const SEED = new Uint8Array(64).fill(0x35);
const STRANGER = new Uint8Array(64).fill(0x53);
/** Bytes too short to hold an id. */
const STUB_BYTES = 20;
/** Found only by looking ahead of the last used key (mailbox.md W-3). */
const FAR_KEY = 400;

/** Makes the pool: a few seconds of real boarding and cosigning, hence once a file. */
export async function buildPool(): Promise<Pool> {
  const keys = sharedKeys(SEED);
  const stranger = WalletKeys.fromSeed(STRANGER);
  await using server = await startSimulator({ seed: "deliveries", network: "regtest" });
  await using other = await startSimulator({ seed: "another server", network: "regtest" });
  const tipHeight = server.chain.tip;
  const htlc = {
    kind: "server-htlc-receive",
    userPubkey: keys.vtxoPublicKey(1),
    paymentHash: new Uint8Array(32).fill(9),
    htlcExpiryHeight: tipHeight + 500,
    htlcExpiryDelta: 40,
  } as const;
  const three = { amountsSats: [3_000n, 4_000n, 500n], perCoin: 3 };
  const make = async (
    role: Role,
    keyIndex: number,
    request: PackageRequest,
    more: { at?: Simulator; owner?: WalletKeys } = {},
  ) => {
    const { at = server, owner = keys } = more;
    const made = await at.createPackage(addressOf(at, owner, keyIndex), request);
    return made.map((vtxo) => describe(at, vtxo, role, owner === keys ? keyIndex : null));
  };
  const vtxos = [
    await make("good", 0, { amountsSats: [1_000n, 2_000n, 700n, 10_000n], perCoin: 4 }),
    await make("good", 1, three),
    await make("good", 1, { amountsSats: [21_000n], depth: 5 }),
    await make("good", FAR_KEY, { amountsSats: [800n, 900n], perCoin: 2, changeSats: 1_000n }),
    await make("unregistered", 2, { ...three, register: false }),
    await make("unconfirmed", 3, { amountsSats: [5_000n, 6_000n], perCoin: 2, unconfirmedAnchor: true }),
    await make("late", 0, { amountsSats: [1_500n, 2_500n], perCoin: 2 }),
    await make("spent", 2, { amountsSats: [7_000n, 8_000n], perCoin: 2 }),
    await make("anchor-spent", 2, { amountsSats: [9_000n] }),
    await make("foreign", 0, { amountsSats: [4_100n] }, { owner: stranger }),
    await make("htlc", 1, { amountsSats: [4_200n], policy: htlc }),
    await make("other-server", 1, { amountsSats: [4_300n] }, { at: other }),
    await make("near-expiry", 1, { amountsSats: [4_400n], expiryHeight: tipHeight + 100 }),
    await make("owner-exited", 2, { amountsSats: [5_300n] }),
    await make("tree-exited", 2, { amountsSats: [5_100n, 5_200n], perCoin: 2 }),
  ].flat();
  return { vtxos, info: convertServerInfo(server.arkInfo), keys, tipHeight };
}

/** Two VTXOs that are money, and nothing else: made in a moment. */
export async function buildSmallPool(): Promise<Pool> {
  const keys = sharedKeys(SEED);
  await using server = await startSimulator({ seed: "small", network: "regtest" });
  const made = await server.createPackage(addressOf(server, keys, 0), { amountsSats: [1_000n, 2_000n], perCoin: 2 });
  const vtxos = made.map((vtxo) => describe(server, vtxo, "good", 0));
  return { vtxos, info: convertServerInfo(server.arkInfo), keys, tipHeight: server.chain.tip };
}

/** The keys of which {@link buildReceivePool} makes VTXOs that are the server's own. */
export const STRANGER_KEYS = WalletKeys.fromSeed(STRANGER);

/** As {@link buildSmallPool}, with VTXOs out of which a server can grant what comes in over Lightning. */
export async function buildReceivePool(): Promise<Pool> {
  const keys = sharedKeys(SEED);
  await using server = await startSimulator({ seed: "small", network: "regtest" });
  const own = await server.createPackage(addressOf(server, keys, 0), { amountsSats: [1_000n, 2_000n], perCoin: 2 });
  const amountsSats = Array.from({ length: 8 }, () => 6_000n);
  const granted = await server.createPackage(addressOf(server, STRANGER_KEYS, 0), { amountsSats, perCoin: 4 });
  const vtxos = [
    ...own.map((vtxo) => describe(server, vtxo, "good", 0)),
    ...granted.map((vtxo) => describe(server, vtxo, "foreign", null)),
  ];
  return { vtxos, info: convertServerInfo(server.arkInfo), keys, tipHeight: server.chain.tip };
}

/** Bytes that are posted for a VTXO of the pool. */
export function copyOf({ bytes }: PoolVtxo, copy: Copy): Uint8Array {
  if (copy === "whole") return bytes;
  return copy === "stub" ? bytes.slice(0, STUB_BYTES) : corrupted(bytes, copy);
}

const corruptions = new Map<Uint8Array, Map<Corruption, Uint8Array>>();

function corrupted(bytes: Uint8Array, how: Corruption): Uint8Array {
  const known = corruptions.get(bytes) ?? new Map<Corruption, Uint8Array>();
  corruptions.set(bytes, known);
  const made = known.get(how) ?? corruptVtxo(bytes, how);
  known.set(how, made);
  return made;
}

/** Keys that serve every run: deriving them again would cost more than a run. Closing a wallet does not wipe them. */
function sharedKeys(seed: Uint8Array): WalletKeys {
  const keys = WalletKeys.fromSeed(seed);
  const secrets = new Map<number, Uint8Array>();
  const derive = keys.vtxoSecretKey.bind(keys);
  keys.wipe = () => {};
  keys.vtxoSecretKey = (index) => {
    const secret = secrets.get(index) ?? derive(index);
    secrets.set(index, secret);
    return Uint8Array.from(secret);
  };
  return keys;
}

function addressOf({ arkInfo }: Simulator, keys: WalletKeys, keyIndex: number): string {
  const { serverPubkey, mailboxPubkey } = arkInfo;
  const vtxoSecretKey = keys.vtxoSecretKey(keyIndex);
  return encodeAddress(buildAddress({ serverPubkey, mailboxPubkey, vtxoSecretKey, mailboxId: keys.mailboxId, mainnet: false }));
}

function describe(
  at: Simulator,
  { id, amountSats, bytes, anchorTxid }: SimulatedVtxo,
  role: Role,
  keyIndex: number | null,
): PoolVtxo {
  const anchor = at.chain.transaction(anchorTxid);
  if (anchor === null) throw new Error(`expected anchor ${anchorTxid} on the simulated chain`);
  return { id, role, amountSats, keyIndex, bytes, anchorTxid, anchorBytes: anchor.bytes };
}

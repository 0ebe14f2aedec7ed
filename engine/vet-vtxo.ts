import { type Judgement, judgeVtxo, readableVtxoId } from "../ark/accept.ts";
import { encodeHex } from "../ark/hex.ts";
import { lineagePoint } from "../ark/lineage.ts";
import type { Outpoint } from "../ark/outpoint.ts";
import { decodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import { type VtxoId, vtxoIdOf } from "../ark/vtxo-id.ts";
import type { ChainSource } from "../chain/source.ts";
import type { AcceptedVtxo, HeldItem, Verdict, VtxoSource } from "../machines/package.ts";
import type { ServerInfo } from "../streams/server-info.ts";
import type { ServerSession } from "../streams/session.ts";
import { askOwnAnchor } from "./ask-anchor.ts";
import { digestOf } from "./blob-reader.ts";
import { codeOf, messageOf } from "./errors.ts";
import type { Keyring } from "./keyring.ts";
import type { Pace } from "./pace.ts";
import type { Blob } from "./transition.ts";
import { answered, type Question, Undecided } from "./undecided.ts";

/** Chains deeper than the server cosigns from are not verified; two more for the hop that it just signed (DESIGN §7). */
const DEPTH_ALLOWANCE = 2;
const DEPTH_LIMIT = 256;
/** Genesis items that are verified of one message: each costs a signature. The rest is verified one by one, later. */
const MOST_GENESIS_ITEMS = 5_000;
/** Larger encodings are not even decoded: 256 hops of a payment stay far below it, a hostile list of keys does not. */
export const MAX_BYTES = 128 * 1024;
/** Hex digits of a digest that name a held item: 16 bytes, so that no two can be made alike. */
export const KEY_DIGITS = 32;

/** What the entries of a package are held against. */
export interface VettingContext {
  readonly session: ServerSession;
  readonly info: ServerInfo;
  readonly chain: ChainSource;
  readonly keyring: Keyring;
  readonly tipHeight: number;
  /** Blocks that an anchor transaction must be deep, its own counted (mailbox.md W-41). */
  readonly confirmations: number;
  readonly nextKeyIndex: number;
  readonly isKnown: (id: VtxoId) => boolean;
  readonly pace: Pace;
  /** Whether another VTXO of the wallet was made of it, as far as a restore found out (mailbox.md W-47). */
  readonly isSuperseded: (id: VtxoId) => boolean;
  readonly signal: AbortSignal;
}

/** One entry: its bytes, where they stand in the log, and the message that brought them. */
export interface Entry {
  readonly bytes: Uint8Array;
  readonly source: VtxoSource;
  readonly checkpoint: bigint;
  /** Whether the backup of the seed names it, so that the wallet had it before. */
  readonly isBackup?: boolean;
  /** What its message cost so far: counted on. */
  readonly work?: { genesisItems: number };
}

/** A verdict, and bytes that it refers to and the log may not have yet. */
export interface Vetted {
  readonly verdict: Verdict;
  readonly blobs: readonly (Blob & { readonly data: Uint8Array })[];
}

/**
 * Three answers about one VTXO: accepted, refused (and kept), or none yet.
 *
 * Rules of vtxo.md §10 with its advice; mailbox.md W-1 (chain trouble is no refusal), W-5 (the server's copy is asked
 * for when the posted bytes are broken) and W-14 (the spend state is asked for before anything is credited).
 *
 * @throws Undecided; the signal's reason
 */
export async function vetVtxo(entry: Entry, context: VettingContext): Promise<Vetted> {
  const id = readableVtxoId(entry.bytes);
  if (id !== undefined && context.isKnown(id)) return { verdict: { kind: "known", id }, blobs: [] };
  const posted = await judge(entry, context);
  if (posted.kind === "refused" && posted.broken && id !== undefined) return vetServerCopy(entry, id, posted, context);
  return { verdict: await conclude(entry, posted, context), blobs: [] };
}

type Refusal = { readonly kind: "refused"; readonly code: string; readonly message: string; readonly permanent: boolean };
/** What is kept of a VTXO's chain and owner. */
type Descent = Pick<AcceptedVtxo, "flags"> & Required<Pick<AcceptedVtxo, "lineage" | "madeOf">>;
type Judged =
  | ({ readonly kind: "accepted"; readonly vtxo: Vtxo; readonly keyIndex: number } & Descent)
  /** `broken`: the bytes fail to decode or to validate, so another copy of the VTXO may be good. */
  | (Refusal & { readonly broken: boolean; readonly amountSats: bigint | null });

async function vetServerCopy(entry: Entry, id: VtxoId, posted: Refusal, context: VettingContext): Promise<Vetted> {
  const copy = await ask("copy", () => context.session.getVtxo(id, { signal: context.signal }), context.signal);
  if (copy !== undefined && readableVtxoId(copy) === id) {
    const judged = await judge({ ...entry, bytes: copy }, context);
    if (judged.kind === "accepted" || !judged.broken) {
      const source = { digest: digestOf(copy), entry: null };
      const verdict = await conclude({ ...entry, source, bytes: copy }, judged, context);
      return { verdict, blobs: [{ digest: source.digest, data: copy }] };
    }
  }
  // Unknown there, or unsigned, or another VTXO: that is no answer about this one (mailbox.md W-5, M-69).
  return { verdict: refused(entry, id, null, { ...posted, permanent: false }), blobs: [] };
}

async function judge({ bytes, isBackup = false, work }: Entry, context: VettingContext): Promise<Judged> {
  const { chain, info, keyring, signal, tipHeight, nextKeyIndex } = context;
  if (bytes.length > MAX_BYTES) {
    const message = `expected at most ${MAX_BYTES} bytes, got ${bytes.length}`;
    return { kind: "refused", code: "TOO_LARGE", message, permanent: true, broken: true, amountSats: null };
  }
  let vtxo: Vtxo;
  try {
    vtxo = decodeVtxo(bytes);
  } catch (error) {
    const refusal = { code: codeOf(error), message: messageOf(error), permanent: true };
    return { kind: "refused", ...refusal, broken: true, amountSats: null };
  }
  const { amountSats } = vtxo;
  const depthLimit = Math.min(info.maxVtxoExitDepth + DEPTH_ALLOWANCE, DEPTH_LIMIT);
  if (vtxo.genesis.length > depthLimit) {
    const message = `expected a depth of at most ${depthLimit}, got ${vtxo.genesis.length}`;
    return { kind: "refused", code: "TOO_DEEP", message, permanent: false, broken: true, amountSats };
  }
  if (work !== undefined) work.genesisItems += vtxo.genesis.length;
  if (work !== undefined && work.genesisItems > MOST_GENESIS_ITEMS) {
    const message = `expected at most ${MOST_GENESIS_ITEMS} genesis items in a message, got ${work.genesisItems}`;
    return { kind: "refused", code: "TOO_MUCH_WORK", message, permanent: false, broken: false, amountSats };
  }
  await context.pace.spend(vtxo.genesis.length);
  const anchor = answered("transaction", vtxo.chainAnchor.txid, await chain.transaction(vtxo.chainAnchor.txid, { signal }));
  const owner = "userPubkey" in vtxo.policy ? vtxo.policy.userPubkey : undefined;
  const keyIndex = owner === undefined ? undefined : await keyring.ownerIndex(owner, nextKeyIndex, signal);
  const ownerHex = owner === undefined ? "" : encodeHex(owner);
  const judgement: Judgement = judgeVtxo({
    bytes,
    anchor: anchor === undefined ? { kind: "absent" } : { kind: "found", transaction: anchor },
    tipHeight,
    serverPubkey: info.serverPubkey,
    exitDelta: info.exitDelta,
    isBackup,
    ownsKey: (key) => (encodeHex(key) === ownerHex ? keyIndex : keyring.usedIndex(key, nextKeyIndex)),
  });
  if (judgement.kind === "refused") return { ...judgement, amountSats };
  const { flags, spent } = judgement;
  const madeOf = ownAncestors(vtxo, spent, (key) => keyring.usedIndex(key, nextKeyIndex) !== undefined);
  return { kind: "accepted", vtxo, keyIndex: judgement.keyIndex, flags, lineage: spent.map(lineagePoint), madeOf };
}

/** VTXOs of the wallet that were spent to make this one: a cosigner of each hop owned what it spends. */
function ownAncestors(vtxo: Vtxo, spent: readonly Outpoint[], isOwn: (publicKey: Uint8Array) => boolean): VtxoId[] {
  return vtxo.genesis.flatMap(({ transition }, index) => {
    const point = spent[index];
    const isOurs = point !== undefined && transition.kind === "arkoor" && transition.clientCosigners.some(isOwn);
    return isOurs ? [vtxoIdOf(point)] : [];
  });
}

/** What only chain and server can say of a VTXO that is good by its bytes. */
async function conclude(entry: Entry, judged: Judged, context: VettingContext): Promise<Verdict> {
  if (judged.kind === "refused") return refused(entry, readableVtxoId(entry.bytes) ?? null, judged.amountSats, judged);
  const { vtxo, keyIndex, flags, lineage, madeOf } = judged;
  const { amountSats, expiryHeight } = vtxo;
  const id = vtxoId(vtxo);
  if (context.isSuperseded(id)) {
    const message = `expected ${id} unspent, got another VTXO of the wallet that was made of it`;
    return refused(entry, id, amountSats, { code: "SUPERSEDED", message, permanent: true });
  }
  const isOwn = (key: Uint8Array): boolean => context.keyring.usedIndex(key, context.nextKeyIndex) !== undefined;
  const broken = await askOwnAnchor(vtxo, lineage, { ...context, isOwn });
  const obstacle = broken ?? (await askSpendState(id, keyIndex, context));
  if (typeof obstacle === "object") {
    const { code, message } = obstacle;
    return refused(entry, id, amountSats, { code, message, permanent: false });
  }
  const registered = obstacle === "registered";
  const exitDepth = vtxo.genesis.length;
  const ancestors = madeOf.length === 0 ? {} : { madeOf };
  return {
    kind: "accepted",
    key: keyOf(entry.bytes),
    vtxo: { id, amountSats, expiryHeight, exitDepth, keyIndex, source: entry.source, registered, flags, lineage, ...ancestors },
  };
}

type Obstacle = { readonly code: string; readonly message: string };

/**
 * The server's word on a VTXO: never a reason to credit, only one to wait (mailbox.md W-14).
 *
 * @throws Undecided; the reason of the signal
 */
export async function askSpendState(
  id: VtxoId,
  keyIndex: number,
  { session, keyring, signal }: Pick<VettingContext, "session" | "keyring" | "signal">,
): Promise<Obstacle | "registered" | "unregistered"> {
  const attestation = keyring.statusAttestation(id, keyIndex);
  const status = await ask("spend-state", () => session.getVtxoStatus(id, attestation, { signal }), signal);
  if (status === "spendable") return "registered";
  if (status === "unregistered") return "unregistered";
  if (status === undefined) return { code: "SERVER_DOES_NOT_KNOW", message: `expected the server to know ${id}, it does not` };
  if (status === "spent")
    return { code: "SERVER_SAYS_SPENT", message: `expected ${id} unspent, the server says that it is spent` };
  return { code: "SERVER_SAYS_OTHER", message: `expected ${id} spendable, the server says ${status}` };
}

/** The answer, undefined for a refusal, or no answer at all. */
async function ask<T>(question: Question, call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    signal.throwIfAborted();
    const code = codeOf(error);
    if (code === "SERVER_NOT_FOUND" || code === "SERVER_REJECTED") return undefined;
    throw new Undecided(code, messageOf(error), { cause: error, question });
  }
}

/** The verdict that keeps an entry, under a key made of its bytes. */
export function refused(
  { bytes, source, checkpoint }: Entry,
  id: VtxoId | null,
  amountSats: bigint | null,
  { code, message, permanent }: Omit<Refusal, "kind">,
): Verdict {
  const item: HeldItem = { id, amountSats, source, checkpoint, code, message, permanent };
  return { kind: "refused", key: keyOf(bytes), item };
}

function keyOf(bytes: Uint8Array): string {
  return digestOf(bytes).slice(0, KEY_DIGITS);
}

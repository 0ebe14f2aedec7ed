import { decodeVtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { PaymentInput } from "../machines/books.ts";
import type { CheckedInputs } from "../machines/failed-inputs.ts";
import type { VtxoSource } from "../machines/package.ts";
import { StreamError } from "../streams/errors.ts";
import type { ServerSession } from "../streams/session.ts";
import { type Left, takeChunks } from "./bisect.ts";
import type { BlobReader } from "./blob-reader.ts";
import { authorized } from "./clock-skew.ts";
import type { Keyring } from "./keyring.ts";

/** Most VTXOs and bytes of one registration (mailbox.md W-39), most ids of one recovery post (M-65). */
const CHUNK_ITEMS = 20;
const CHUNK_BYTES = 3 * 1024 * 1024;
/** Most VTXOs of one post to a mailbox (arkoor.md §12.2). */
const POST_ITEMS = 100;
/** Life of the authorization for a recovery post, in seconds (mailbox.md M-6). */
const RECOVERY_AUTHORIZATION_S = 60;

/** What calls need of an engine. */
export interface CallParts {
  readonly session: ServerSession;
  readonly blobs: Pick<BlobReader, "vtxo">;
  readonly keyring: Keyring;
  readonly signal: AbortSignal;
}

/**
 * Gives the server the signatures of VTXOs: idempotent, in calls of a bounded size (arkoor.md §9). One that is refused keeps
 * no other one back (mailbox.md M-66, W-34).
 *
 * @returns the VTXOs that it did not take: what it does not know now it may know later (mailbox.md §3.8)
 */
export async function registerEach(sources: readonly VtxoSource[], { session, blobs, signal }: CallParts): Promise<Left<VtxoId>> {
  const register = (vtxos: readonly Uint8Array[]): Promise<void> => session.registerVtxoTransactions(vtxos, { signal });
  const { items, error } = await takeChunks(chunksOf(sources, blobs, CHUNK_ITEMS), register);
  return { items: items.map((vtxo) => vtxoId(decodeVtxo(vtxo))), error };
}

/**
 * As {@link registerEach}.
 *
 * @throws what one was refused with, after all others were taken
 */
export async function registerVtxos(sources: readonly VtxoSource[], parts: CallParts): Promise<void> {
  const { items, error } = await registerEach(sources, parts);
  if (items.length > 0) throw error;
}

/**
 * Posts VTXOs to a mailbox: done when all chunks were taken (arkoor.md §12.2, mailbox.md W-43).
 *
 * @throws StreamError of the first that was not
 */
export async function postToMailbox(
  blindedId: Uint8Array,
  sources: readonly VtxoSource[],
  { session, blobs, signal }: Pick<CallParts, "session" | "blobs" | "signal">,
): Promise<void> {
  for await (const chunk of chunksOf(sources, blobs, POST_ITEMS)) await session.postArkoorMessage(blindedId, chunk, { signal });
}

/**
 * Backs up ids in the recovery mailbox (mailbox.md M-65). The server fails a whole call for one id that it does not know, so
 * what it refuses is halved: that id keeps no other one back (W-34).
 *
 * @returns the ids that it did not take
 */
export async function backUpEach(ids: readonly VtxoId[], { session, keyring, signal }: CallParts): Promise<Left<VtxoId>> {
  const post = (some: readonly VtxoId[]): Promise<void> => {
    const authorization = keyring.recoveryAuthorization(RECOVERY_AUTHORIZATION_S);
    return session.postRecoveryVtxoIds({ mailboxId: keyring.recoveryMailboxId, ids: some, authorization }, { signal });
  };
  return takeChunks(idChunks(ids), (some) => authorized(keyring, () => post(some)));
}

/**
 * What the server says of inputs. That it does not know one is an answer too: it has carried out nothing with it.
 *
 * @throws where it gives no answer, and nothing is known
 */
export async function checkInputs(
  inputs: readonly Pick<PaymentInput, "id" | "keyIndex">[],
  { session, keyring, signal }: CallParts,
): Promise<CheckedInputs> {
  const [spent, unknown]: [VtxoId[], VtxoId[]] = [[], []];
  for (const { id, keyIndex } of inputs) {
    try {
      const status = await session.getVtxoStatus(id, keyring.statusAttestation(id, keyIndex), { signal });
      if (status === "unspecified") throw new Error(`expected the state of ${id}, got none`);
      if (status === "spent") spent.push(id);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      unknown.push(id);
    }
  }
  return { spent, unknown };
}

/** Whether the server says that it does not know what it was asked about. */
export function isUnknown(error: unknown): boolean {
  return error instanceof StreamError && error.code === "SERVER_NOT_FOUND";
}

async function* idChunks(ids: readonly VtxoId[]): AsyncGenerator<readonly VtxoId[]> {
  for (let from = 0; from < ids.length; from += CHUNK_ITEMS) yield ids.slice(from, from + CHUNK_ITEMS);
}

async function* chunksOf(
  sources: readonly VtxoSource[],
  blobs: CallParts["blobs"],
  mostItems: number,
): AsyncGenerator<Uint8Array[]> {
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  for (const source of sources) {
    const vtxo = await blobs.vtxo(source);
    if (chunk.length === mostItems || bytes + vtxo.length > CHUNK_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(vtxo);
    bytes += vtxo.length;
  }
  if (chunk.length > 0) yield chunk;
}

import { decodeVtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { ServerSession } from "../streams/session.ts";
import type { Engine } from "./engine.ts";
import { codeOf } from "./errors.ts";
import { MAX_BYTES } from "./vet-vtxo.ts";

/** Why a VTXO of the backup could not be restored, and whether asking again is of no use. */
export interface Unresolved {
  readonly code: string;
  readonly isFinal: boolean;
}

/** How often a server that does not answer is asked, and the wait after the first time, doubling (mailbox.md M-67). */
const ATTEMPTS = 3;
const FIRST_WAIT_MS = 500;

/**
 * The server's copy of a VTXO, if it is that VTXO: anything else is a failure of this id, and says nothing of the others
 * (mailbox.md M-69, W-49).
 *
 * @throws the reason of `signal`
 */
export async function fetchCopy(
  { clock }: Engine,
  session: ServerSession,
  id: VtxoId,
  signal: AbortSignal,
): Promise<Uint8Array | Unresolved> {
  for (let attempt = 1; ; attempt++) {
    try {
      const bytes = await session.getVtxo(id, { signal });
      return isCopyOf(id, bytes) ? bytes : { code: "SERVER_GAVE_ANOTHER_VTXO", isFinal: false };
    } catch (error) {
      signal.throwIfAborted();
      const code = codeOf(error);
      if (code === "SERVER_NOT_FOUND" || code === "SERVER_REJECTED") return { code, isFinal: true };
      if (attempt === ATTEMPTS) return { code, isFinal: false };
    }
    await new Promise<void>((resolve) => clock.after(FIRST_WAIT_MS * 2 ** (attempt - 1), resolve));
    signal.throwIfAborted();
  }
}

function isCopyOf(id: VtxoId, bytes: Uint8Array): boolean {
  try {
    return bytes.length <= MAX_BYTES && vtxoId(decodeVtxo(bytes)) === id;
  } catch {
    return false;
  }
}

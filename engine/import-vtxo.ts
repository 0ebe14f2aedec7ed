import { readableVtxoId } from "../ark/accept.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { importId } from "../machines/package.ts";
import type { Engine } from "./engine.ts";
import { codeOf, HeartwoodError, messageOf } from "./errors.ts";
import { holdBytes } from "./hold-bytes.ts";
import { lookAgain } from "./look-again.ts";
import { OwnFailures } from "./own-failure.ts";
import { Undecided } from "./undecided.ts";
import { MAX_BYTES } from "./vet-vtxo.ts";
import { type QuarantinedVtxo, quarantineOf } from "./view.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/** What became of a VTXO that the owner brought, or of a held item that was looked at again. */
export type VettedVtxo =
  /** It is the wallet's money since the movement. */
  | { readonly status: "credited"; readonly id: VtxoId; readonly amountSats: bigint; readonly movement: string }
  /** The wallet had it already: nothing changed. */
  | { readonly status: "known"; readonly id: VtxoId }
  /** It is not money now: `code` says why, `permanent` whether that can change. */
  | ({ readonly status: "quarantined" } & QuarantinedVtxo);

/**
 * Takes bytes that came another way than the mailbox: first they are held, durably, then vetted like anything that is
 * held, if the wallet is connected. One that is not vets them at its next connection.
 *
 * @throws HeartwoodError `BAD_OPTION` for no bytes or too many, `WALLET_CLOSED`, `WALLET_FAILED`
 */
export async function importVtxo(engine: Engine, given: Uint8Array): Promise<VettedVtxo> {
  if (given.length === 0 || given.length > MAX_BYTES) {
    throw new HeartwoodError("BAD_OPTION", `expected a VTXO of 1 … ${MAX_BYTES} bytes, got ${given.length} bytes`);
  }
  const bytes = new Uint8Array(given);
  const { pending } = engine.loop;
  const id = readableVtxoId(bytes);
  if (id !== undefined && pending.isKnown(id)) {
    await engine.loop.settled();
    return { status: "known", id };
  }
  const key = holdBytes(engine, bytes, id, importId);
  const entry = pending.quarantine.get(key);
  if (entry !== undefined && !entry.permanent && engine.connection.session !== undefined) await vetNow(engine, [entry]);
  await engine.loop.settled();
  return outcomeOf(engine, key, id);
}

/**
 * Looks at held items now: at one, or at all that are not refused for good.
 *
 * @returns what became of each, in the order in which they were held
 * @throws HeartwoodError `NOT_FOUND`, `NOT_CONNECTED`, `WALLET_CLOSED`, `WALLET_FAILED`
 */
export async function retryQuarantine(engine: Engine, key?: string): Promise<readonly VettedVtxo[]> {
  const held = [...engine.loop.pending.quarantine.values()];
  const due = held.filter((entry) => (key === undefined ? !entry.permanent : entry.key === key));
  if (key !== undefined && due.length === 0) {
    throw new HeartwoodError("NOT_FOUND", `expected a quarantined item ${key}, got none`);
  }
  if (engine.connection.session === undefined) {
    const message = "expected a connected wallet, got one that is not: start() it, or let sync() look at all items";
    throw new HeartwoodError("NOT_CONNECTED", message, { retryable: true });
  }
  await vetNow(
    engine,
    due.filter(({ permanent }) => !permanent),
  );
  await engine.loop.settled();
  return due.map((entry) => outcomeOf(engine, entry.key, entry.id ?? undefined));
}

/**
 * The bytes of a held item, out of the log or from the server (DESIGN §7).
 *
 * @throws HeartwoodError `NOT_CONNECTED`, `NOT_FOUND` if the server has them no more; StoreError
 */
export async function heldBytes(engine: Engine, entry: QuarantineEntry): Promise<Uint8Array> {
  try {
    return await engine.vetting.bytesOf(entry, engine.connection.signal);
  } catch (cause) {
    if (!(cause instanceof Undecided)) throw cause;
    if (cause.code === "BYTES_WITHDRAWN") throw new HeartwoodError("NOT_FOUND", cause.message, { cause });
    const message = `expected the server, which alone has the bytes of ${entry.key}, got ${cause.message}`;
    throw new HeartwoodError("NOT_CONNECTED", message, { retryable: true, cause });
  }
}

/** What gets no answer stays held, with the reason it had. */
async function vetNow(engine: Engine, entries: readonly QuarantineEntry[]): Promise<void> {
  const { signal } = engine.connection;
  try {
    const context = await engine.vetting.context(signal);
    const failures = new OwnFailures(engine, context);
    for (const entry of entries) await lookAgain(engine, entry, context, failures);
  } catch (error) {
    const details = { code: codeOf(error), message: messageOf(error) };
    if (!engine.signal.aborted) engine.ports.logger("info", "held items could not be vetted", details);
  }
}

function outcomeOf(engine: Engine, key: string, id: VtxoId | undefined): VettedVtxo {
  const { committed } = engine;
  const held = quarantineOf(committed).find((item) => item.key === key);
  if (held !== undefined) return { status: "quarantined", ...held };
  const movement = [...committed.movements.values()].findLast(({ outputs }) => id !== undefined && outputs.includes(id));
  // It came another way meanwhile.
  if (id !== undefined && movement === undefined && committed.isKnown(id)) return { status: "known", id };
  if (id === undefined || movement === undefined) {
    throw new HeartwoodError("NOT_FOUND", `expected item ${key} in quarantine or credited, got neither`);
  }
  const amountSats = committed.coins.get(id)?.amountSats ?? 0n;
  return { status: "credited", id, amountSats, movement: movement.id };
}

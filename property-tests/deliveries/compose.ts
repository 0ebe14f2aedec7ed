import { encodeVtxoId } from "../../ark/vtxo-id.ts";
import type { MailboxMessage } from "../../proto/generated/mailbox_server.ts";
import { encodeMessage, encodeUnknownMessage } from "../../simulator/index.ts";
import type { Message, PostedVtxo } from "./commands.ts";
import { copyOf, type Pool, type PoolVtxo } from "./pool.ts";
import type { Entry } from "./scripted-server.ts";

/** Most VTXOs that a package takes over from the one before. */
const REPEATED = 3;
const UNKNOWN_FIELD = 99;

/**
 * Makes a message that stands at a checkpoint.
 *
 * @param before what was posted so far: a partly known package repeats the last one
 */
export function compose(pool: Pool, before: readonly Entry[], message: Message, checkpoint: bigint): Entry {
  const bytesOf = (vtxos: readonly PostedVtxo[]) => vtxos.map((vtxo) => copyOf(picked(pool, vtxo), vtxo.copy));
  switch (message.kind) {
    case "package":
      return packageOf(bytesOf(message.vtxos), checkpoint);
    case "partly-known": {
      const last = before.findLast(({ vtxos }) => vtxos !== undefined && vtxos.length > 0)?.vtxos ?? [];
      return packageOf([...last.slice(0, REPEATED), ...bytesOf([message.more])], checkpoint);
    }
    case "twice": {
      const copies = message.again.map((copy) => ({ ...message.vtxo, copy }));
      return packageOf(bytesOf([message.vtxo, ...copies]), checkpoint);
    }
    case "empty":
      return packageOf([], checkpoint);
    case "unknown": {
      const raw = encodeUnknownMessage(checkpoint, UNKNOWN_FIELD, unique(before));
      return { checkpoint, raw, vtxos: undefined };
    }
    case "malformed": {
      // A member that is cut, behind the place.
      const raw = Buffer.concat([encodeUnknownMessage(checkpoint, UNKNOWN_FIELD, unique(before)), Uint8Array.of(0x0a, 0x7f)]);
      return { checkpoint, raw: new Uint8Array(raw), vtxos: undefined };
    }
    default: {
      const raw = encodeMessage({ checkpoint, message: notice(pool, message.kind, unique(before)) });
      return { checkpoint, raw, vtxos: undefined };
    }
  }
}

/** A package of those bytes. */
export function packageOf(vtxos: readonly Uint8Array[], checkpoint: bigint): Entry {
  const raw = encodeMessage({ checkpoint, message: { $case: "arkoor", value: { vtxos: [...vtxos] } } });
  return { checkpoint, raw, vtxos };
}

/** The VTXO that an entry of a message names. */
export function picked({ vtxos }: Pool, { pick }: PostedVtxo): PoolVtxo {
  const vtxo = vtxos[pick % vtxos.length];
  if (vtxo === undefined) throw new Error("expected a pool of VTXOs, got an empty one");
  return vtxo;
}

type Notice = "round" | "lightning-receive" | "lightning-send" | "recovery-ids";

function notice(pool: Pool, kind: Notice, hash: Uint8Array): MailboxMessage["message"] {
  switch (kind) {
    case "round":
      return { $case: "roundParticipationCompleted", value: { paymentHashes: [hash], unlockHash: hash } };
    case "lightning-receive":
      return { $case: "incomingLightningPayment", value: { paymentHash: hash, amountMsat: 1_000n } };
    case "lightning-send":
      return { $case: "lightningSendFinished", value: { paymentHash: hash, preimage: undefined } };
    case "recovery-ids":
      return { $case: "recoveryVtxoIds", value: { vtxoIds: pool.vtxos.slice(0, 2).map(({ id }) => encodeVtxoId(id)) } };
  }
}

/** No two messages say the same. */
function unique(before: readonly Entry[]): Uint8Array {
  return new Uint8Array(32).fill(before.length + 1);
}

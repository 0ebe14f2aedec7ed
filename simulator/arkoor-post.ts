import { equalBytes } from "../ark/bytes.ts";
import { decodeMailboxId, unblindMailboxId } from "../ark/mailbox.ts";
import { decodeVtxo, encodeVtxo, type Vtxo, vtxoId } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { PostArkoorMessageRequest } from "../proto/generated/mailbox_server.ts";
import type { ServerRelease } from "./ark-info.ts";
import { badInput, internal, NotFound, orBadInput } from "./rpc-status.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

const MOST_VTXOS = 100;

/** A post that passed every check. */
export interface ArkoorPost {
  /** The recipient's mailbox, unblinded (33 bytes). */
  readonly mailboxId: Uint8Array;
  /** As they are stored: encoded again, in version 2. */
  readonly vtxos: readonly { readonly id: VtxoId; readonly bytes: Uint8Array }[];
}

/** What {@link readArkoorPost} checks against. */
export interface ArkoorPostContext {
  readonly mailboxSecretKey: Uint8Array;
  readonly ledger: VtxoLedger;
  readonly release: ServerRelease;
}

/**
 * The nine checks of `PostArkoorMessage`, in the order of mailbox.md §3.7. Nothing but owner key and id is compared with
 * the server's own copy.
 *
 * @throws ServerError
 */
export function readArkoorPost(request: PostArkoorMessageRequest, context: ArkoorPostContext): ArkoorPost {
  const { mailboxSecretKey, ledger, release } = context;
  if (request.vtxos.length > MOST_VTXOS) throw badInput(`expected at most ${MOST_VTXOS} vtxos, got ${request.vtxos.length}`);
  const vtxos = request.vtxos.map((bytes) => orBadInput("invalid vtxo", () => decodeVtxo(bytes)));
  if (vtxos.length === 0) throw badInput("expected at least one vtxo, got none");
  const owners = vtxos.map(release === "0.6.0" ? anyOwner : pubkeyOwner);
  const blindedId = orBadInput("invalid blinded mailbox id", () => decodeMailboxId(request.blindedId));
  const [owner] = owners;
  if (owner === undefined || !owners.every((other) => equalBytes(owner, other))) {
    throw badInput("expected vtxos of one owner, got several");
  }
  const mailboxId = orBadInput("invalid blinded mailbox id", () => unblindMailboxId(blindedId, mailboxSecretKey, owner));
  checkKnown(vtxos, ledger);
  checkOwnCopies(vtxos, owner, ledger);
  return { mailboxId, vtxos: vtxos.map((vtxo) => ({ id: vtxoId(vtxo), bytes: encodeVtxo(vtxo) })) };
}

function pubkeyOwner({ policy }: Vtxo): Uint8Array {
  if (policy.kind !== "pubkey") throw badInput(`expected the policy pubkey, got ${policy.kind}`);
  return policy.userPubkey;
}

/** Release 0.6.0 lets HTLCs through (mailbox.md §3.12). */
function anyOwner({ policy }: Vtxo): Uint8Array {
  if (!("userPubkey" in policy)) throw badInput(`expected a policy with an owner, got ${policy.kind}`);
  return policy.userPubkey;
}

function checkKnown(vtxos: readonly Vtxo[], ledger: VtxoLedger): void {
  const ids = vtxos.map(vtxoId);
  const unknown = ids.filter((id) => !ledger.has(id));
  if (unknown.length > 0) throw new NotFound("vtxos", unknown);
  if (new Set(ids).size < ids.length) throw new NotFound("vtxos given twice");
  const foreign = ids.find((id) => ledger.get(id)?.isInternal);
  if (foreign) throw internal(`${foreign} is not a user vtxo`);
}

function checkOwnCopies(vtxos: readonly Vtxo[], owner: Uint8Array, ledger: VtxoLedger): void {
  for (const vtxo of vtxos) {
    const policy = ledger.get(vtxoId(vtxo))?.vtxo.policy;
    if (!policy || !("userPubkey" in policy) || !equalBytes(policy.userPubkey, owner)) {
      throw badInput(`expected the owner key of vtxo ${vtxoId(vtxo)}, got another`);
    }
  }
}

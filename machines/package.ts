import { deduplicate } from "../ark/accept.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";

/** Where in the log the bytes of a VTXO stand: a blob's digest, and the entry if the blob is a whole mailbox message. */
export type VtxoSource = {
  /** SHA-256 of the blob, hex. */
  readonly digest: string;
  /** Index among the VTXOs of the message, or null if the blob is the VTXO itself. */
  readonly entry: number | null;
};

/** A VTXO that passed every check of vtxo.md §10 and is the wallet's. */
export type AcceptedVtxo = {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  readonly expiryHeight: number;
  readonly exitDepth: number;
  /** Index of the owner key at m/350'/0'/i. */
  readonly keyIndex: number;
  readonly source: VtxoSource;
  /** False while the server says `UNREGISTERED` (mailbox.md W-14). */
  readonly registered: boolean;
  /** Warnings of vtxo.md §10, such as `dust` or `nonStandard`. */
  readonly flags: readonly string[];
  /** The outputs that its chain spends, as `ark/lineage.ts` writes them: no two VTXOs of a wallet need one spent differently. */
  readonly lineage?: readonly string[];
  /** VTXOs of this wallet's keys among those outputs: it signed them away, whatever a server says later (mailbox.md W-47). */
  readonly madeOf?: readonly VtxoId[];
};

/** Bytes that are not money now but may be later, with the reason (mailbox.md W-4). */
export type HeldItem = {
  /** Null if not even the id can be read. */
  readonly id: VtxoId | null;
  /** Null if the amount cannot be read. */
  readonly amountSats: bigint | null;
  readonly source: VtxoSource;
  readonly checkpoint: bigint;
  readonly code: string;
  readonly message: string;
  /** Whether the bytes alone decide, so that no retry can change the answer. */
  readonly permanent: boolean;
  /** Id of the movement that makes it money, where another one had the usual id. */
  readonly movement?: string;
};

/** What vetting found out about one entry of a package. */
export type Verdict =
  /** `key` names the item that it becomes if it cannot stand beside what the wallet has. */
  | { readonly kind: "accepted"; readonly key: string; readonly vtxo: AcceptedVtxo }
  /** The wallet has it already, in whatever state: nothing was asked about it. */
  | { readonly kind: "known"; readonly id: VtxoId }
  | { readonly kind: "refused"; readonly key: string; readonly item: HeldItem };

const IMPORT = "vtxo_import.";
const RESTORE = "vtxo_restore.";

/** Id of the movement of a VTXO that the owner brought, whatever name it has there. */
export function importId(name: string): string {
  return `${IMPORT}${name}`;
}

/** Id of the movement of a VTXO that the backup of the seed named. */
export function restoreId(id: VtxoId): string {
  return `${RESTORE}${id}`;
}

/** Where the money of a receive came from. */
export function originOf(movement: string): "mailbox" | "import" | "restore" {
  if (movement.startsWith(IMPORT)) return "import";
  return movement.startsWith(RESTORE) ? "restore" : "mailbox";
}

/** The VTXO that a verdict is about, if its id can be read. */
export function verdictIds(verdict: Verdict): VtxoId[] {
  switch (verdict.kind) {
    case "accepted":
      return [verdict.vtxo.id];
    case "known":
      return [verdict.id];
    case "refused":
      return verdict.item.id === null ? [] : [verdict.item.id];
  }
}

/** What the result of a command says that the server took in part (mailbox.md W-34). */
export type TakenInPart = {
  /** VTXOs that it did not take, of which it is asked anew; absent where it took all. */
  readonly left?: readonly VtxoId[];
};

/** Of any event: what the server did not take. */
export function leftOf(event: object): readonly VtxoId[] {
  return (event as TakenInPart).left ?? [];
}

/** A finished receive in the wallet's history (mailbox.md §6.2, M-52). */
export type ReceiveMovement = {
  /**
   * `arkoor_receive.<checkpoint>`, with `.<vtxo id>` for one released from quarantine later (W-15);
   * `vtxo_import.<vtxo id>` for one that the owner brought, `vtxo_restore.<vtxo id>` for one of the backup.
   */
  readonly id: string;
  /** What it added to the balance. */
  readonly amountSats: bigint;
  /** VTXOs that the wallet had, of which its outputs were made elsewhere with this seed (mailbox.md W-47). */
  readonly inputs?: readonly VtxoId[];
  readonly outputs: readonly VtxoId[];
  /** Sums by owner key, in order of first appearance (M-51, W-20). */
  readonly receivedOn: readonly { readonly keyIndex: number; readonly amountSats: bigint }[];
};

/** New VTXOs among those accepted: not known, and each id once (mailbox.md W-17, W-18). */
export function selectNew(verdicts: readonly Verdict[], known: readonly VtxoId[]): readonly AcceptedVtxo[] {
  const accepted = verdicts.flatMap((verdict) => (verdict.kind === "accepted" ? [verdict.vtxo] : []));
  const stored = new Set(known);
  return deduplicate(accepted, (id) => stored.has(id)).fresh;
}

/** Refused entries worth keeping: not a broken copy of a VTXO that the wallet has or takes now. */
export function selectHeld(verdicts: readonly Verdict[], known: readonly VtxoId[]): Extract<Verdict, { kind: "refused" }>[] {
  const owned = new Set([...known, ...verdicts.flatMap((verdict) => (verdict.kind === "accepted" ? [verdict.vtxo.id] : []))]);
  return verdicts.filter(
    (verdict): verdict is Extract<Verdict, { kind: "refused" }> =>
      verdict.kind === "refused" && (verdict.item.id === null || !owned.has(verdict.item.id)),
  );
}

/** A VTXO of the wallet that gives way to one that was made of it. */
export type ReplacedVtxo = { readonly id: VtxoId; readonly amountSats: bigint };

/** The one movement of a package, of its new VTXOs only, less what they replace. */
export function receiveMovement(
  id: string,
  vtxos: readonly AcceptedVtxo[],
  replaced: readonly ReplacedVtxo[] = [],
): ReceiveMovement {
  const byKey = new Map<number, bigint>();
  for (const { keyIndex, amountSats } of vtxos) byKey.set(keyIndex, (byKey.get(keyIndex) ?? 0n) + amountSats);
  return {
    id,
    amountSats: sumOf(vtxos) - sumOf(replaced),
    ...(replaced.length === 0 ? {} : { inputs: replaced.map((vtxo) => vtxo.id) }),
    outputs: vtxos.map((vtxo) => vtxo.id),
    receivedOn: [...byKey].map(([keyIndex, amountSats]) => ({ keyIndex, amountSats })),
  };
}

function sumOf(vtxos: readonly { readonly amountSats: bigint }[]): bigint {
  return vtxos.reduce((sum, { amountSats }) => sum + amountSats, 0n);
}

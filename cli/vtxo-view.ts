import { formatCount, formatSats, plural, shortenId } from "./format.ts";
import type { Style } from "./style.ts";
import { formatPairs, formatTable } from "./table.ts";
import type { GenesisDescription, VtxoDescription } from "./vtxo-description.ts";

const BLOCKS_A_DAY = 144;

/** A VTXO for people; ids are shortened where the lines would not fit. */
export function formatVtxo(vtxo: VtxoDescription, style: Style, columns = Number.POSITIVE_INFINITY): string[] {
  const { policy, anchor } = vtxo;
  const anchorAmount = anchor.amountSats === null ? style.bad("amounts overflow") : formatSats(anchor.amountSats);
  return [
    `${style.strong("VTXO")} ${style.accent(vtxo.id)}`,
    "",
    ...formatPairs(
      [
        ["amount", style.strong(style.good(formatSats(vtxo.amountSats)))],
        ["kind", policy.kind],
        ["owner key", hex(policy.userPubkey)],
        ["payment hash", "paymentHash" in policy ? hex(policy.paymentHash) : undefined],
        ["HTLC expiry", "htlcExpiryHeight" in policy ? `block ${formatCount(policy.htlcExpiryHeight)}` : undefined],
        ["HTLC delta", "htlcExpiryDelta" in policy ? formatBlocks(policy.htlcExpiryDelta) : undefined],
        ["server key", hex(vtxo.serverPubkey)],
        ["expiry", `block ${formatCount(vtxo.expiryHeight)}`],
        ["exit delta", formatBlocks(vtxo.exitDelta)],
        ["exit depth", plural(vtxo.depth, "transaction")],
        ["anchor", anchor.outpoint],
        ["anchor holds", anchorAmount],
        ["witnesses", vtxo.complete ? style.good("all present") : style.notice("incomplete")],
        ["relay", formatStandardness(vtxo, style)],
      ],
      style,
    ),
    ...formatGenesis(vtxo, style, columns),
  ];
}

function formatGenesis({ genesis, txids }: VtxoDescription, style: Style, columns: number): string[] {
  if (genesis.length === 0) return ["", style.faint("The VTXO is an output on chain.")];
  const showId = columns < 140 ? shortenId : (id: string) => id;
  const rows = genesis.map((item, i) => {
    const txid = txids[i];
    return [
      String(i + 1),
      item.kind,
      String(item.keys.length),
      String(item.outputIndex),
      String(item.outputs),
      item.siblingsSats === 0n ? "–" : formatSats(item.siblingsSats),
      item.feeSats === 0n ? "–" : formatSats(item.feeSats),
      formatWitness(item, style),
      txid === undefined ? style.bad("cannot be built") : showId(txid),
    ];
  });
  const headings = [
    { heading: "", align: "right" },
    { heading: "kind" },
    { heading: "keys", align: "right" },
    { heading: "vout", align: "right" },
    { heading: "outputs", align: "right" },
    { heading: "elsewhere", align: "right" },
    { heading: "fee", align: "right" },
    { heading: "witness" },
    { heading: "exit transaction" },
  ] as const;
  return ["", style.strong("From the chain anchor to the VTXO"), ...formatTable(headings, rows, style)];
}

function formatWitness({ signature, preimage }: GenesisDescription, style: Style): string {
  if (signature === "present" && preimage !== "unknown") return style.good(preimage === null ? "signed" : "signed, unlocked");
  const missing = [...(signature === "absent" ? ["no signature"] : []), ...(preimage === "unknown" ? ["no preimage"] : [])];
  return style.notice(missing.join(", "));
}

function formatStandardness({ nonStandardOutput: output }: VtxoDescription, style: Style): string {
  if (output === null) return style.good("standard");
  const reason = output.reason === "dust" ? "dust" : "a script that nodes do not relay";
  const where =
    output.output === "own" ? "its own output" : `sibling ${output.siblingIndex + 1} of step ${output.genesisIndex + 1}`;
  return style.notice(`not standard: ${where} is ${reason}`);
}

function formatBlocks(blocks: number): string {
  const days = blocks / BLOCKS_A_DAY;
  const time = days < 2 ? plural(Math.round(days * 24), "hour") : plural(Math.round(days), "day");
  return `${plural(blocks, "block")}, about ${time}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

import type { Balance, ExpiryStage, Movement, QuarantinedVtxo, Reconciling, WalletStatus, WalletVtxo } from "heartwood";
import { escapeText } from "./escape.ts";
import { EXPIRY_WORDS } from "./expiry-words.ts";
import { formatChange, formatCount, formatSats, formatTime, plural, shortenId } from "./format.ts";
import { formatRestoreCounts } from "./restore-view.ts";
import type { Style } from "./style.ts";
import { formatPairs, formatTable } from "./table.ts";

/** A wallet's status for people; ids are shortened where the lines would not fit. */
export function formatStatus(status: WalletStatus, style: Style, columns = Number.POSITIVE_INFINITY): string[] {
  const showId = columns < 120 ? shortenId : (id: string) => id;
  return [
    ...formatPairs(
      [
        ["wallet", `${escapeText(status.fingerprint)} on ${escapeText(status.network)}`],
        ["server", escapeText(status.serverUrl)],
        ["chain", status.chainUrl === "" ? undefined : escapeText(status.chainUrl)],
        ["balance", formatBalance(status.balance, style)],
        ["salvaged", status.reconciling === null ? undefined : style.bad(formatReconciling(status.reconciling))],
        ["restore", formatRestoreState(status, style)],
        [
          "backup",
          (status.backup?.missing ?? 0) === 0
            ? undefined
            : style.bad(
                `${plural(status.backup?.missing ?? 0, "VTXO")} missing at the server: not found again from the seed alone`,
              ),
        ],
        ["expiry", formatExpiry(status.vtxos, style)],
        ["checkpoint", formatCheckpoint(status.checkpoint, style)],
        [
          "halted",
          status.halted === null ? undefined : style.bad(`${escapeText(status.halted.code)} at ${status.halted.checkpoint}`),
        ],
        ["seen", formatCounters(status)],
        ["log", `${plural(Number(status.records), "record")}, ${plural(status.openCommands, "command")} open`],
      ],
      style,
    ),
    ...section(plural(status.vtxos.length, "VTXO"), vtxoTable(status.vtxos, showId, style), style),
    ...section(plural(status.movements.length, "movement"), movementTable(status.movements, style), style),
    ...section(
      `${formatCount(status.quarantine.length)} in quarantine`,
      quarantineTable(status.quarantine, showId, style),
      style,
    ),
  ];
}

function formatBalance(balance: Balance, style: Style): string {
  const asides = ASIDES.flatMap(([member, text]) => (balance[member] === 0n ? [] : [`${formatSats(balance[member])} ${text}`]));
  return [style.strong(style.good(formatSats(balance.totalSats))), ...asides.map((aside) => style.notice(aside))].join(", ");
}

const ASIDES = [
  ["awaitingRegistrationSats", "of it awaiting registration"],
  ["unsureSats", "of it unsure"],
  ["expiredSats", "of it expired"],
  ["unanchoredSats", "of it unanchored"],
  ["lockedSats", "of it locked in payments"],
  ["pendingInSats", "of it coming in"],
  ["exitingSats", "of it to exit"],
  ["pendingOutSats", "more on its way out"],
  ["unconfirmedSats", "more unconfirmed"],
] as const satisfies readonly (readonly [keyof Balance, string])[];

/** A wallet's money for people: the total, its parts, and what stands beside it; parts that are 0 but the spendable one are left out. */
export function formatBalancePairs(balance: Balance, style: Style): string[] {
  const parts = ASIDES.map(([member, text]) => [text, balance[member] === 0n ? undefined : formatSats(balance[member])] as const);
  return formatPairs(
    [
      ["total", style.strong(style.good(formatSats(balance.totalSats)))],
      ["spendable", formatSats(balance.spendableSats)],
      ...parts,
    ],
    style,
  );
}

/** Undefined where there is nothing left to tell. */
function formatRestoreState({ restore }: WalletStatus, style: Style): string | undefined {
  if (restore === null || restore.isComplete) return undefined;
  const report = restore.report === null ? "" : `: ${formatRestoreCounts(restore.report)}`;
  return style.bad(`${restore.state === "restored" ? "not complete" : "under way"}${report}`);
}

function formatReconciling({ keptSeq, lostTo, unsureVtxos }: Reconciling): string {
  const lost = lostTo === null ? "" : `, records up to ${formatCount(lostTo)} lost`;
  const asked = `${plural(unsureVtxos, "VTXO")} to ask the server about`;
  return `reconciling: kept up to record ${formatCount(keptSeq)}${lost}; ${asked}; connect once`;
}

/** The worst first; undefined where nothing runs out. */
function formatExpiry(vtxos: readonly WalletVtxo[], style: Style): string | undefined {
  const parts = (["expired", "exit", "refresh"] as const).flatMap((stage) => {
    const found = vtxos.filter(({ expiryStage }) => expiryStage === stage);
    const amountSats = found.reduce((sum, vtxo) => sum + vtxo.amountSats, 0n);
    const text = `${plural(found.length, "VTXO")} ${EXPIRY_WORDS[stage]}, ${formatSats(amountSats)}`;
    return found.length === 0 ? [] : [paintStage(stage, style)(text)];
  });
  return parts.length === 0 ? undefined : parts.join("; ");
}

function formatStage(stage: ExpiryStage, style: Style): string {
  return paintStage(stage, style)(EXPIRY_WORDS[stage]);
}

function paintStage(stage: ExpiryStage, style: Style): Style["bad"] {
  return stage === "refresh" ? style.notice : style.bad;
}

function paintState(state: WalletVtxo["state"], style: Style): string {
  if (state === "spendable") return style.good(state);
  return state === "expired" || state === "unanchored" ? style.bad(state) : style.notice(state);
}

/** The upper 44 bits of a checkpoint are the server's time in milliseconds (mailbox.md §3.3). */
function formatCheckpoint(checkpoint: bigint, style: Style): string {
  return checkpoint === 0n ? "0" : `${checkpoint} ${style.faint(formatTime(Number(checkpoint >> 20n)))}`;
}

function formatCounters({ counters }: WalletStatus): string {
  const { messages, packages, ignored, halts, redeliveries, released } = counters;
  return [
    plural(messages, "message"),
    plural(packages, "package"),
    `${formatCount(ignored)} ignored`,
    plural(halts, "halt"),
    plural(redeliveries, "redelivery", "redeliveries"),
    `${formatCount(released)} out of quarantine`,
  ].join(", ");
}

function section(title: string, table: readonly string[], style: Style): string[] {
  return ["", style.strong(title), ...table.map((line) => `  ${line}`)];
}

function vtxoTable(vtxos: readonly WalletVtxo[], showId: (id: string) => string, style: Style): string[] {
  if (vtxos.length === 0) return [];
  const rows = vtxos.map(({ id, amountSats, expiryHeight, expiryStage, anchorCode, exitDepth, state, flags }) => [
    showId(id),
    formatSats(amountSats),
    formatCount(expiryHeight),
    String(exitDepth),
    [
      paintState(state, style),
      ...(expiryStage === null || state === "expired" ? [] : [formatStage(expiryStage, style)]),
      ...(anchorCode === null ? [] : [style.bad(anchorCode)]),
      ...flags.map((flag) => style.notice(escapeText(flag))),
    ].join(" "),
  ]);
  const headings = [
    { heading: "id" },
    { heading: "amount", align: "right" },
    { heading: "expires at", align: "right" },
    { heading: "depth", align: "right" },
    { heading: "state" },
  ] as const;
  return formatTable(headings, rows, style);
}

/** Movements as lines of a table; none where there is none. */
export function movementTable(
  movements: readonly Movement[],
  style: Style,
  { withIds = false }: { readonly withIds?: boolean } = {},
): string[] {
  if (movements.length === 0) return [];
  const rows = movements.map((movement) => {
    const { createdAtMs, effectiveBalanceSats, feeSats, inputVtxos, outputVtxos, subsystem, status, id } = movement;
    return [
      formatTime(createdAtMs),
      effectiveBalanceSats < 0n ? style.bad(formatChange(effectiveBalanceSats)) : style.good(formatChange(effectiveBalanceSats)),
      plural(inputVtxos.length + outputVtxos.length, "VTXO"),
      `${escapeText(subsystem.name)} ${escapeText(subsystem.kind)}`,
      `${escapeText(status)}${feeSats === 0n ? "" : `, fee ${formatSats(feeSats)}`}`,
      ...(withIds ? [style.faint(escapeText(id))] : []),
    ];
  });
  const headings = [
    { heading: "time" },
    { heading: "change", align: "right" },
    { heading: "", align: "right" },
    { heading: "what" },
    { heading: "status" },
    ...(withIds ? [{ heading: "id" }] : []),
  ] as const;
  return formatTable(headings, rows, style);
}

function quarantineTable(items: readonly QuarantinedVtxo[], showId: (id: string) => string, style: Style): string[] {
  if (items.length === 0) return [];
  const rows = items.map(({ id, amountSats, code, message, permanent }) => [
    id === null ? "no id" : showId(id),
    amountSats === null ? "?" : formatSats(amountSats),
    permanent ? "for good" : style.notice("asked again"),
    `${style.bad(escapeText(code))} ${escapeText(message, 200)}`,
  ]);
  return formatTable(
    [{ heading: "id" }, { heading: "amount", align: "right" }, { heading: "kept" }, { heading: "reason" }],
    rows,
    style,
  );
}

import { FeedError } from "../feed.ts";
import type { MovementRow, OutboxRow, QuarantineRow, RowPage, Series, Tables, VtxoRow } from "../feed-moment.ts";
import { type Child, el, fill, refill } from "./dom.ts";
import { count, digits, duration, moment as momentText, sats, signedSats } from "./format.ts";
import { balanceChart, checkpointChart, type LineChart } from "./money-charts.ts";
import { moreRows } from "./more-rows.ts";
import { emptyNote, idLink, seqLink } from "./parts.ts";
import type { Session, Shown } from "./session.ts";

const POINTS = 600;

/** Money at this moment and over time. */
export function moneyPanel(session: Session): HTMLElement {
  const balance = el("div", { class: "balance" });
  const charts = [checkpointChart(session), balanceChart(session)];
  const tables = [
    table(session, "vtxos", "VTXOs", "No VTXO is the wallet's at this record.", vtxoHead, vtxoCells),
    table(session, "movements", "Movements", "No movement is finished at this record.", movementHead, movementCells),
    table(
      session,
      "quarantine",
      "Quarantine",
      "Nothing is held: all that arrived was money, or passed over by a named rule.",
      quarantineHead,
      quarantineCells,
    ),
    table(session, "outbox", "Outbox", "Every command has its result.", outboxHead, outboxCells),
  ];
  session.onChange(["view", "moment"], (shown) => {
    if (shown.view !== "money") return;
    fillBalance(balance, shown);
    for (const { update } of tables) update(shown);
    for (const chart of charts) chart.point(shown.seq, shown.moment);
  });
  let drawnHead = -1n;
  session.onChange(["view", "progress"], ({ view }) => {
    const { head } = session;
    if (view !== "money" || head === drawnHead || head < session.first) return;
    drawnHead = head;
    void seriesTo(session, head).then((series) => {
      // A later one may have been drawn by now, of a longer log.
      if (head !== drawnHead) return;
      if (series === undefined) drawnHead = -1n;
      else drawSeries(session, charts, series, head);
    });
  });
  return el(
    "section",
    { class: "panel money-panel", "aria-label": "Money" },
    balance,
    el("div", { class: "money-charts" }, ...charts.map(({ element }) => element)),
    el("div", { class: "money-tables" }, ...tables.map(({ element }) => element)),
  );
}

async function seriesTo(session: Session, head: bigint): Promise<Series | undefined> {
  try {
    return await session.source.series(String(session.first), String(head), POINTS);
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    session.change({ problem: error.message });
    return undefined;
  }
}

function drawSeries(session: Session, charts: readonly LineChart[], series: Series, head: bigint): void {
  for (const chart of charts) {
    chart.draw(series, head);
    chart.point(session.shown.seq, session.shown.moment);
  }
}

function fillBalance(balance: HTMLElement, { moment }: Shown): void {
  if (moment === null) {
    fill(balance, emptyNote("Nothing is loaded yet."));
    return;
  }
  const { total, spendable, awaitingRegistration, locked, pendingIn, exiting, unsure, expired, unanchored } = moment.balance;
  const parts: readonly (readonly [string, string])[] = [
    ["Spendable", spendable],
    ["Awaiting registration", awaitingRegistration],
    ["Locked", locked],
    ["Unsure", unsure],
    ["Expired", expired],
    ["Unanchored", unanchored],
    ["To be claimed", pendingIn],
    ["In exit", exiting],
    ["On its way out, not counted", moment.balance.pendingOut],
    ["Unconfirmed, not counted", moment.balance.unconfirmed],
  ];
  const { halted, checkpoint, connection } = moment;
  const facts: readonly (readonly [string, Child])[] = [
    ["Checkpoint", digits(checkpoint)],
    ["Mailbox", halted === null ? "follows" : el("span", { class: "mark mark-halt" }, `halted: ${halted.code}`)],
    ["Connection", connection],
  ];
  fill(
    balance,
    figure("Balance", sats(total), "figure-main"),
    ...parts.filter(([name, value]) => value !== "0" || name === "Spendable").map(([name, value]) => figure(name, sats(value))),
    ...facts.map(([name, value]) => figure(name, value)),
  );
}

function figure(name: string, value: Child, className = ""): HTMLElement {
  return el(
    "div",
    { class: `figure ${className}` },
    el("span", { class: "figure-name" }, name),
    el("span", { class: "figure-value" }, value),
  );
}

interface TableView {
  readonly element: HTMLElement;
  readonly update: (shown: Shown) => void;
}

function table<Table extends "vtxos" | "movements" | "quarantine" | "outbox">(
  session: Session,
  name: Table,
  title: string,
  empty: string,
  head: readonly string[],
  cells: (row: Tables[Table], session: Session) => readonly Child[],
): TableView {
  const note = el("span", { class: "part-note" });
  const body = el("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": title });
  const draw = (page: RowPage<Tables[Table]>) => {
    fill(note, count(page.total, "row"));
    if (page.rows.length === 0) return fill(body, emptyNote(empty));
    const rows = page.rows.map((row) => el("tr", {}, ...cells(row, session).map((cell) => el("td", {}, cell))));
    const headRow = el("tr", {}, ...head.map((text) => el("th", { scope: "col" }, text)));
    const whole = el("table", {}, el("thead", {}, headRow), el("tbody", {}, ...rows));
    refill(body, () => body, whole, moreRows(session, name, page, draw));
  };
  const update = ({ moment }: Shown) => {
    const page = moment?.[name] as RowPage<Tables[Table]> | undefined;
    if (page !== undefined) return draw(page);
    fill(note);
    fill(body);
  };
  return { element: el("section", { class: "part", "data-table": name }, el("h3", {}, title, note), body), update };
}

const vtxoHead = ["VTXO", "Amount", "State", "Expires at", "Depth", "Key", "Credited by"];
function vtxoCells(row: VtxoRow, session: Session): Child[] {
  const stage = row.expiryStage === null ? "" : ` (${row.expiryStage})`;
  const flags = [...(row.anchorCode === null ? [] : [row.anchorCode]), ...row.flags].map((flag) =>
    el("span", { class: "mark" }, flag),
  );
  return [
    idLink(session, row.id),
    el("span", { class: "amount" }, sats(row.amountSats)),
    [el("span", { class: "state-chip", "data-vtxo": row.state }, row.state), " ", ...flags],
    `${digits(row.expiryHeight)}${stage}`,
    String(row.exitDepth),
    String(row.keyIndex),
    seqLink(session, row.seq),
  ];
}

const movementHead = ["Movement", "Amount", "Fee", "Kind", "Status", "When", "Record"];
function movementCells(row: MovementRow, session: Session): Child[] {
  return [
    idLink(session, row.id),
    el("span", { class: "amount" }, signedSats(row.effectiveSats)),
    el("span", { class: "amount" }, sats(row.feeSats)),
    row.kind,
    row.status,
    momentText(row.atMs),
    seqLink(session, row.seq),
  ];
}

const quarantineHead = ["Item", "Amount", "Reason", "Looked at again", "Held for"];
function quarantineCells(row: QuarantineRow, session: Session): Child[] {
  const now = session.shown.moment?.atMs ?? row.heldAtMs;
  const next = row.permanent
    ? "never: the bytes decide"
    : `${count(row.attempts, "time")}, next in ${duration(row.nextTryAtMs - now)}`;
  return [
    idLink(session, row.id ?? row.key),
    el("span", { class: "amount" }, row.amountSats === null ? "unknown" : sats(row.amountSats)),
    [el("span", { class: "mark mark-error" }, row.code), el("span", { class: "reason" }, row.message)],
    next,
    duration(now - row.heldAtMs),
  ];
}

const outboxHead = ["Command", "Effect", "Instance", "Open for", "Record"];
function outboxCells(row: OutboxRow, session: Session): Child[] {
  const now = session.shown.moment?.atMs ?? row.atMs;
  return [row.type, el("code", {}, row.id), el("code", {}, row.instance), duration(now - row.atMs), seqLink(session, row.seq)];
}

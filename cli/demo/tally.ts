import { formatCount } from "../format.ts";

/** What was sent to the wallet, counted by the sender. */
export interface Tally {
  messages: number;
  packages: number;
  quarantined: number;
  balanceSats: bigint;
  checkpoint: bigint;
}

/** The same, and more, as a wallet says it: members of `heartwood status --json`. */
export interface Recount {
  readonly checkpoint: string;
  readonly records: string;
  readonly balance: { readonly totalSats: string };
  readonly movements: readonly { readonly effectiveBalanceSats: string }[];
  readonly quarantine: readonly unknown[];
  readonly counters: {
    readonly messages: number;
    readonly packages: number;
    readonly ignored: number;
    readonly halts: number;
    readonly redeliveries: number;
  };
}

/** A line of the closing table: what, sent, running, recomputed. */
export interface Comparison {
  readonly what: string;
  readonly values: readonly [sent: string, running: string, recomputed: string];
  readonly agrees: boolean;
}

/** Holds what was sent against what the running wallet says and what a new process recomputes from the log. */
export function compare(sent: Tally, running: Recount, recomputed: Recount): Comparison[] {
  const row = (what: string, expected: bigint | number | undefined, pick: (said: Recount) => bigint): Comparison => {
    const [now, again] = [pick(running), pick(recomputed)];
    const agrees = now === again && (expected === undefined || BigInt(expected) === now);
    const show = what === "checkpoint" ? String : formatCount;
    return { what, values: [expected === undefined ? "" : show(BigInt(expected)), show(now), show(again)], agrees };
  };
  return [
    row("messages", sent.messages, ({ counters }) => BigInt(counters.messages)),
    row("packages credited", sent.packages, ({ counters }) => BigInt(counters.packages)),
    row("messages that brought nothing", sent.messages - sent.packages, ({ counters }) => BigInt(counters.ignored)),
    row("VTXOs in quarantine", sent.quarantined, ({ quarantine }) => BigInt(quarantine.length)),
    row("halts", undefined, ({ counters }) => BigInt(counters.halts)),
    row("redeliveries", undefined, ({ counters }) => BigInt(counters.redeliveries)),
    row("balance, sat", sent.balanceSats, ({ balance }) => BigInt(balance.totalSats)),
    row("Σ movements, sat", sent.balanceSats, ({ movements }) => sum(movements)),
    row("checkpoint", sent.checkpoint, ({ checkpoint }) => BigInt(checkpoint)),
    row("records in the log", undefined, ({ records }) => BigInt(records)),
  ];
}

function sum(movements: Recount["movements"]): bigint {
  return movements.reduce((total, { effectiveBalanceSats }) => total + BigInt(effectiveBalanceSats), 0n);
}

import type { Wallet, WalletVtxo } from "heartwood";
import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { formatCount, formatSats, plural } from "../format.ts";
import { toJson } from "../json.ts";
import { keyOptions } from "../live-wallet.ts";
import { namedPayment } from "../payment-id.ts";
import type { Style } from "../style.ts";
import { formatTable } from "../table.ts";
import { readOpenOptions, withProgress } from "../wallet-options.ts";

/** A VTXO of a payment, with what brings it on chain. */
type HeldVtxo = Pick<WalletVtxo, "id" | "amountSats" | "expiryHeight" | "state"> & {
  readonly exitTransactions: readonly string[];
};

/** `heartwood give-up`: lets go what only an exit brings back. */
export const giveUp: Command = {
  name: "give-up",
  summary: "let go what only an exit brings back, once it was exited",
  operands: ["DIR", "ID"],
  options: { ...keyOptions, yes: { describes: "give it up: it leaves the wallet for good" } },
  details: `
Shows what a payment holds that only an exit brings back; with --json also the signed
transactions that exit it. ID is that of the payment, of its movement (\`history\`), or of a
VTXO that it has (its first 8 digits will do).
Heartwood broadcasts none of them. When that is done, or not worth it, --yes takes all of it
out of the wallet, and its exit transactions with it. That is for payments that have ended,
and for Lightning payments whose HTLCs have expired; others go on (NOT_CANCELLABLE).
Needs no connection to the server; of a payment that is open, one to the chain source.
Exit code 0 if it is given up, or could be shown, 1 if not.`,
  async run(given, output) {
    const [, id = ""] = given.operands;
    const options = await readOpenOptions(given, output);
    const { Heartwood } = await import("heartwood");
    await using wallet = await withProgress(options.directory, (onProgress) => Heartwood.open({ ...options, onProgress }));
    const payment = namedPayment(wallet, id);
    const vtxos = await heldBy(wallet, payment.id);
    const givenUp = given.has("yes");
    if (givenUp) await payment.giveUp();
    if (given.has("json")) await output.line(toJson({ payment: payment.id, vtxos, givenUp, balance: wallet.balance() }));
    else {
      if (vtxos.length > 0) for (const line of formatHeld(vtxos, output.style)) await output.line(line);
      const amount = `${plural(vtxos.length, "VTXO")} of ${escapeText(payment.id)}, ${formatSats(sum(vtxos))}`;
      await output.line(givenUp ? `given up: ${output.style.bad(amount)}` : amount);
      if (givenUp) await output.line(`balance ${output.style.strong(formatSats(wallet.balance().totalSats))}`);
      else output.message(adviceOn(vtxos));
    }
    return 0;
  },
};

async function heldBy(wallet: Wallet, payment: string): Promise<HeldVtxo[]> {
  const held = wallet.vtxos().filter(({ lockedBy }) => lockedBy === payment);
  return Promise.all(
    held.map(async ({ id, amountSats, expiryHeight, state }) => {
      return { id, amountSats, expiryHeight, state, exitTransactions: await wallet.exitTransactions(id) };
    }),
  );
}

/** What an owner can do about what was shown. */
function adviceOn(vtxos: readonly HeldVtxo[]): string {
  if (vtxos.length === 0) return "Nothing of it is left to be exited: there is nothing to give up";
  if (vtxos.some(({ state }) => state !== "exiting")) return "It goes on (run, sync): as long as it can, --yes is refused";
  return "When it is exited, or not worth that: the same again with --yes";
}

function formatHeld(vtxos: readonly HeldVtxo[], style: Style): string[] {
  const rows = vtxos.map(({ id, amountSats, expiryHeight, state, exitTransactions }) => [
    id,
    formatSats(amountSats),
    formatCount(expiryHeight),
    plural(exitTransactions.length, "transaction"),
    state,
  ]);
  const right = { align: "right" } as const;
  const headings = [{ heading: "id" }, { heading: "amount", ...right }, { heading: "expires at", ...right }];
  return formatTable([...headings, { heading: "exit", ...right }, { heading: "state" }], rows, style);
}

function sum(vtxos: readonly HeldVtxo[]): bigint {
  return vtxos.reduce((total, { amountSats }) => total + amountSats, 0n);
}

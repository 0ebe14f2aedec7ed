import type { Command } from "./command.ts";
import { address } from "./commands/address.ts";
import { allowExit } from "./commands/allow-exit.ts";
import { balance } from "./commands/balance.ts";
import { cancel } from "./commands/cancel.ts";
import { definitions } from "./commands/definitions.ts";
import { demo } from "./commands/demo.ts";
import { explain } from "./commands/explain.ts";
import { giveUp } from "./commands/give-up.ts";
import { history } from "./commands/history.ts";
import { inspect } from "./commands/inspect.ts";
import { invoice } from "./commands/invoice.ts";
import { invoices } from "./commands/invoices.ts";
import { logExport } from "./commands/log-export.ts";
import { logImport } from "./commands/log-import.ts";
import { logSalvage } from "./commands/log-salvage.ts";
import { logShow } from "./commands/log-show.ts";
import { logStats } from "./commands/log-stats.ts";
import { logUnlock } from "./commands/log-unlock.ts";
import { logVerify } from "./commands/log-verify.ts";
import { pay } from "./commands/pay.ts";
import { quarantine } from "./commands/quarantine.ts";
import { quote } from "./commands/quote.ts";
import { restore } from "./commands/restore.ts";
import { run } from "./commands/run.ts";
import { send } from "./commands/send.ts";
import { simulate } from "./commands/simulate.ts";
import { status } from "./commands/status.ts";
import { sync } from "./commands/sync.ts";
import { vtxoCheck } from "./commands/vtxo-check.ts";
import { vtxoShow } from "./commands/vtxo-show.ts";

/** Every subcommand, in the order of the help. */
export const commands: readonly Command[] = [
  run,
  sync,
  restore,
  status,
  balance,
  history,
  address,
  send,
  quote,
  pay,
  invoice,
  invoices,
  cancel,
  allowExit,
  giveUp,
  explain,
  quarantine,
  inspect,
  definitions,
  vtxoCheck,
  vtxoShow,
  logVerify,
  logShow,
  logExport,
  logImport,
  logStats,
  logSalvage,
  logUnlock,
  simulate,
  demo,
];

import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { CliError } from "../errors.ts";
import { escapeText } from "../escape.ts";
import { formatCount } from "../format.ts";
import { untilAborted } from "../interrupt.ts";
import { toJson } from "../json.ts";
import { parseSeq, withBar } from "../log-options.ts";
import type { Output } from "../output.ts";

const HIGHEST_PORT = 65_535;

/** `heartwood inspect`: a log in the state visualizer. */
export const inspect: Command = {
  name: "inspect",
  summary: "look at a log in the state visualizer",
  operands: ["DIR"],
  options: {
    html: { value: "FILE", describes: "write the page to a new file, with a range of the log inside" },
    from: { value: "SEQ", describes: "with --html: the first record; the last 20,000 unless given" },
    to: { value: "SEQ", describes: "with --html: the last record" },
    port: { value: "PORT", describes: "serve on this port; a free one unless given" },
    json: { describes: "print an object of JSON instead" },
  },
  details: `
Serves one page on 127.0.0.1 and prints its address: statecharts of all machines, a
timeline over the whole log, every record, the money at any moment. DIR is a wallet's
directory, also while a wallet runs in it, a copy of one, or a file that heartwood log
export wrote. The page needs no internet. It can only be looked at; whoever has the
address with what stands after # can do that, so do not pass it on. Needs neither the
mnemonic nor a network, and changes nothing. An interrupt (Ctrl-C) ends it.

With --html nothing is served: the page is written to FILE, to be kept or passed on. It
holds what was received in the range, but no key.`,
  async run(given, output) {
    const [path = ""] = given.operands;
    return given.has("html") ? write(path, given, output) : serve(path, given, output);
  },
};

async function serve(path: string, given: Arguments, output: Output): Promise<number> {
  for (const name of ["from", "to"]) {
    if (given.has(name)) throw new CliError("USAGE", `expected --${name} together with --html, got it alone`);
  }
  const { inspectLog } = await import("heartwood/visualizer");
  const port = given.integer("port", HIGHEST_PORT);
  return withBar(output, async ({ signal, show, hide }) => {
    await using inspection = await inspectLog(path, {
      signal,
      onProgress: ({ seq, total }) => show("checking frames", seq, total),
      ...(port === undefined ? {} : { port }),
    });
    hide();
    const { url } = inspection;
    await output.line(given.has("json") ? toJson({ url }) : `${escapeText(path)} at ${output.style.accent(url)}`);
    await untilAborted(signal);
    return 0;
  });
}

async function write(path: string, given: Arguments, output: Output): Promise<number> {
  if (given.has("port")) throw new CliError("USAGE", "expected --html or --port, got both");
  const { writePage } = await import("heartwood/visualizer");
  const file = given.text("html") ?? "";
  const [from, to] = [parseSeq(given.text("from"), "from"), parseSeq(given.text("to"), "to")];
  const range = await withBar(output, ({ signal, show }) =>
    writePage(path, file, {
      signal,
      onProgress: ({ step, seq, total }) => show(`${step} records`, seq, total),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    }),
  );
  await output.line(
    given.has("json")
      ? toJson({ file, ...range })
      : `wrote records ${formatCount(range.from)} to ${formatCount(range.to)} to ${escapeText(file)}`,
  );
  return 0;
}

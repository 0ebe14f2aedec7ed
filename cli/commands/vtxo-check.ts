import type { Command } from "../command.ts";
import { CliError, describeError } from "../errors.ts";
import { toJson } from "../json.ts";
import { type Line, readLines } from "../lines.ts";

/** Longest line taken: an anchor transaction of 4 MB and a VTXO of the same size, in hex. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** `heartwood vtxo check`: verdicts for a stream of VTXOs. */
export const vtxoCheck: Command = {
  name: "vtxo check",
  summary: "judge VTXOs, one JSON line each",
  operands: [],
  options: {},
  details: `
Reads lines of JSON on standard input, {"vtxo": HEX, "anchorTx": HEX}, and writes one
line of JSON for each, in order:
  {"decode", "valid", "id", "kind", "depth", "amountSats", "expiryHeight", "txids",
   "standard", "code", "message"}
"valid" means that the VTXO decodes and validates, signatures included, against the
given transaction; that this transaction has the id of the VTXO's anchor is for the
caller to compare. "code" and "message" say why not.
A line that cannot be used, a blank or overlong (16 MiB) one included, is answered with
  {"error": {"code", "message"}}
Exit code 0 if every line was answered.`,
  async run(_, output) {
    // Loaded here: other commands start without the cryptography.
    const { judge, parseQuestion } = await import("../verdict.ts");
    let bugs = 0;
    for await (const line of readLines(process.stdin, MAX_LINE_BYTES)) {
      const { answer, isBug } = answerLine(line, (bytes) => judge(parseQuestion(bytes)));
      if (isBug) bugs++;
      await output.line(toJson(answer));
    }
    return bugs === 0 ? 0 : 1;
  },
};

/** A bug of ours is told in its line too, so that one line never takes the answers of the others away. */
function answerLine(line: Line, judge: (line: Uint8Array) => unknown): { answer: unknown; isBug: boolean } {
  try {
    if (line === undefined)
      throw new CliError("INPUT_TOO_LONG", `expected a line of at most ${MAX_LINE_BYTES} bytes, got a longer one`);
    return { answer: judge(line), isBug: false };
  } catch (error) {
    return { answer: { error: describeError(error) }, isBug: !(error instanceof CliError) };
  }
}

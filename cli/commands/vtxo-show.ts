import type { Command } from "../command.ts";
import { CliError } from "../errors.ts";
import { toJson } from "../json.ts";
import { formatVtxo } from "../vtxo-view.ts";

const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/** `heartwood vtxo show`: one VTXO for people. */
export const vtxoShow: Command = {
  name: "vtxo show",
  summary: "show what is in a VTXO",
  operands: ["HEX"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Decodes a full user VTXO and prints its amount, keys, expiry, chain anchor and each
step between the anchor and it, with the ids of its exit transactions.
HEX is the VTXO in hex, or - to read the hex from standard input.
Nothing is validated: signatures and anchor are what heartwood vtxo check looks at.`,
  async run(given, output) {
    const [operand = ""] = given.operands;
    const hex = operand === "-" ? await readInput() : operand;
    // Loaded here: other commands start without the cryptography.
    const { describeVtxo } = await import("../vtxo-description.ts");
    const { decodeVtxo } = await import("heartwood/ark");
    const description = describeVtxo(decodeVtxo(await parseHex(hex)));
    if (given.has("json")) await output.line(toJson(description));
    else for (const line of formatVtxo(description, output.style, output.columns)) await output.line(line);
    return 0;
  },
};

async function parseHex(text: string): Promise<Uint8Array> {
  const { ArkError, decodeHex } = await import("heartwood/ark");
  try {
    return decodeHex(text.trim());
  } catch (error) {
    if (!(error instanceof ArkError)) throw error;
    throw new CliError("BAD_HEX", `expected a VTXO in hex: ${error.message}`, { cause: error });
  }
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of process.stdin) {
    length += part.length;
    if (length > MAX_INPUT_BYTES)
      throw new CliError("INPUT_TOO_LONG", `expected at most ${MAX_INPUT_BYTES} bytes on standard input, got more`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("latin1");
}

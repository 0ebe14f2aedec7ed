import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { toJson } from "../json.ts";

/** `heartwood definitions`: the machines for Stately's editor. */
export const definitions: Command = {
  name: "definitions",
  summary: "write the machines as files for Stately's editor",
  operands: ["FOLDER"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Writes every machine of this build to a new file FOLDER/NAME.json, in the form that
XState's createMachine takes, with guards and effects by name: Stately's editor and
viewer open it. Needs neither a wallet nor a network.`,
  async run(given, output) {
    const { machineDefinitions } = await import("heartwood/visualizer");
    const [folder = ""] = given.operands;
    await mkdir(folder, { recursive: true });
    const files: string[] = [];
    for (const definition of machineDefinitions()) {
      const file = join(folder, `${definition.id}.json`);
      await writeFile(file, `${JSON.stringify(definition, null, 2)}\n`, { flag: "wx" });
      files.push(file);
    }
    await output.line(given.has("json") ? toJson({ files }) : `wrote ${files.length} machines to ${escapeText(folder)}`);
    return 0;
  },
};

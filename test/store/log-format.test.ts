import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { Record } from "../../proto/generated/log.ts";
import { toHex } from "../../store/bytes.ts";
import { firstLink } from "../../store/chain.ts";
import { ChainReader, startOf } from "../../store/chain-reader.ts";
import { sealFrame } from "../../store/frame.ts";

/** The records of one commit. */
const EXAMPLES: readonly Partial<Record>[] = [
  { seq: 1n, epoch: 1n, atMs: 1_700_000_000_000n, machine: "wallet", instance: "wallet/main", type: "opened" },
  {
    seq: 2n,
    epoch: 1n,
    atMs: 1_700_000_000_250n,
    machine: "connection",
    instance: "connection/main",
    type: "start",
    outcome: { state: "Connecting", contextChange: new Uint8Array(0), effects: [], stateDigest: new Uint8Array(0) },
  },
];

test("the example in docs/log-format.md is what the code writes and reads", async () => {
  const page = await readFile(new URL("../../docs/log-format.md", import.meta.url), "utf8");
  const { logId, linkZero, frames } = readExample(page);
  let link = firstLink(Buffer.from(logId, "hex"));
  expect(toHex(link)).toBe(linkZero);
  const written = EXAMPLES.map((record, index) => {
    const body = Record.encode(Record.fromPartial({ revision: 1, version: 1n, schema: 1, ...record })).finish();
    const sealed = sealFrame(link, { commit: 1n, endsCommit: index === 1, body });
    link = sealed.chain;
    return toHex(sealed.bytes);
  });
  expect(frames).toEqual(written);

  const reader = new ChainReader(startOf(logId));
  const read = frames.map((frame, i) => reader.accept({ seq: BigInt(i + 1), bytes: Buffer.from(frame, "hex") }));
  expect(read.map(({ record }) => record.type)).toEqual(["opened", "start"]);
  expect(read.map(({ commit, endsCommit }) => [commit, endsCommit])).toEqual([
    [1n, false],
    [1n, true],
  ]);
});

/** The hex of the example: a frame's bytes stand in the second column, over several lines. */
function readExample(page: string): { logId: string; linkZero: string; frames: string[] } {
  const frames: string[] = [];
  const values = new Map<string, string>();
  let isFrame = false;
  for (const line of page.slice(page.indexOf("## 8.")).split("\n")) {
    const [, name, hex] = /^ {4}([a-z0]+(?: [a-z0]+)?)? +([0-9a-f]+)(?: {2,}.*)?$/.exec(line) ?? [];
    if (hex === undefined) continue;
    if (name !== undefined) isFrame = name === "frame";
    if (name === "frame") frames.push("");
    if (isFrame) frames.push(`${frames.pop() ?? ""}${hex}`);
    else if (name !== undefined) values.set(name, hex);
  }
  return { logId: values.get("log id") ?? "", linkZero: values.get("link 0") ?? "", frames };
}

import { expect, test } from "vitest";
import { bitcoinCore } from "../../chain/bitcoin-core.ts";
import { esplora } from "../../chain/esplora.ts";
import type { Answer, ChainSource } from "../../chain/source.ts";

const TXID = "ab".repeat(32);
const MIB = 1024 * 1024;
/** No answer to anything: what is refused for its size is refused before that shows. */
const PIECE = new Uint8Array(MIB).fill(0x78);

/** What a node is asked once, before all else. */
const FIT: Readonly<Record<string, unknown>> = {
  getnetworkinfo: { version: 290_000 },
  getindexinfo: { txindex: { synced: true } },
};

/** A server whose every answer has that many bytes. */
function answering(bytes: number): typeof fetch {
  return async (url, { body } = {}) => {
    if (String(url).endsWith("/tip/hash")) return new Response(TXID);
    const { id, method } = JSON.parse(String(body ?? "{}")) as { id?: number; method?: string };
    if (method !== undefined && method in FIT) return Response.json({ id, result: FIT[method] });
    let left = bytes;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      if (left > 0) controller.enqueue(PIECE.subarray(0, left));
      else controller.close();
      left -= PIECE.length;
    };
    return new Response(new ReadableStream({ pull }));
  };
}

const sources = {
  esplora: (options: { fetch: typeof fetch }) => esplora("https://chain.example", options),
  "Bitcoin Core": (options: { fetch: typeof fetch }) =>
    bitcoinCore("http://127.0.0.1:8332", { credentials: { user: "u", password: "p" }, ...options }),
};

const questions = {
  tip: (source) => source.tip(),
  tipTime: (source) => source.tipTime(),
  transaction: (source) => source.transaction(TXID),
  status: (source) => source.status(TXID),
  outspend: (source) => source.outspend(TXID, 0),
  blockHash: (source) => source.blockHash(1),
} satisfies Record<string, (source: Required<ChainSource>) => Promise<Answer<unknown>>>;

test.each([
  ["esplora", "tip", 1_024],
  ["esplora", "tipTime", 65_536],
  ["esplora", "blockHash", 1_024],
  ["esplora", "outspend", 65_536],
  ["esplora", "transaction", 4 * MIB],
  ["esplora", "status", 32 * MIB],
  ["Bitcoin Core", "tip", 65_536],
  ["Bitcoin Core", "tipTime", 65_536],
  ["Bitcoin Core", "blockHash", 65_536],
  ["Bitcoin Core", "outspend", 65_536],
  ["Bitcoin Core", "transaction", 9 * MIB],
  ["Bitcoin Core", "status", 64 * MIB],
] as const)("of an answer of %s to the question for %s %i bytes are taken, and no more", async (kind, question, most) => {
  const codeAt = async (bytes: number): Promise<string> => {
    const answer = await questions[question](sources[kind]({ fetch: answering(bytes) }));
    return answer.kind === "unknown" ? answer.error.code : answer.kind;
  };
  expect(await codeAt(most + 1)).toBe("CHAIN_RESPONSE_TOO_LARGE");
  expect(await codeAt(most)).toMatch(/^CHAIN_(BAD_RESPONSE|TXID_MISMATCH)$/);
});

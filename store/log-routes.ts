import type { FramedLog } from "./backed-log.ts";
import { SEQ_MAX } from "./chain-reader.ts";
import type { LogHead } from "./event-log.ts";
import { encodePage } from "./frame-page.ts";
import { isNumber, membersOf, OwnerRefusal, parse } from "./owner-refusal.ts";
import type { Routes } from "./owner-service.ts";

/** Where an owner tells the committed end of its log, and its frames (docs/log-format.md §12). */
export const HEAD_PATH = "/v1/head";
const FRAMES_PATH = "/v1/frames";

const LOG_ID = /^[0-9a-f]{64}$/;
const CHAIN = /^[0-9a-f]{32}$/;

/** What the owner of an open log answers about it. It tells nothing but what is committed. */
export function logRoutes(log: FramedLog): Routes {
  return {
    [HEAD_PATH]: async () => encodeHead(log.head()),
    async [FRAMES_PATH](query) {
      const [from, to] = [numberOf(query, "from"), numberOf(query, "to")];
      // The first batch; the client asks for what follows.
      for await (const frames of log.frames(from, to)) return encodePage(frames);
      return new Uint8Array();
    },
  };
}

/** The path and query that ask for frames; the answer begins with the first and holds about 1 MiB. */
export function framesPath(from: bigint, to: bigint): string {
  return `${FRAMES_PATH}?from=${from}&to=${to}`;
}

function encodeHead({ logId, epoch, commit, seq, chain }: LogHead): string {
  return JSON.stringify({ logId, epoch: String(epoch), commit: String(commit), seq: String(seq), chain });
}

/** The end of an owner's log from its answer; undefined if it is none. */
export function decodeHead(body: Uint8Array): LogHead | undefined {
  const { logId, epoch, commit, seq, chain } = membersOf(parse(body));
  if (typeof logId !== "string" || !LOG_ID.test(logId) || typeof chain !== "string" || !CHAIN.test(chain)) return undefined;
  if (!isNumber(epoch) || !isNumber(commit) || !isNumber(seq)) return undefined;
  return { logId, epoch: BigInt(epoch), commit: BigInt(commit), seq: BigInt(seq), chain };
}

function numberOf(query: URLSearchParams, name: string): bigint {
  const text = query.get(name);
  const number = isNumber(text) ? BigInt(text) : 0n;
  if (number < 1n || number > SEQ_MAX)
    throw new OwnerRefusal("OWNER_BAD_REQUEST", `expected the number of a record as ${name}, got another text`);
  return number;
}

import fc from "fast-check";
import type { StreamErrorCode } from "../../streams/errors.ts";
import { COPIES, type Copy } from "./pool.ts";
import type { ChainState } from "./scripted-chain.ts";

/** One VTXO of a package: which of the pool, and how its copy is spoilt. */
export interface PostedVtxo {
  readonly pick: number;
  readonly copy: Copy;
}

/** What a message says. */
export type Message =
  | { readonly kind: "package"; readonly vtxos: readonly PostedVtxo[] }
  /** The package posted last, and one VTXO more. */
  | { readonly kind: "partly-known"; readonly more: PostedVtxo }
  /** One VTXO, two or three times. */
  | { readonly kind: "twice"; readonly vtxo: PostedVtxo; readonly again: readonly Copy[] }
  | { readonly kind: "empty" | "unknown" | "round" | "lightning-receive" | "lightning-send" | "recovery-ids" };

/** Where a lying server says that a message stands. */
export type Place = "next" | "equal" | "lower" | "soon" | "huge";

/** One thing that happens to a wallet. */
export type Command =
  | { readonly type: "deliver"; readonly message: Message; readonly place: Place }
  | { readonly type: "reorder"; readonly messages: readonly [Message, Message] }
  | { readonly type: "duplicate"; readonly which: number; readonly how: "stream" | "repost" }
  | { readonly type: "halt"; readonly message: Message; readonly chain: "down" | "server" }
  | { readonly type: "chain"; readonly state: ChainState }
  | { readonly type: "server"; readonly up: boolean }
  | { readonly type: "fail"; readonly calls: number; readonly code: StreamErrorCode; readonly replyLost: boolean }
  | { readonly type: "stream-ends"; readonly code: StreamErrorCode }
  | { readonly type: "crash"; readonly after: number | null }
  | { readonly type: "advance"; readonly ms: number }
  | { readonly type: "reopen" | "mine" | "confirm" | "learn" | "sync" | "start" | "stop" | "address" };

/** How a run is set up. */
export interface Setup {
  /** Whether the wallet follows the mailbox from the start, and again after each restart. */
  readonly live: boolean;
  /** Rows in a page of the mailbox. */
  readonly pageRows: number;
  /** Turns of the event loop that a write takes. */
  readonly writeTicks: number;
}

/** A random life of a wallet. */
export interface Life {
  readonly setup: Setup;
  readonly commands: readonly Command[];
}

const MOST_COMMANDS = 30;

const copy = fc.oneof({ weight: 4, arbitrary: fc.constant<Copy>("whole") }, { weight: 1, arbitrary: fc.constantFrom(...COPIES) });
const posted: fc.Arbitrary<PostedVtxo> = fc.record({ pick: fc.nat(999), copy });
const message: fc.Arbitrary<Message> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.array(posted, { minLength: 1, maxLength: 4 }).map((vtxos) => ({ kind: "package", vtxos }) as const),
  },
  { weight: 3, arbitrary: posted.map((more) => ({ kind: "partly-known", more }) as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("twice" as const),
      vtxo: posted,
      again: fc.array(copy, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom("empty", "unknown", "round", "lightning-receive", "lightning-send", "recovery-ids")
      .map((kind) => ({ kind }) as const),
  },
);
const trouble = fc.constantFrom<StreamErrorCode>(
  "SERVER_UNREACHABLE",
  "DEADLINE",
  "SERVER_FAILED",
  "SERVER_BUSY",
  "STREAM_RESET",
);
const only = <Type extends string>(...types: Type[]) => fc.constantFrom(...types).map((type) => ({ type }) as const);
const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const command: fc.Arbitrary<Command> = fc.oneof(
  weighted(
    30,
    message.map((sent) => ({ type: "deliver", message: sent, place: "next" }) as const),
  ),
  weighted(
    6,
    fc.record({
      type: fc.constant("deliver" as const),
      message,
      place: fc.constantFrom<Place>("equal", "lower", "soon", "huge"),
    }),
  ),
  weighted(3, fc.record({ type: fc.constant("reorder" as const), messages: fc.tuple(message, message) })),
  weighted(
    6,
    fc.record({ type: fc.constant("duplicate" as const), which: fc.nat(99), how: fc.constantFrom("stream", "repost") }),
  ),
  weighted(6, fc.record({ type: fc.constant("halt" as const), message, chain: fc.constantFrom("down", "server") })),
  weighted(
    5,
    fc.record({ type: fc.constant("chain" as const), state: fc.constantFrom<ChainState>("up", "up", "down", "absent") }),
  ),
  weighted(4, fc.record({ type: fc.constant("server" as const), up: fc.boolean() })),
  weighted(
    4,
    fc.record({
      type: fc.constant("fail" as const),
      calls: fc.integer({ min: 1, max: 4 }),
      code: trouble,
      replyLost: fc.boolean(),
    }),
  ),
  weighted(
    4,
    fc.record({
      type: fc.constant("stream-ends" as const),
      code: fc.constantFrom<StreamErrorCode>("STREAM_ENDED", "STREAM_RESET", "SERVER_FAILED"),
    }),
  ),
  weighted(6, fc.record({ type: fc.constant("crash" as const), after: fc.oneof(fc.constant(null), fc.nat(25)) })),
  weighted(9, fc.record({ type: fc.constant("advance" as const), ms: fc.constantFrom(2_000, 31_000, 95_000) })),
  weighted(14, only("reopen", "mine", "confirm", "learn", "sync", "start", "stop", "address")),
);

/** Random lives. */
export const life: fc.Arbitrary<Life> = fc.record({
  setup: fc.record({ live: fc.boolean(), pageRows: fc.constantFrom(4, 100), writeTicks: fc.nat(2) }),
  commands: fc.array(command, { maxLength: MOST_COMMANDS, size: "max" }),
});

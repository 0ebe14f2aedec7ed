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
  | { readonly kind: "empty" | "unknown" | "malformed" | "round" | "lightning-receive" | "lightning-send" | "recovery-ids" };

/** Where a lying server says that a message stands. */
export type Place = "next" | "equal" | "lower" | "ahead" | "huge";

/** One thing that happens to a wallet. */
export type Command =
  | { readonly type: "deliver"; readonly message: Message; readonly place: Place }
  /** Messages come while the wallet is stopped; then it syncs. */
  | { readonly type: "backlog"; readonly messages: readonly Message[] }
  | { readonly type: "reorder"; readonly messages: readonly [Message, Message] }
  | { readonly type: "duplicate"; readonly which: number; readonly how: "stream" | "repost" }
  /** A package comes while the chain or the server does not answer. */
  | { readonly type: "halt"; readonly message: Message; readonly silent: "chain" | "server" }
  /** The owner brings a VTXO that came another way. */
  | { readonly type: "import"; readonly vtxo: PostedVtxo }
  /** Nobody answers about one VTXO of a package, for long; everything else is answered. */
  | { readonly type: "poison"; readonly message: Message; readonly silent: "chain" | "server" }
  | { readonly type: "chain"; readonly state: ChainState }
  | { readonly type: "server"; readonly up: boolean }
  | {
      readonly type: "fail";
      readonly calls: number;
      readonly code: StreamErrorCode;
      readonly replyLost: boolean;
      readonly isForCommand: boolean;
    }
  | { readonly type: "stream-ends"; readonly code: StreamErrorCode }
  | { readonly type: "crash"; readonly after: number | null }
  | { readonly type: "advance"; readonly ms: number }
  /** The wallet's clock is off by that, or stands at its beginning. */
  | { readonly type: "clock"; readonly to: number | "1970" }
  | { readonly type: (typeof OWN)[number] };

/** How a run is set up. */
export interface Setup {
  /** Whether the wallet follows the mailbox from the start, and again after each restart. */
  readonly live: boolean;
  /** Rows in a page of the mailbox. */
  readonly pageRows: number;
  /** Turns of the event loop that a write takes. */
  readonly writeTicks: number;
  /** After which part of its records a snapshot is taken of them, when they are read again. */
  readonly snapshotPercent: number;
  /** Whether it is looked on at the end while nothing happens. */
  readonly rests: boolean;
}

/** A random life of a wallet. */
export interface Life {
  readonly setup: Setup;
  readonly commands: readonly Command[];
}

const copy = fc.oneof({ weight: 4, arbitrary: fc.constant<Copy>("whole") }, { weight: 1, arbitrary: fc.constantFrom(...COPIES) });
const posted: fc.Arbitrary<PostedVtxo> = fc.record({ pick: fc.nat(999), copy });
const several = fc.array(posted, { minLength: 1, maxLength: 4 }).map((vtxos): Message => ({ kind: "package", vtxos }));
const twice = fc.record({
  kind: fc.constant("twice" as const),
  vtxo: posted,
  again: fc.array(copy, { minLength: 1, maxLength: 2 }),
});
const notice = fc
  .constantFrom("empty", "unknown", "malformed", "round", "lightning-receive", "lightning-send", "recovery-ids")
  .map((kind): Message => ({ kind }));
const message: fc.Arbitrary<Message> = fc.oneof(
  { weight: 11, arbitrary: several },
  { weight: 3, arbitrary: posted.map((more): Message => ({ kind: "partly-known", more })) },
  { weight: 2, arbitrary: twice },
  { weight: 10, arbitrary: notice },
);

const code = fc.constantFrom<StreamErrorCode>(
  "SERVER_UNREACHABLE",
  "DEADLINE",
  "SERVER_FAILED",
  "SERVER_BUSY",
  "STREAM_RESET",
  "STREAM_ENDED",
);
/** What needs no more words. */
export const OWN = [
  "reopen",
  "mine",
  "confirm",
  "reorganize",
  "outrun",
  "learn",
  "sync",
  "syncs",
  "start",
  "stop",
  "address",
] as const;
const CLOCKS = [0, 0, 0, 0, 15_000, -15_000, 3_600_000, -3_600_000, 31_536_000_000, -31_536_000_000, "1970"] as const;

/** A command of one type with its random members. */
function some<Type extends Command["type"], Members>(
  weight: number,
  type: Type,
  members: { [K in keyof Members]: fc.Arbitrary<Members[K]> },
) {
  return { weight, arbitrary: fc.record({ ...members, type: fc.constant(type) }) as unknown as fc.Arbitrary<Command> };
}

const OWN_WEIGHTS: { readonly [type in (typeof OWN)[number]]: number } = {
  reopen: 15,
  mine: 25,
  confirm: 20,
  reorganize: 17,
  outrun: 17,
  learn: 17,
  sync: 20,
  syncs: 15,
  start: 40,
  stop: 17,
  address: 16,
};

/** In thousandths, about. Every class has its percent, and what takes hours of a wallet's life the least. */
const command: fc.Arbitrary<Command> = fc.oneof(
  some(290, "deliver", { message, place: fc.constant<Place>("next") }),
  some(80, "deliver", { message, place: fc.constantFrom<Place>("equal", "lower", "ahead", "huge") }),
  some(15, "backlog", { messages: fc.array(message, { minLength: 2, maxLength: 5 }) }),
  some(17, "reorder", { messages: fc.tuple(message, message) }),
  some(65, "duplicate", { which: fc.nat(99), how: fc.constantFrom("stream", "stream", "repost") }),
  some(25, "halt", { message: several, silent: fc.constantFrom("chain", "server") }),
  some(25, "import", { vtxo: posted }),
  some(2, "poison", { message: several, silent: fc.constantFrom("chain", "server") }),
  some(50, "chain", { state: fc.constantFrom<ChainState>("up", "up", "down", "absent") }),
  some(45, "server", { up: fc.constantFrom(true, true, false) }),
  some(60, "fail", { calls: fc.integer({ min: 1, max: 4 }), code, replyLost: fc.boolean(), isForCommand: fc.boolean() }),
  some(40, "stream-ends", { code }),
  some(34, "crash", { after: fc.oneof(fc.constant(null), fc.nat(25)) }),
  some(55, "advance", { ms: fc.constantFrom(2_000, 31_000, 95_000) }),
  some(60, "clock", { to: fc.constantFrom(...CLOCKS) }),
  ...OWN.map((type) => ({ weight: OWN_WEIGHTS[type], arbitrary: fc.constant<Command>({ type }) })),
);

/** Random lives of so many commands at most. */
export function lifeOf(mostCommands: number): fc.Arbitrary<Life> {
  return fc.record({
    setup: fc.record({
      live: fc.constantFrom(true, true, false),
      pageRows: fc.constantFrom(4, 100),
      writeTicks: fc.nat(2),
      snapshotPercent: fc.nat(100),
      rests: fc.constantFrom(true, false, false, false),
    }),
    commands: fc.array(command, { maxLength: mostCommands, size: "max" }),
  });
}

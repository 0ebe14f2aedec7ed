import { Status } from "nice-grpc-common";
import { encodeMessage, encodeUnknownMessage, type Simulator } from "../../../simulator/index.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const DAY_MS = 86_400_000;
const UNKNOWN_FIELD = 99;
const EVIL = "\u001b[2J\u001b]0;owned\u0007 \u202eevil\u2028 <script>";

/** What a server does to a wallet, and what it may cost. */
export interface Attack {
  readonly name: string;
  /** Delivers and switches; answers the sats that it credits, 0 as a rule. */
  begin(simulator: Simulator, address: string): Promise<bigint>;
  /** The wallet is away meanwhile, and finds all of it when it comes back. */
  readonly whileAway?: boolean;
  /** The wallet must have ended a connection with this code before the attack is over. */
  readonly code?: string;
  /** The stream says nothing any more: the payment behind is found by a sync. */
  readonly needsSync?: boolean;
  /** The wallet refuses all work from then on. */
  readonly isFinal?: boolean;
  /** Most growth of resident memory, and of the directory. */
  readonly memoryMiB: number;
  readonly directoryMiB: number;
}

const usual = { memoryMiB: 160, directoryMiB: 8 } as const;

/** Every attack; the one that ends the trust comes last. */
export const attacks: readonly Attack[] = [
  { name: "texts with control characters", ...usual, begin: async (simulator) => evilTexts(simulator) },
  {
    name: "message flood",
    ...usual,
    begin: async (simulator, address) => {
      for (let i = 0; i < 1_000; i++) simulator.deliverUnknown(address, UNKNOWN_FIELD, filled(600, i));
      return 0n;
    },
  },
  {
    name: "flood of messages of 4 MiB",
    memoryMiB: 160,
    directoryMiB: 32,
    begin: async (simulator, address) => {
      for (let i = 0; i < 18; i++) simulator.deliver(address, [filled(4 * MIB - KIB, i)]);
      return 0n;
    },
  },
  {
    name: "a message of 64 MiB",
    memoryMiB: 320,
    directoryMiB: 24,
    begin: async (simulator, address) => {
      simulator.deliver(
        address,
        Array.from({ length: 100 }, (_, i) => filled(655 * KIB, i)),
      );
      return 0n;
    },
  },
  {
    name: "a page above the receive limit",
    memoryMiB: 320,
    directoryMiB: 32,
    whileAway: true,
    begin: async (simulator, address) => {
      for (let i = 0; i < 34; i++) simulator.deliverUnknown(address, UNKNOWN_FIELD, filled(2 * MIB, i));
      return 0n;
    },
  },
  {
    name: "have_more that is never true, on pages of three",
    ...usual,
    whileAway: true,
    begin: async (simulator, address) => {
      simulator.faults.pageLimit = 3;
      simulator.faults.haveMore = "never";
      return litter(simulator, address, 20);
    },
  },
  {
    name: "have_more that is always true",
    ...usual,
    whileAway: true,
    begin: async (simulator, address) => {
      simulator.faults.haveMore = "always";
      return litter(simulator, address, 20);
    },
  },
  {
    name: "the same page again and again",
    ...usual,
    whileAway: true,
    code: "MAILBOX_STUCK",
    begin: async (simulator, address) => {
      simulator.faults.repeatPages = true;
      return litter(simulator, address, 10);
    },
  },
  {
    name: "descending checkpoints",
    ...usual,
    begin: async (simulator, address) => {
      for (let i = 0; i < 30; i++) {
        simulator.deliverRaw(address, (own) => encodeUnknownMessage(own - BigInt(i) * 1_000_000n, UNKNOWN_FIELD, filled(10, i)));
      }
      return 0n;
    },
  },
  {
    name: "leaping checkpoints",
    ...usual,
    begin: async (simulator, address) => {
      for (const ahead of [2 * DAY_MS, 400 * DAY_MS]) {
        const leap = BigInt(Date.now() + ahead) << 20n;
        simulator.deliverRaw(address, () => encodeUnknownMessage(leap, UNKNOWN_FIELD, filled(10, ahead)));
      }
      simulator.deliverRaw(address, () => encodeUnknownMessage(2n ** 64n - 1n, UNKNOWN_FIELD, filled(10, 1)));
      return 0n;
    },
  },
  {
    name: "a hundred deep VTXOs",
    ...usual,
    begin: async (simulator, address) => {
      const amountsSats = Array.from({ length: 100 }, (_, i) => 1_000n + BigInt(i));
      const vtxos = await simulator.createPackage(address, { amountsSats, perCoin: 4, depth: 17, quick: true });
      simulator.deliver(address, vtxos);
      return amountsSats.reduce((sum, sats) => sum + sats, 0n);
    },
  },
  {
    name: "garbage VTXOs",
    ...usual,
    begin: async (simulator, address) => {
      for (let i = 0; i < 100; i++) {
        const entries = Array.from({ length: 10 }, (_, entry) => filled(200, 10 * i + entry));
        simulator.deliver(address, entries);
      }
      return 0n;
    },
  },
  {
    name: "empty messages",
    ...usual,
    begin: async (simulator, address) => {
      for (let i = 0; i < 300; i++) simulator.deliverMessage(address, { $case: "arkoor", value: { vtxos: [] } });
      for (let i = 0; i < 10; i++) simulator.deliverRaw(address, () => new Uint8Array());
      simulator.deliverRaw(address, (checkpoint) => encodeMessage({ checkpoint, message: undefined }));
      return 0n;
    },
  },
  {
    name: "an endless slow stream",
    ...usual,
    begin: async (simulator, address) => {
      simulator.faults.streamPaceMs = 1_300;
      return litter(simulator, address, 30);
    },
  },
  {
    name: "silence after the stream opened",
    ...usual,
    needsSync: true,
    begin: async (simulator) => {
      simulator.faults.delay("SubscribeMailbox", 600_000);
      simulator.faults.cutStreams();
      return 0n;
    },
  },
  {
    name: "a reset after every message",
    ...usual,
    begin: async (simulator, address) => {
      simulator.faults.messagesPerStream = 1;
      return litter(simulator, address, 10);
    },
  },
  {
    name: "changed keys",
    ...usual,
    isFinal: true,
    code: "SERVER_KEY_CHANGED",
    begin: async (simulator) => {
      simulator.rotateKeys("server");
      simulator.faults.cutStreams();
      return 0n;
    },
  },
];

/** An announcement for the handshake that a terminal would obey. */
export const EVIL_ANNOUNCEMENT = EVIL;

async function litter(simulator: Simulator, address: string, messages: number): Promise<bigint> {
  for (let i = 0; i < messages; i++) simulator.deliverUnknown(address, UNKNOWN_FIELD, filled(100, i));
  return 0n;
}

async function evilTexts(simulator: Simulator): Promise<bigint> {
  for (const method of ["ReadMailbox", "SubscribeMailbox", "GetArkInfo"] as const) {
    simulator.faults.failNext(method, Status.INTERNAL, 2, EVIL);
  }
  simulator.faults.cutStreams();
  return 0n;
}

/** Bytes that differ from number to number, and are no VTXO. */
function filled(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(number % 251);
  new DataView(bytes.buffer).setFloat64(0, number + 0.5);
  return bytes;
}

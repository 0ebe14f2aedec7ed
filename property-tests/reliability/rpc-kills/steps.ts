import { Status } from "nice-grpc-common";
import { buildAddress, encodeAddress } from "../../../ark/address.ts";
import { WalletKeys } from "../../../ark/keys.ts";
import type { Simulator } from "../../../simulator/index.ts";
import type { Goal, Job } from "./job.ts";

/** The wallet's words, and those of whom it pays. */
export const MNEMONIC = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const OTHER_MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow";

/** A piece of the scenario: what happens in the world, and how the wallet comes out of it. */
export interface Step {
  readonly name: string;
  /** Whether it is lived by a wallet that is made of the seed alone. */
  readonly isRestore?: boolean;
  /** Called once, before the first process of the step. */
  readonly begin: (simulator: Simulator) => Promise<Job["action"]>;
  /** What is added to the money, in sats; null where fees make it what it is. */
  readonly sats: number | null;
  /** How many items are in quarantine afterwards; null where that may be the spent ones too. */
  readonly held: number | null;
}

const nothing = async (): Promise<null> => null;

/** A life of a wallet: each way in which money comes, waits, fails to come, goes, and is found again. */
export const steps: readonly Step[] = [
  { name: "first connection", begin: nothing, sats: 0, held: 0 },
  {
    name: "a package to be registered",
    begin: (at) => paid(at, { amountsSats: [20_000n, 3_000n], register: false }),
    sats: 23_000,
    held: 0,
  },
  {
    name: "a package of which the server has the good copy",
    begin: (at) => paid(at, { amountsSats: [4_000n, 5_000n], corrupt: [{ index: 0, how: "signature" }] }),
    sats: 9_000,
    held: 0,
  },
  {
    name: "a package that halts, with others behind it",
    async begin(at) {
      at.faults.failNext("GetVtxoStatus", Status.UNAVAILABLE, 3);
      at.deliverUnknown(addressOf(at, MNEMONIC));
      await paid(at, { amountsSats: [6_000n] });
      const notice = { paymentHashes: [new Uint8Array(32).fill(7)], unlockHash: new Uint8Array(32).fill(8) };
      at.deliverMessage(addressOf(at, MNEMONIC), { $case: "roundParticipationCompleted", value: notice });
      return paid(at, { amountsSats: [7_000n] });
    },
    sats: 13_000,
    held: 0,
  },
  {
    name: "a package under an unconfirmed anchor, and one that nobody can repair",
    async begin(at) {
      await paid(at, { amountsSats: [8_000n], unconfirmedAnchor: true });
      at.deliver(addressOf(at, MNEMONIC), [Uint8Array.of(1, 2, 3)]);
      return null;
    },
    sats: 0,
    held: 2,
  },
  {
    name: "the anchor's block",
    async begin(at) {
      at.mine();
      return null;
    },
    sats: 8_000,
    held: 1,
  },
  {
    name: "a payment",
    begin: async (at) => ({ kind: "send", to: addressOf(at, OTHER_MNEMONIC), sats: 2_500 }),
    sats: -2_500,
    held: 1,
  },
  {
    name: "a payment over Lightning",
    begin: async (at) => ({ kind: "pay", to: at.lightning.invoice({ amountSats: 1_500n }).bolt11, sats: 1_500 }),
    sats: null,
    held: 1,
  },
  { name: "the seed alone", isRestore: true, begin: nothing, sats: 0, held: null },
];

/** Where a wallet has to come to. */
export function goalOf(simulator: Simulator, totalSats: number | null, held: number | null): Goal {
  const checkpoint = simulator.mailbox(addressOf(simulator, MNEMONIC)).at(-1)?.checkpoint ?? 0n;
  return { totalSats: totalSats === null ? null : String(totalSats), checkpoint: String(checkpoint), held };
}

async function paid(simulator: Simulator, request: Parameters<Simulator["pay"]>[1]): Promise<null> {
  await simulator.pay(addressOf(simulator, MNEMONIC), request);
  return null;
}

/** The first address of a seed, made without any wallet. */
function addressOf({ arkInfo }: Simulator, mnemonic: string): string {
  const keys = WalletKeys.fromMnemonic(mnemonic);
  const { serverPubkey, mailboxPubkey } = arkInfo;
  const vtxoSecretKey = keys.vtxoSecretKey(0);
  return encodeAddress(buildAddress({ serverPubkey, mailboxPubkey, vtxoSecretKey, mailboxId: keys.mailboxId, mainnet: false }));
}

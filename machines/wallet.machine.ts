// What a wallet is: its network and seed, the server it trusted first, the addresses it gave out.
//
//   owner             wallet
//      │ wallet.created   │ Unpinned
//      │ wallet.opened    │            each writable open: a new epoch
//      │ address.issued   │
//   connection            │
//      │ server.pinned    │ Pinned     trust on first use, once and for all
import { setup } from "xstate";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

type WalletContext = {
  readonly network: string;
  /** BIP-32 fingerprint of m/350', hex (vtxo.md §8). */
  readonly fingerprint: string;
  readonly serverUrl: string;
  readonly chainUrl: string;
  readonly createdAtMs: number;
  readonly epoch: bigint;
  /** 33-byte keys, hex. */
  readonly serverPubkey: string | null;
  readonly mailboxPubkey: string | null;
  /** Addresses given out; the next key index also counts keys found by look-ahead. */
  readonly lastIssuedIndex: number | null;
};

type WalletEvent = { readonly atMs: number } & (
  | {
      readonly type: "wallet.created";
      readonly network: string;
      readonly fingerprint: string;
      readonly serverUrl: string;
      readonly chainUrl: string;
    }
  | { readonly type: "wallet.opened"; readonly epoch: bigint }
  /** Addresses that proved right. The network differs only where the wallet was made for a wrong one and never used. */
  | { readonly type: "wallet.configured"; readonly network: string; readonly serverUrl: string; readonly chainUrl: string }
  | { readonly type: "server.pinned"; readonly serverPubkey: string; readonly mailboxPubkey: string }
  | { readonly type: "address.issued"; readonly keyIndex: number }
);

const events: EventSchemas<WalletEvent["type"]> = {
  "wallet.created": [],
  "wallet.opened": [],
  "wallet.configured": [],
  "server.pinned": [],
  "address.issued": [],
};

const definition = setup({
  types: { context: {} as WalletContext, events: {} as WalletEvent },
  guards: {
    isOtherPlace: ({ context, event }) =>
      event.type === "wallet.configured" &&
      (event.serverUrl !== context.serverUrl || event.chainUrl !== context.chainUrl || event.network !== context.network),
  },
});

const create = definition.assign(({ event }) => {
  if (event.type !== "wallet.created") return {};
  const { network, fingerprint, serverUrl, chainUrl, atMs } = event;
  return { network, fingerprint, serverUrl, chainUrl, createdAtMs: atMs };
});
const open = definition.assign(({ event }) => (event.type === "wallet.opened" ? { epoch: event.epoch } : {}));
const configure = definition.assign(({ event }) => {
  if (event.type !== "wallet.configured") return {};
  const { network, serverUrl, chainUrl } = event;
  return { network, serverUrl, chainUrl };
});
const pin = definition.assign(({ event }) =>
  event.type === "server.pinned" ? { serverPubkey: event.serverPubkey, mailboxPubkey: event.mailboxPubkey } : {},
);
const issue = definition.assign(({ event }) => (event.type === "address.issued" ? { lastIssuedIndex: event.keyIndex } : {}));

const owned = {
  "wallet.opened": { actions: [open] },
  "wallet.configured": { guard: "isOtherPlace" as const, actions: [configure] },
};

/** `wallet/main`: New → Unpinned → Pinned. */
export const walletMachine: MachineDefinition = {
  name: "wallet",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "wallet",
    initial: "New",
    context: {
      network: "",
      fingerprint: "",
      serverUrl: "",
      chainUrl: "",
      createdAtMs: 0,
      epoch: 0n,
      serverPubkey: null,
      mailboxPubkey: null,
      lastIssuedIndex: null,
    },
    states: {
      New: { on: { "wallet.created": { target: "Unpinned", actions: [create] } } },
      /** No server was seen yet: no address can be made. */
      Unpinned: { on: { ...owned, "server.pinned": { target: "Pinned", actions: [pin] } } },
      /** The server's two keys are fixed (mailbox.md C-10). */
      Pinned: { on: { ...owned, "address.issued": { actions: [issue] } } },
    },
  }),
};

import { expect, test } from "vitest";
import { walletMachine } from "../../machines/wallet.machine.ts";
import { given, testTable } from "./drive.ts";

const created = {
  type: "wallet.created",
  network: "regtest",
  fingerprint: "01020304",
  serverUrl: "http://127.0.0.1:1",
  chainUrl: "http://127.0.0.1:2",
  atMs: 5,
} as const;
const opened = { type: "wallet.opened", epoch: 3n, atMs: 0 } as const;
const { network, chainUrl } = created;
const moved = { type: "wallet.configured", network, serverUrl: "http://127.0.0.1:9", chainUrl, atMs: 0 } as const;
const pinned = { type: "server.pinned", serverPubkey: "02aa", mailboxPubkey: "03bb", atMs: 0 } as const;
const issued = { type: "address.issued", keyIndex: 4, atMs: 0 } as const;

testTable(
  walletMachine,
  {
    New: given(walletMachine),
    Unpinned: given(walletMachine, created),
    Pinned: given(walletMachine, created, pinned),
  },
  {
    created,
    opened,
    "configured as it is": { ...moved, serverUrl: created.serverUrl },
    "configured otherwise": moved,
    pinned,
    issued,
    "timer.due": { type: "timer.due" },
  },
  {
    New: { created: "Unpinned" },
    Unpinned: { opened: "Unpinned", "configured otherwise": "Unpinned", pinned: "Pinned" },
    Pinned: { opened: "Pinned", "configured otherwise": "Pinned", issued: "Pinned" },
  },
);

test("a wallet keeps what it was made with, what it trusts, and where it is now", () => {
  expect(given(walletMachine, created, opened, pinned, issued, moved)).toEqual({
    state: "Pinned",
    context: {
      network: "regtest",
      fingerprint: "01020304",
      serverUrl: "http://127.0.0.1:9",
      chainUrl: "http://127.0.0.1:2",
      createdAtMs: 5,
      epoch: 3n,
      serverPubkey: "02aa",
      mailboxPubkey: "03bb",
      lastIssuedIndex: 4,
    },
  });
});

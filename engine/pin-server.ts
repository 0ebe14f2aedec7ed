import { encodeHex } from "../ark/hex.ts";
import type { ServerInfo } from "../streams/server-info.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { WALLET } from "./wallet-state.ts";

/**
 * Trust on first use; a server with other keys gets no work at all (mailbox.md C-10). Its address is remembered only once
 * server and chain proved to be the wallet's.
 *
 * @throws HeartwoodError `SERVER_KEY_CHANGED`, `MAILBOX_KEY_CHANGED`
 */
export function pinServer(engine: Engine, info: ServerInfo, { isPlaceProven }: { readonly isPlaceProven: boolean }): void {
  const { loop, place } = engine;
  const context = loop.pending.contextOf(WALLET);
  const [serverPubkey, mailboxPubkey] = [encodeHex(info.serverPubkey), encodeHex(info.mailboxPubkey)];
  const [pinnedServer, pinnedMailbox] = [context?.serverPubkey ?? serverPubkey, context?.mailboxPubkey ?? mailboxPubkey];
  if (pinnedServer !== serverPubkey) {
    throw new HeartwoodError("SERVER_KEY_CHANGED", `expected server key ${pinnedServer}, got ${serverPubkey}`);
  }
  if (pinnedMailbox !== mailboxPubkey) {
    throw new HeartwoodError("MAILBOX_KEY_CHANGED", `expected mailbox key ${pinnedMailbox}, got ${mailboxPubkey}`);
  }
  if (isPlaceProven) engine.feed({ instance: WALLET, event: { type: "wallet.configured", ...place } });
  engine.feed({ instance: WALLET, event: { type: "server.pinned", serverPubkey, mailboxPubkey } });
}

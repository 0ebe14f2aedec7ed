import { publicKeyOf } from "../ark/crypto.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Which of the server's two keys: its identity, or the one that mailbox ids are blinded with. */
export type ServerKeyName = "server" | "mailbox";

/** The secret keys of the simulated server. Both can be replaced, which an honest server never does. */
export class ServerKeys {
  readonly #random: SeededRandom;
  readonly #secretKeys: Record<ServerKeyName, Uint8Array>;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#secretKeys = { server: random.fork("server").secretKey(), mailbox: random.fork("mailbox").secretKey() };
  }

  get serverSecretKey(): Uint8Array {
    return this.#secretKeys.server;
  }

  get mailboxSecretKey(): Uint8Array {
    return this.#secretKeys.mailbox;
  }

  /** 33 bytes, `ArkInfo.server_pubkey`. */
  get serverPubkey(): Uint8Array {
    return publicKeyOf(this.#secretKeys.server);
  }

  /** 33 bytes, `ArkInfo.mailbox_pubkey`. */
  get mailboxPubkey(): Uint8Array {
    return publicKeyOf(this.#secretKeys.mailbox);
  }

  /** Replaces a key by the next one of the seed. */
  rotate(name: ServerKeyName): void {
    this.#secretKeys[name] = this.#random.secretKey();
  }
}

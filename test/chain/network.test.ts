import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { esplora } from "../../chain/esplora.ts";
import { type ChainNetwork, checkNetwork, GENESIS_HASHES } from "../../chain/network.ts";
import { EsploraServer } from "./esplora-server.ts";

const MERKLE_ROOT = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
const TESTNET4_MERKLE_ROOT = "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e";

/** Time, difficulty and nonce of each network's first block, from its chain parameters. */
const GENESIS_HEADERS: [ChainNetwork, string, number, number, number][] = [
  ["bitcoin", MERKLE_ROOT, 1231006505, 0x1d00ffff, 2083236893],
  ["testnet", MERKLE_ROOT, 1296688602, 0x1d00ffff, 414098458],
  ["testnet4", TESTNET4_MERKLE_ROOT, 1714777860, 0x1d00ffff, 393743547],
  ["signet", MERKLE_ROOT, 1598918400, 0x1e0377ae, 52613770],
  ["regtest", MERKLE_ROOT, 1296688602, 0x207fffff, 2],
];

describe("the genesis hash", () => {
  it.each(GENESIS_HEADERS)("of %s is the hash of its block header", (network, merkleRoot, time, bits, nonce) => {
    const header = Buffer.alloc(80);
    header.writeUInt32LE(1, 0);
    Buffer.from(merkleRoot, "hex").reverse().copy(header, 36);
    header.writeUInt32LE(time, 68);
    header.writeUInt32LE(bits, 72);
    header.writeUInt32LE(nonce, 76);
    const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
    expect(GENESIS_HASHES[network]).toBe(sha256(sha256(header)).reverse().toString("hex"));
  });

  it("tells the right network, another one and no answer apart", async () => {
    await using server = await EsploraServer.start();
    const chain = esplora(server.url, { retries: 0 });
    server.reply("/block-height/0", { body: GENESIS_HASHES.signet });
    await checkNetwork(chain, "signet");
    await expect(checkNetwork(chain, "bitcoin")).rejects.toMatchObject({
      code: "CHAIN_WRONG_NETWORK",
      retryable: false,
      message: "expected a chain source for bitcoin, got one for signet",
    });

    server.reply("/block-height/0", { body: "00".repeat(32) });
    await expect(checkNetwork(chain, "bitcoin")).rejects.toMatchObject({ code: "CHAIN_WRONG_NETWORK" });
    server.reply("/block-height/0", { status: 503 });
    await expect(checkNetwork(chain, "bitcoin")).rejects.toMatchObject({ code: "CHAIN_HTTP_STATUS", retryable: true });
    server.reply("/block-height/0", { status: 404 });
    await expect(checkNetwork(chain, "bitcoin")).rejects.toMatchObject({ code: "CHAIN_BAD_RESPONSE" });
  });
});

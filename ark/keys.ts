import { HDKey } from "@scure/bip32";
import { mnemonicToSeedSync, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { hmacSha256 } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { decodeHex, encodeHex } from "./hex.ts";
import { checkLength } from "./limits.ts";

const PURPOSE_PATH = "m/350'";
const SEED_BYTES = 64;
const INDEX_LIMIT = 2 ** 31;
const WORD_COUNTS = [12, 15, 18, 21, 24];
const SALT_BYTES = 16;
const PREIMAGE_LABEL = new TextEncoder().encode("heartwood lightning receive");

/** A half-open range of key indices: `from` is tried, `to` is not. */
export interface KeyRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The keys of one wallet (vtxo.md §8).
 *
 * Secrets live in private fields only: inspecting, serialising or cloning an instance shows its
 * fingerprint and nothing else. Secret keys handed out are copies that the caller may overwrite.
 */
export class WalletKeys {
  /** First four bytes of HASH160 of the public key of m/350', in hex. */
  readonly fingerprint: string;
  readonly #vtxoNode: HDKey;
  readonly #vtxoPublicNode: HDKey;
  readonly #mailboxNode: HDKey;
  readonly #recoveryNode: HDKey;
  readonly #preimageNode: HDKey;
  // All that were derived, some 200 bytes each: one that was forgotten would be derived again for each key that is not found.
  readonly #keyByIndex = new Map<number, string>();
  readonly #indexByKey = new Map<string, number>();

  private constructor(seed: Uint8Array) {
    const master = HDKey.fromMasterSeed(seed);
    const base = master.derive(PURPOSE_PATH);
    this.fingerprint = base.fingerprint.toString(16).padStart(8, "0");
    this.#vtxoNode = base.derive("m/0'");
    this.#mailboxNode = base.derive("m/1'");
    this.#recoveryNode = base.derive("m/2'");
    this.#preimageNode = base.derive("m/3'");
    this.#vtxoPublicNode = publicNodeOf(this.#vtxoNode);
    master.wipePrivateData();
    base.wipePrivateData();
  }

  /**
   * Keys of an English BIP-39 mnemonic with the empty passphrase; any white space separates words.
   *
   * @throws ArkError `BAD_MNEMONIC` on a wrong number of words, an unknown word or a wrong checksum.
   *   The message never repeats a word.
   */
  static fromMnemonic(mnemonic: string): WalletKeys {
    const words = mnemonic.trim().split(/\s+/u);
    if (!WORD_COUNTS.includes(words.length)) {
      throw new ArkError("BAD_MNEMONIC", `expected ${WORD_COUNTS.join(", ")} words, got ${words.length}`);
    }
    const text = words.join(" ");
    if (!validateMnemonic(text, wordlist)) {
      throw new ArkError("BAD_MNEMONIC", "expected words of the English BIP-39 list with a correct checksum, got others");
    }
    const seed = mnemonicToSeedSync(text);
    try {
      return new WalletKeys(seed);
    } finally {
      seed.fill(0);
    }
  }

  /**
   * Keys of a 64-byte BIP-39 seed. The seed is copied; overwriting it is the caller's business.
   *
   * @throws ArkError `BAD_SEED` on any other length.
   */
  static fromSeed(seed: Uint8Array): WalletKeys {
    if (seed.length !== SEED_BYTES) throw new ArkError("BAD_SEED", `expected ${SEED_BYTES} bytes of seed, got ${seed.length}`);
    const copy = Uint8Array.from(seed);
    try {
      return new WalletKeys(copy);
    } finally {
      copy.fill(0);
    }
  }

  /** Id of the main mailbox: the public key (33 bytes) of m/350'/1'. */
  get mailboxId(): Uint8Array {
    return publicKeyOfNode(this.#mailboxNode);
  }

  /** Id of the recovery mailbox: the public key (33 bytes) of m/350'/2'. */
  get recoveryMailboxId(): Uint8Array {
    return publicKeyOfNode(this.#recoveryNode);
  }

  /** @throws ArkError `KEYS_WIPED` */
  mailboxSecretKey(): Uint8Array {
    return secretKeyOfNode(this.#mailboxNode);
  }

  /** @throws ArkError `KEYS_WIPED` */
  recoveryMailboxSecretKey(): Uint8Array {
    return secretKeyOfNode(this.#recoveryNode);
  }

  /**
   * Public key (33 bytes) of m/350'/0'/index, derived without any secret.
   *
   * @throws ArkError `OUT_OF_RANGE` unless 0 ≤ index < 2^31.
   */
  vtxoPublicKey(index: number): Uint8Array {
    checkIndex(index);
    const known = this.#keyByIndex.get(index);
    if (known !== undefined) return decodeHex(known);
    const publicKey = publicKeyOfNode(this.#vtxoPublicNode.deriveChild(index));
    this.#remember(index, encodeHex(publicKey));
    return publicKey;
  }

  /** @throws ArkError `OUT_OF_RANGE`, `KEYS_WIPED` */
  vtxoSecretKey(index: number): Uint8Array {
    checkIndex(index);
    const child = this.#vtxoNode.deriveChild(index);
    const secretKey = secretKeyOfNode(child);
    child.wipePrivateData();
    return secretKey;
  }

  /**
   * The preimage (32 bytes) of a Lightning receive: HMAC-SHA256 of a salt under the secret key of m/350'/3'. Nobody can
   * compute it without the seed, so the salt may stand where a preimage must not; and two salts never give one preimage.
   *
   * @param salt 16 random bytes, never used before.
   * @throws ArkError `OUT_OF_RANGE`, `KEYS_WIPED`
   */
  receivePreimage(salt: Uint8Array): Uint8Array {
    checkLength(salt, SALT_BYTES);
    const secretKey = secretKeyOfNode(this.#preimageNode);
    try {
      return hmacSha256(secretKey, PREIMAGE_LABEL, salt);
    } finally {
      secretKey.fill(0);
    }
  }

  /**
   * Index of a VTXO public key (33 bytes) within a range, or undefined.
   *
   * One key costs well under a millisecond the first time and nothing later, so a caller that must
   * stay responsive searches range after range and yields in between (mailbox.md W-3, W-50).
   *
   * @throws ArkError `OUT_OF_RANGE`
   */
  findVtxoKey(publicKey: Uint8Array, range: KeyRange): number | undefined {
    const wanted = encodeHex(publicKey);
    const known = this.#indexByKey.get(wanted);
    if (known !== undefined && known >= range.from && known < range.to) return known;
    for (let index = range.from; index < range.to; index++) {
      // A key that was derived before is another one: it would have been found above.
      if (!this.#keyByIndex.has(index) && encodeHex(this.vtxoPublicKey(index)) === wanted) return index;
    }
    return undefined;
  }

  /** Index of a VTXO public key (33 bytes) among those derived so far, or undefined. */
  derivedVtxoKey(publicKey: Uint8Array): number | undefined {
    return this.#indexByKey.get(encodeHex(publicKey));
  }

  /** Overwrites the secret keys held here. Public keys and ids stay available. */
  wipe(): void {
    const nodes = [this.#vtxoNode, this.#mailboxNode, this.#recoveryNode, this.#preimageNode];
    for (const node of nodes) node.wipePrivateData();
  }

  #remember(index: number, publicKey: string): void {
    this.#keyByIndex.set(index, publicKey);
    this.#indexByKey.set(publicKey, index);
  }
}

function checkIndex(index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= INDEX_LIMIT) {
    throw new ArkError("OUT_OF_RANGE", `expected a key index of 0 … 2^31 − 1, got ${index}`);
  }
}

function publicNodeOf(node: HDKey): HDKey {
  const { publicKey, chainCode } = node;
  if (publicKey === null || chainCode === null) throw new ArkError("BAD_SEED", "expected a complete key node, got a part");
  return new HDKey({ publicKey, chainCode, depth: node.depth, index: node.index, parentFingerprint: node.parentFingerprint });
}

/** The library hands out a copy. */
function publicKeyOfNode({ publicKey }: HDKey): Uint8Array {
  if (publicKey === null) throw new ArkError("BAD_SEED", "expected a node with a public key, got none");
  return publicKey;
}

/** The library hands out a copy. */
function secretKeyOfNode({ privateKey }: HDKey): Uint8Array {
  if (privateKey === null) throw new ArkError("KEYS_WIPED", "expected secret keys, got an instance that was wiped");
  return privateKey;
}

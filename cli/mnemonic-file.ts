import { type FileHandle, open } from "node:fs/promises";
import { CliError } from "./errors.ts";

const WORD_COUNTS: readonly number[] = [12, 15, 18, 21, 24];
/** 24 words of BIP-39 in any language fit many times over. */
const MAX_BYTES = 4096;

/** A mnemonic from a file, and whether others can read that file too. */
export interface MnemonicFile {
  /** The words with one space between them. Secret. */
  readonly mnemonic: string;
  readonly isExposed: boolean;
}

/**
 * Reads a BIP-39 mnemonic from a file. Never repeats what it read.
 *
 * @throws CliError `MNEMONIC_FILE_UNREADABLE`, `MNEMONIC_FILE_EMPTY`, `BAD_MNEMONIC`
 */
export async function readMnemonicFile(path: string): Promise<MnemonicFile> {
  const { text, mode } = await readStart(path);
  const words = text.split(/\s+/u).filter((word) => word !== "");
  if (words.length === 0)
    throw new CliError("MNEMONIC_FILE_EMPTY", "expected a mnemonic in the mnemonic file, got an empty file");
  if (!WORD_COUNTS.includes(words.length))
    throw new CliError("BAD_MNEMONIC", `expected 12, 15, 18, 21 or 24 words in the mnemonic file, got ${words.length}`);
  return { mnemonic: words.join(" "), isExposed: process.platform !== "win32" && (mode & 0o077) !== 0 };
}

async function readStart(path: string): Promise<{ text: string; mode: number }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { mode } = await file.stat();
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read)
      ({ bytesRead: read } = await file.read(buffer, length, buffer.length - length, null));
    if (length > MAX_BYTES)
      throw new CliError("BAD_MNEMONIC", `expected a mnemonic file of at most ${MAX_BYTES} bytes, got a larger one`);
    const text = buffer.toString("utf8", 0, length);
    buffer.fill(0);
    return { text, mode };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const reason = error instanceof Error && "code" in error ? String(error.code) : "an error";
    throw new CliError("MNEMONIC_FILE_UNREADABLE", `expected a readable mnemonic file at ${path}, got ${reason}`, {
      cause: error,
    });
  } finally {
    await file?.close();
  }
}

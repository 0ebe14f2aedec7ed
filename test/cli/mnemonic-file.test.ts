import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readMnemonicFile } from "../../cli/mnemonic-file.ts";

const directory = mkdtempSync(join(tmpdir(), "heartwood-mnemonic-"));
afterAll(() => rmSync(directory, { recursive: true }));

const MNEMONIC = `${"abandon ".repeat(11)}about`;

function file(text: string | Uint8Array, mode = 0o600): string {
  const path = join(directory, `${Math.random()}`);
  writeFileSync(path, text, { mode });
  return path;
}

describe("a mnemonic file", () => {
  it("may spread the words over lines and blanks", async () => {
    for (const text of [MNEMONIC, `${MNEMONIC}\n`, `\n  ${MNEMONIC.replaceAll(" ", "\r\n\t")}\n\n`]) {
      expect(await readMnemonicFile(file(text))).toEqual({ mnemonic: MNEMONIC, isExposed: false });
    }
  });

  it("that others can read is told", async () => {
    expect((await readMnemonicFile(file(MNEMONIC, 0o640))).isExposed).toBe(true);
  });

  it.each([
    ["an empty file", "", "MNEMONIC_FILE_EMPTY"],
    ["blanks only", " \n\t", "MNEMONIC_FILE_EMPTY"],
    ["eleven words", "secret ".repeat(11), "BAD_MNEMONIC"],
    ["25 words", "secret ".repeat(25), "BAD_MNEMONIC"],
    ["a large file", "secret ".repeat(10_000), "BAD_MNEMONIC"],
    ["other bytes", Uint8Array.of(0xff, 0xfe, 0), "BAD_MNEMONIC"],
  ])("%s is refused without a word of it", async (_, text, code) => {
    const error: unknown = await readMnemonicFile(file(text)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, retryable: false, message: expect.not.stringContaining("secret") });
  });

  it("that is missing or a directory is refused with its path", async () => {
    await expect(readMnemonicFile(join(directory, "none"))).rejects.toMatchObject({
      code: "MNEMONIC_FILE_UNREADABLE",
      message: expect.stringContaining("none, got ENOENT"),
    });
    await expect(readMnemonicFile(directory)).rejects.toMatchObject({
      code: "MNEMONIC_FILE_UNREADABLE",
      message: expect.stringContaining("EISDIR"),
    });
  });
});

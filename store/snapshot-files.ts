import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./errors.ts";
import { DIRECTORY_MODE, readIfPresent, syncDirectory, writeNewFile } from "./files.ts";

const NAME = /^[0-9]{20}$/;

/** Snapshots as files of a directory, named by their record, each there whole or not at all. */
export class SnapshotFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Writes or replaces one. */
  async put(seq: bigint, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
    const temporary = `${this.#path(seq)}.new`;
    await rm(temporary, { force: true });
    try {
      await writeNewFile(temporary, bytes);
      await rename(temporary, this.#path(seq));
    } finally {
      await rm(temporary, { force: true });
    }
    await syncDirectory(this.#directory);
  }

  async get(seq: bigint): Promise<Uint8Array | undefined> {
    return readIfPresent(this.#path(seq));
  }

  /** The records of which there are snapshots. */
  async list(): Promise<bigint[]> {
    try {
      return (await readdir(this.#directory)).filter((name) => NAME.test(name)).map(BigInt);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  }

  async delete(seq: bigint): Promise<void> {
    await rm(this.#path(seq), { force: true });
  }

  #path(seq: bigint): string {
    return join(this.#directory, String(seq).padStart(20, "0"));
  }
}

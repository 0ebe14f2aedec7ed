import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./errors.ts";
import { DIRECTORY_MODE, readIfPresent, readStart, syncDirectory, writeNewFile } from "./files.ts";
import { BINDING_BYTES, decodeBinding, type SnapshotBinding } from "./snapshot.ts";

const NAME = /^[0-9]{20}$/;

/** Snapshots as files of a directory, named by their record, each there whole or not at all. */
export class SnapshotFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Writes or replaces one. */
  async put(seq: bigint, pieces: Iterable<Uint8Array>): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
    const temporary = `${this.#path(seq)}.new`;
    await rm(temporary, { force: true });
    try {
      await writeNewFile(temporary, pieces);
      await rename(temporary, this.#path(seq));
    } finally {
      await rm(temporary, { force: true });
    }
    await syncDirectory(this.#directory);
  }

  /** What ties one to its log, its content unread. */
  async binding(seq: bigint): Promise<SnapshotBinding | undefined> {
    const bytes = await readStart(this.#path(seq), BINDING_BYTES);
    return bytes === undefined ? undefined : decodeBinding(bytes);
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

import { mkdir, readdir, rename, statfs } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "./errors.ts";
import { DIRECTORY_MODE, readIfPresent, readStart, removeIfPresent, syncDirectory, writeNewFile } from "./files.ts";
import { BINDING_BYTES, decodeBinding, type SnapshotBinding } from "./snapshot.ts";
import { SNAPSHOTS } from "./store-directory.ts";

/** What a snapshot leaves of the disk for the log. */
const ROOM_LEFT_BYTES = 16 * 1024 * 1024;
const UNFINISHED = ".new";
const NAME = /^[0-9]{20}$/;

/** Snapshots as files of a directory, named by their record, each there whole or not at all. */
export class SnapshotFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Writes or replaces one, unless that left the disk with next to no room: the log must not run into it.
   *
   * @throws StoreError `STORE_FULL`
   */
  async put(seq: bigint, pieces: readonly Uint8Array[]): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
    await this.#removeUnfinished();
    await this.#checkRoom(pieces.reduce((sum, { length }) => sum + length, 0));
    const temporary = `${this.#path(seq)}${UNFINISHED}`;
    try {
      await writeNewFile(temporary, pieces);
      await rename(temporary, this.#path(seq));
    } finally {
      await removeIfPresent(temporary);
    }
    await syncDirectory(this.#directory);
  }

  /** What ties one to its log, its content unread; undefined if there is none that can be read. */
  async binding(seq: bigint): Promise<SnapshotBinding | undefined> {
    const bytes = await readStart(this.#path(seq), BINDING_BYTES).catch(() => undefined);
    return bytes === undefined ? undefined : decodeBinding(bytes);
  }

  /** The bytes of one; undefined if there is none that can be read, since the log says the same. */
  async get(seq: bigint): Promise<Uint8Array | undefined> {
    return readIfPresent(this.#path(seq)).catch(() => undefined);
  }

  /** The records of which there are snapshots; none where their directory cannot be read. */
  async list(): Promise<bigint[]> {
    const names = await readdir(this.#directory).catch((): string[] => []);
    return names.filter((name) => NAME.test(name)).map(BigInt);
  }

  async delete(seq: bigint): Promise<void> {
    await removeIfPresent(this.#path(seq));
  }

  /** What a process left that died while it wrote. */
  async #removeUnfinished(): Promise<void> {
    const names = await readdir(this.#directory);
    for (const name of names.filter((each) => each.endsWith(UNFINISHED))) await removeIfPresent(join(this.#directory, name));
  }

  async #checkRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    const free = bavail * bsize;
    if (free >= bytes + ROOM_LEFT_BYTES) return;
    throw new StoreError("STORE_FULL", `expected room for ${bytes + ROOM_LEFT_BYTES} bytes, got ${free}`, {
      place: { file: SNAPSHOTS },
    });
  }

  #path(seq: bigint): string {
    return join(this.#directory, String(seq).padStart(20, "0"));
  }
}

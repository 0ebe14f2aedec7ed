import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createLevelLog, isStoreError, openLevelLog, type SnapshotLog, verifyStore } from "../../../store/index.ts";
import { appendRecords, checkRecords, collect } from "../records.ts";

/** What somebody is asked to do with a store. */
export type Request =
  | { readonly what: "open" | "open and append"; readonly path: string; readonly readOnly: boolean }
  | { readonly what: "verify" | "create" | "copy"; readonly path: string }
  | { readonly what: "append" | "close" | "exit" };

/** `done`, or the refusal. */
export type Answer =
  | { readonly what: "done"; readonly records: number }
  | {
      readonly what: "refused";
      readonly code: string;
      readonly holder?: { readonly pid: number; readonly host: string } | undefined;
    };

/** Somebody who can hold a store open and is asked to do things with it, one after the other. */
export class Performer {
  #log: SnapshotLog | undefined;

  /** Does what is asked; a refusal of the store is an answer. */
  async perform(request: Request): Promise<Answer> {
    try {
      return { what: "done", records: await this.#perform(request) };
    } catch (error) {
      if (!isStoreError(error)) throw error;
      const { code, holder } = error;
      return { what: "refused", code, holder: holder && { pid: holder.pid, host: holder.host } };
    }
  }

  async #perform(request: Request): Promise<number> {
    switch (request.what) {
      case "open":
        this.#log = await openLevelLog(request.path, { readOnly: request.readOnly });
        return Number(this.#log.head().seq);
      case "open and append":
        return openAndAppend(request.path, request.readOnly);
      case "append":
        if (this.#log !== undefined) await appendRecords(this.#log, 1);
        return Number(this.#log?.head().seq ?? 0n);
      case "close":
        await this.#log?.close();
        this.#log = undefined;
        return 0;
      case "verify":
        return Number((await verifyStore(request.path)).head.seq);
      case "create":
        await createLevelLog(request.path);
        return 0;
      case "copy":
        return copyInThought(request.path);
      case "exit":
        process.exit(0);
    }
  }
}

/** Opens, reads everything, appends one record where that is allowed, closes. */
async function openAndAppend(path: string, readOnly: boolean): Promise<number> {
  await using log = await openLevelLog(path, { readOnly });
  checkRecords(await collect(log.read()));
  if (!readOnly) await appendRecords(log, 1);
  return Number(log.head().seq);
}

/** Reads every file as a backup does, LevelDB's LOCK included: closing that file again drops the lock of its process. */
async function copyInThought(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    bytes += await readFile(join(entry.parentPath, entry.name)).then(
      (content) => content.length,
      () => 0, // gone meanwhile
    );
  }
  return bytes;
}

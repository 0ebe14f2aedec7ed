import type { Random } from "../random.ts";
import type { FileOperation, Recording } from "./recording.ts";

/** What a disk holds: paths of folders (undefined) and files with their bytes. */
export type DiskState = ReadonlyMap<string, Uint8Array | undefined>;

/** What a power loss does to the operations that were not synced. */
export interface Loss {
  /** The moment of the recording at which the power goes. */
  readonly cut: number;
  /** Of the bytes written but not synced: none, all, or some of the writes, some of them torn or zero. */
  readonly data: "none" | "all" | "some";
  /**
   * Of the names made, moved and removed in folders that were not synced: `ordered`, the first of them, as every
   * journal keeps them; `unordered`, any of them.
   */
  readonly names: "ordered" | "unordered";
}

interface Write {
  readonly operation: FileOperation;
  readonly at: number;
  /** Undefined for a change of size. */
  readonly bytes: Uint8Array | undefined;
}

/** A file or a folder, whatever its names. */
interface Inode {
  readonly isFolder: boolean;
  readonly writes: Write[];
  readonly syncs: FileOperation[];
}

/** A change of names. */
interface NameChange {
  readonly operation: FileOperation;
  /** The folders whose sync makes it last. */
  readonly folders: readonly Inode[];
  apply(names: Map<string, Inode>): void;
}

/** A recorded sequence of file operations on a disk, which can lose its power at every moment of it. */
export class RecordedDisk {
  readonly #root: Inode = newInode(true);
  readonly #inodes = new Map<string, Inode>();
  readonly #changes: NameChange[] = [];
  /** Folders whose names count: what is outside of `directory` is no part of the disk. */
  readonly #directory: string;

  /** @param ignoresSyncOf paths whose syncs are left out, to show that their loss would be seen */
  constructor({ operations }: Recording, directory: string, ignoresSyncOf?: RegExp) {
    this.#directory = directory;
    this.#inodes.set(directory, this.#root);
    const opened = new Map<number, { inode: Inode; path: string; position: number }>();
    for (const operation of operations) {
      const { call } = operation;
      if (call.kind === "open") {
        opened.delete(call.fd);
        const inode = this.#open(operation, call);
        if (inode !== undefined) opened.set(call.fd, { inode, path: call.path, position: 0 });
      } else if ("fd" in call) {
        const file = opened.get(call.fd);
        if (file === undefined) throw new Error(`expected an open file of number ${call.fd}, got none`);
        if (call.kind === "sync") {
          if (ignoresSyncOf?.test(file.path) !== true) file.inode.syncs.push(operation);
        } else if (call.kind === "write") {
          const at = call.at ?? file.position;
          if (call.at === undefined) file.position += call.bytes.length;
          file.inode.writes.push({ operation, at, bytes: call.bytes });
        } else {
          file.inode.writes.push({ operation, at: call.size, bytes: undefined });
        }
      } else {
        this.#changeNames(operation, call);
      }
    }
  }

  /** What is there after the power was lost and came back. */
  after(loss: Loss, random: Random): DiskState {
    const names = this.#namesAfter(loss, random);
    const contents = new Map<Inode, Uint8Array>();
    const state = new Map<string, Uint8Array | undefined>();
    for (const [path, inode] of names) {
      if (path === this.#directory) continue;
      if (!contents.has(inode) && !inode.isFolder) contents.set(inode, contentAfter(inode, loss, random));
      state.set(path.slice(this.#directory.length + 1), contents.get(inode));
    }
    return state;
  }

  #open(operation: FileOperation, call: Extract<FileOperation["call"], { kind: "open" }>): Inode | undefined {
    const { path } = call;
    if (path !== this.#directory && !path.startsWith(`${this.#directory}/`)) return undefined;
    const found = this.#inodes.get(path);
    if (found !== undefined) {
      if (call.truncates) found.writes.push({ operation, at: 0, bytes: undefined });
      return found;
    }
    if (!call.creates) throw new Error(`expected ${path} to be there when it is opened, got nothing`);
    return this.#make(operation, path, false);
  }

  #make(operation: FileOperation, path: string, isFolder: boolean): Inode {
    const inode = newInode(isFolder);
    this.#note(operation, [path], (names) => names.set(path, inode));
    return inode;
  }

  #changeNames(operation: FileOperation, call: Extract<FileOperation["call"], { path: string }>): void {
    switch (call.kind) {
      case "makeDirectory":
        this.#make(operation, call.path, true);
        return;
      case "rename": {
        this.#note(operation, [call.path, call.to], (names) => {
          for (const [path, inode] of [...names]) {
            if (path !== call.path && !path.startsWith(`${call.path}/`)) continue;
            names.delete(path);
            names.set(`${call.to}${path.slice(call.path.length)}`, inode);
          }
        });
        return;
      }
      case "link":
        this.#note(operation, [call.to], (names) => {
          const inode = names.get(call.path);
          if (inode !== undefined) names.set(call.to, inode);
        });
        return;
      case "remove":
        this.#note(operation, [call.path], (names) => names.delete(call.path));
        return;
      case "open":
    }
  }

  #note(operation: FileOperation, paths: readonly string[], apply: (names: Map<string, Inode>) => void): void {
    const folders = paths.map((path) => {
      const folder = this.#inodes.get(path.slice(0, path.lastIndexOf("/")));
      if (folder === undefined) throw new Error(`expected a folder for ${path}, got none`);
      return folder;
    });
    this.#changes.push({ operation, folders, apply });
    apply(this.#inodes);
  }

  #namesAfter({ cut, names: order, data }: Loss, random: Random): Map<string, Inode> {
    const names = new Map([[this.#directory, this.#root]]);
    const begun = this.#changes.filter(({ operation }) => operation.begin < cut);
    const lasting = begun.map((change) => change.folders.every((folder) => isSynced(folder, change.operation, cut)));
    const least = lasting.lastIndexOf(true) + 1;
    const share = data === "none" ? 0 : data === "all" ? 1 : random.below(3) / 2;
    const kept = least + Math.round(share === 0.5 ? random.below(begun.length - least + 1) : share * (begun.length - least));
    for (const [at, change] of begun.entries()) {
      const isKept = order === "ordered" ? at < kept : lasting[at] === true || random.oneIn(2);
      if (isKept && hasParents(change, names)) change.apply(names);
    }
    // What stands in a folder that is not there is not there either.
    return new Map([...names].filter(([path]) => this.#hasFolder(path, names)));
  }

  #hasFolder(path: string, names: ReadonlyMap<string, Inode>): boolean {
    return path === this.#directory || names.has(path.slice(0, path.lastIndexOf("/")));
  }
}

function hasParents(change: NameChange, names: ReadonlyMap<string, Inode>): boolean {
  const there = new Set(names.values());
  return change.folders.every((folder) => there.has(folder));
}

function newInode(isFolder: boolean): Inode {
  return { isFolder, writes: [], syncs: [] };
}

/** Whether a sync that ended before the cut began after the operation had ended. */
function isSynced(inode: Inode, operation: FileOperation, cut: number): boolean {
  return inode.syncs.some((sync) => sync.end < cut && sync.begin > operation.end);
}

function contentAfter(inode: Inode, { cut, data }: Loss, random: Random): Uint8Array {
  let content = new Uint8Array();
  for (const { operation, at, bytes } of inode.writes) {
    if (operation.begin >= cut) continue;
    const lasts = isSynced(inode, operation, cut);
    if (!lasts && (data === "none" || (data === "some" && random.oneIn(3)))) continue;
    const torn = !lasts && data === "some" && random.oneIn(2);
    content = bytes === undefined ? resized(content, at) : written(content, at, torn ? tear(bytes, random) : bytes);
  }
  return content;
}

/** A prefix, cut at a sector or anywhere, or zeros as long as what should be there. */
function tear(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.oneIn(4)) return new Uint8Array(bytes.length);
  const length = random.below(bytes.length + 1);
  return bytes.subarray(0, random.oneIn(2) ? length - (length % 512) : length);
}

function written(content: Uint8Array, at: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = resized(content, Math.max(content.length, at + bytes.length));
  whole.set(bytes, at);
  return whole;
}

function resized(content: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  whole.set(content.subarray(0, size));
  return whole;
}

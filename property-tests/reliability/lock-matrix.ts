import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { createLevelLog, unlockStore } from "../../store/index.ts";
import type { Lane } from "./lane.ts";
import { type Actor, Actors } from "./lock-matrix/actors.ts";
import { type Cell, cells, type HolderState, type Opening } from "./lock-matrix/cells.ts";
import type { Answer, Request } from "./lock-matrix/requests.ts";
import { Random } from "./random.ts";
import { withScratch } from "./scratch.ts";

const ELSEWHERE = "far-away";

/**
 * Every way to open a store against every state of its holder. While a holder lives, whoever else opens is refused with
 * its name, and it appends on and finds everything afterwards; when it is gone, the next opening takes over.
 */
export const lockMatrix: Lane = {
  name: "lock-matrix",
  unit: "cells",
  counts: { ci: cells.length, soak: 20 * cells.length, test: 40 },
  shards: 1,
  leastPercent: {},
  async run(run) {
    await using actors = new Actors();
    for (let index = 0; run.done < run.count; index++) {
      const isPart = run.count < cells.length;
      const number = Number(run.path ?? (isPart ? new Random(run.seed, index).below(cells.length) : index % cells.length));
      run.at = String(number);
      const cell = cells[number];
      assert.ok(cell !== undefined, `expected one of ${cells.length} cells, got ${number}`);
      await checkCell(cell, actors);
      run.add("holder", `${cell.holder.state}${cell.holder.state === "open" ? ` in ${cell.holder.where}` : ""}`);
      run.add("opening", `${cell.opening.how} from ${cell.opening.where}`);
      run.add("circumstance", cell.circumstance);
      run.done++;
    }
  },
};

async function checkCell(cell: Cell, actors: Actors): Promise<void> {
  await withScratch(async (directory) => {
    const wallet = join(directory, "wallet");
    await createLevelLog(wallet);
    await symlink(wallet, join(directory, "link"));
    try {
      await actors.with(cell.holder.where, (holder) =>
        actors.with(cell.opening.where, async (opener) => {
          if (cell.holder.state === "open") await checkLiving(cell, directory, holder, opener, actors);
          else await checkOther(cell, directory, holder, opener, actors);
        }),
      );
    } catch (cause) {
      throw new Error(`${JSON.stringify(cell)}: ${cause}`, { cause });
    }
  });
}

async function checkLiving(cell: Cell, directory: string, holder: Actor, opener: Actor, actors: Actors): Promise<void> {
  const wallet = join(directory, "wallet");
  const path = cell.holder.throughLink ? join(directory, "link") : wallet;
  const { readOnly } = cell.holder;
  await done(holder, { what: "open", path, readOnly });
  const request = requestOf(cell.opening, directory);
  if (cell.circumstance === "after a refused try") checkLocked(await opener.ask(request), holder.pid, hostname());
  if (cell.circumstance === "after the holder copied the folder") await done(holder, { what: "copy", path: wallet });
  if (cell.circumstance === "while another copies the folder") {
    await actors.with("another process", async (other) => {
      const copying = other.ask({ what: "copy", path: wallet });
      checkLocked(await opener.ask(request), holder.pid, hostname());
      await copying;
    });
  }
  checkLocked(await opener.ask(request), holder.pid, hostname());
  // Had the refusal cost the holder its lock, a process that never tried before would get in.
  await actors.with("another process", async (other) => {
    checkLocked(await other.ask({ what: "open", path: wallet, readOnly: false }), holder.pid, hostname());
  });
  if (!readOnly) assert.equal(await done(holder, { what: "append" }), 1);
  await done(holder, { what: "close" });
  const records = readOnly ? 0 : 1;
  assert.equal(await done(opener, { what: "open and append", path: wallet, readOnly: false }), records + 1);
}

async function checkOther(cell: Cell, directory: string, holder: Actor, opener: Actor, actors: Actors): Promise<void> {
  const wallet = join(directory, "wallet");
  await done(holder, { what: "open", path: wallet, readOnly: false });
  await done(holder, { what: "append" });
  await leave(cell.holder, wallet, holder, actors);
  const request = requestOf(cell.opening, directory);
  if (cell.holder.state === "elsewhere") {
    checkLocked(await opener.ask(request), holder.pid, ELSEWHERE);
    assert.equal((await unlockStore(wallet, { host: ELSEWHERE }))?.host, ELSEWHERE);
  }
  if (cell.holder.state === "damaged") {
    const answer = await opener.ask(request);
    assert.ok(answer.what === "refused" && answer.code === "STORE_LOCKED" && answer.holder === undefined);
    return;
  }
  const isWriting = cell.opening.how === "writable";
  assert.equal(await done(opener, request), isWriting ? 2 : 1);
}

/** Brings the holder into its state. Where another's OWNER file is needed, the holder itself closes first. */
async function leave({ state }: HolderState, wallet: string, holder: Actor, actors: Actors): Promise<void> {
  if (state === "killed" || state === "exited") return actors.end(holder, state);
  const owner = await readFile(join(wallet, "OWNER"), "utf8");
  await done(holder, { what: "close" });
  const members = {
    "pid used again": { start: "1" },
    "machine started anew": { boot: "00000000-0000-0000-0000-000000000000" },
    elsewhere: { host: ELSEWHERE, boot: "another" },
  };
  if (state === "damaged") await writeFile(join(wallet, "OWNER"), owner.replace(/^pid .*$/m, "pid 1"));
  if (state in members) await writeFile(join(wallet, "OWNER"), forged(owner, members[state as keyof typeof members]));
}

/** An OWNER file with other members and a checksum that fits them (docs/log-format.md §6). */
function forged(owner: string, members: { readonly [name: string]: string }): string {
  const text = Object.entries(members)
    .reduce((changed, [name, value]) => changed.replace(new RegExp(`^${name} .*$`, "m"), `${name} ${value}`), owner)
    .replace(/^crc32 .*\n$/m, "");
  return `${text}crc32 ${crc32(Buffer.from(text)).toString(16).padStart(8, "0")}\n`;
}

function requestOf({ path, how }: Opening, directory: string): Request {
  const paths = {
    plain: join(directory, "wallet"),
    "symbolic link": join(directory, "link"),
    roundabout: `${directory}/link/../wallet/.`,
  };
  if (how === "verify") return { what: "verify", path: paths[path] };
  return { what: "open and append", path: paths[path], readOnly: how === "read-only" };
}

async function done(actor: Actor, request: Request): Promise<number> {
  const answer = await actor.ask(request);
  if (answer.what === "refused") throw new Error(`expected ${request.what} to succeed, got ${answer.code}`);
  return answer.records;
}

function checkLocked(answer: Answer, pid: number, host: string): void {
  const expected = { what: "refused", code: "STORE_LOCKED", holder: { pid, host } };
  assert.deepEqual({ ...answer }, expected);
}

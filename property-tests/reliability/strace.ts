import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { MachineRefused } from "./lane.ts";

/** How a traced program ended, and what it said. */
export interface Traced {
  readonly output: string;
  readonly errors: string;
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
}

/** @throws MachineRefused where processes cannot be traced */
export function requireStrace(): void {
  const { error, status, stderr } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"], { encoding: "utf8" });
  if (error !== undefined) throw new MachineRefused(`strace is needed: ${error.message}`);
  if (status !== 0) throw new MachineRefused(`strace is needed and cannot trace here: ${stderr.trim()}`);
}

/** Runs a program of the built package under strace with these options. */
export async function runTraced(options: readonly string[], program: string, args: readonly string[], env = {}): Promise<Traced> {
  const child = spawn("strace", ["-f", ...options, process.execPath, program, ...args], {
    env: { ...process.env, UV_USE_IO_URING: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const [code, signal] = await once(child, "close");
  return { output, errors, code, signal };
}

/** The path of a program of this folder as it was built; sources cannot be run as a process. */
export function builtProgram(name: string): string {
  const here = fileURLToPath(import.meta.url);
  const folder = here.endsWith(".ts")
    ? new URL("../../dist/property-tests/reliability/", import.meta.url)
    : new URL("./", import.meta.url);
  return fileURLToPath(new URL(name, folder));
}

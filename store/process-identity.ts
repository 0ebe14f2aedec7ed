import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { promisify } from "node:util";
import { errorCode } from "./errors.ts";

/** Says which process on which run of which machine: a pid alone is used again. */
export interface ProcessIdentity {
  readonly host: string;
  /** Changes with every start of the machine; `unknown` where the platform does not tell. */
  readonly bootId: string;
  readonly pid: number;
  /** When the process started, in a form of the platform; `unknown` where it does not tell. */
  readonly startTime: string;
}

const UNKNOWN = "unknown";

// Neither changes while this process runs, and each opening asks for both.
let ownStartTime: Promise<string> | undefined;
let ownBootId: Promise<string> | undefined;

/** The identity of this process. */
export async function currentProcess(): Promise<ProcessIdentity> {
  ownStartTime ??= startTimeOf(process.pid).then((startTime) => startTime ?? UNKNOWN);
  return { host: hostname(), bootId: await bootId(), pid: process.pid, startTime: await ownStartTime };
}

/**
 * Whether a process certainly does not run any more: this machine was started anew since, or the pid is free, or it
 * belongs to a process that started at another time. A process of another machine is never known to be gone.
 */
export async function isCertainlyGone(identity: ProcessIdentity): Promise<boolean> {
  const boot = await bootId();
  if (identity.bootId !== boot) return identity.host === hostname() && boot !== UNKNOWN && identity.bootId !== UNKNOWN;
  if (boot === UNKNOWN && identity.host !== hostname()) return false;
  if (!isPidInUse(identity.pid)) return true;
  const startTime = await startTimeOf(identity.pid);
  if (startTime === undefined) return !isPidInUse(identity.pid);
  return startTime !== UNKNOWN && identity.startTime !== UNKNOWN && startTime !== identity.startTime;
}

/** Whether a process is one of this machine, as far as that can be told. */
export async function isOfThisMachine({ host, bootId: itsBoot }: ProcessIdentity): Promise<boolean> {
  return host === hostname() || (itsBoot !== UNKNOWN && itsBoot === (await bootId()));
}

/** Whether a boot id is that of this run of the machine; false where the platform tells none. */
export async function isThisBoot(id: string): Promise<boolean> {
  return id !== UNKNOWN && id === (await bootId());
}

function isPidInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}

function bootId(): Promise<string> {
  ownBootId ??= readBootId();
  return ownBootId;
}

async function readBootId(): Promise<string> {
  try {
    if (process.platform === "linux") return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    if (process.platform === "darwin") return (await output("sysctl", ["-n", "kern.bootsessionuuid"])) || UNKNOWN;
  } catch {
    // The platform does not tell: decided by pid alone.
  }
  return UNKNOWN;
}

/** Undefined if there is no such process. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxStartTime(pid);
  if (process.platform !== "darwin") return UNKNOWN;
  try {
    return (await output("ps", ["-o", "lstart=", "-p", String(pid)])) || undefined;
  } catch {
    return isPidInUse(pid) ? UNKNOWN : undefined;
  }
}

async function linuxStartTime(pid: number): Promise<string | undefined> {
  try {
    // The command's name stands in parentheses and may hold any character; state is field 3, start time field 22.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A dead process that its parent has not waited for holds no file any more.
    if (fields[0] === "Z" || fields[0] === "X") return "dead";
    return fields[19] ?? UNKNOWN;
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ESRCH") return isPidInUse(pid) ? UNKNOWN : undefined;
    return UNKNOWN;
  }
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, LC_ALL: "C", TZ: "UTC" } });
  return stdout.trim();
}

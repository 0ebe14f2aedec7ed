import { readFileSync } from "node:fs";
import { MachineRefused } from "../lane.ts";

const SAMPLE_MS = 20;
const KIB = 1024;

/** Resident memory of a process in bytes. @throws MachineRefused where the system does not tell it */
function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * KIB;
  } catch (error) {
    throw new MachineRefused(`/proc is needed to sample the memory of a process: ${error}`);
  }
}

/** The most resident memory that a process had while something went on. */
export class MemoryWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  peakBytes: number;

  constructor(pid: number) {
    this.peakBytes = residentBytes(pid);
    this.#timer = setInterval(() => {
      try {
        this.peakBytes = Math.max(this.peakBytes, residentBytes(pid));
      } catch {
        // It ended: whoever asks it something is told.
      }
    }, SAMPLE_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { builtProgram } from "../strace.ts";

/** A request to a process, and its answer: structured clones, so bigints pass. */
type Request = { readonly id: number; readonly what: string; readonly with: unknown };
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string };

/** What a process can be asked for: each by name, with one argument. */
export type Abilities = { readonly [what: string]: (argument: never) => Promise<unknown> };

/** Answers requests until the process is ended. */
export function serve(abilities: Abilities): void {
  process.on("message", ({ id, what, with: argument }: Request) => {
    const ability = abilities[what];
    const answer = (part: Omit<Answer, "id">): void => void process.send?.({ id, ...part });
    if (ability === undefined) answer({ error: `expected one of ${Object.keys(abilities)}, got ${what}` });
    else
      ability(argument as never).then(
        (value) => answer({ value }),
        (error: unknown) => answer({ error: error instanceof Error ? String(error.stack) : String(error) }),
      );
  });
}

/** Another process that is asked to do things, typed by what it serves. */
export class Child<Served extends Abilities> implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #requests = 0;

  constructor(program: string) {
    this.#process = fork(builtProgram(program), {
      execArgv: ["--expose-gc"],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.on("message", ({ id, value, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    this.#process.on("exit", (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${program} ended with ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** @throws Error what the process failed with, or that it died */
  ask<What extends keyof Served & string>(
    what: What,
    argument: Parameters<Served[What]>[0],
  ): Promise<Awaited<ReturnType<Served[What]>>> {
    return new Promise((resolve, reject) => {
      const id = this.#requests++;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#process.send({ id, what, with: argument });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { builtProgram } from "../strace.ts";
import { type Answer, Performer, type Request } from "./requests.ts";

/** Who opens a store: this process, a thread of it, or another process. */
export type Where = "this process" | "a thread" | "another process";

/** Somebody who does what it is asked to. */
export interface Actor {
  readonly pid: number;
  ask(request: Request): Promise<Answer>;
}

const AGENT = "lock-matrix/agent.js";

/** The actors of a matrix, started when they are needed and used again. */
export class Actors implements AsyncDisposable {
  readonly #idle: { readonly [where in Where]: Actor[] } = { "this process": [], "a thread": [], "another process": [] };
  readonly #processes = new Set<ChildProcess>();
  readonly #threads = new Set<Worker>();

  /** Lends an actor to an action. One that was killed by it is not used again. */
  async with<T>(where: Where, action: (actor: Actor) => Promise<T>): Promise<T> {
    const idle = this.#idle[where];
    const actor = idle.pop() ?? this.#start(where);
    const result = await action(actor);
    if (!this.#isDead(actor)) idle.push(actor);
    return result;
  }

  /** Ends the process of an actor: by SIGKILL, or by its own exit without closing anything. */
  async end(actor: Actor, how: "killed" | "exited"): Promise<void> {
    const child = [...this.#processes].find(({ pid }) => pid === actor.pid);
    if (child === undefined) throw new Error("expected an actor in a process of its own");
    const ended = once(child, "close");
    if (how === "killed") child.kill("SIGKILL");
    else child.send({ what: "exit" } satisfies Request);
    await ended;
    this.#processes.delete(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thread of this.#threads) await thread.terminate();
    for (const child of this.#processes) child.kill("SIGKILL");
  }

  #isDead(actor: Actor): boolean {
    return actor.pid !== process.pid && ![...this.#processes].some(({ pid }) => pid === actor.pid);
  }

  #start(where: Where): Actor {
    switch (where) {
      case "this process": {
        const performer = new Performer();
        return { pid: process.pid, ask: (request) => performer.perform(request) };
      }
      case "a thread": {
        const thread = new Worker(builtProgram(AGENT));
        this.#threads.add(thread);
        return {
          pid: process.pid,
          ask: async (request) => {
            const answer = once(thread, "message");
            thread.postMessage(request);
            return (await answer)[0];
          },
        };
      }
      case "another process": {
        const child = fork(builtProgram(AGENT), { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
        this.#processes.add(child);
        return {
          pid: child.pid ?? 0,
          ask: async (request) => {
            const answer = once(child, "message");
            child.send(request);
            return (await answer)[0];
          },
        };
      }
    }
  }
}

import { encodeHex } from "../../../ark/hex.ts";
import type { Transport } from "../../../engine/index.ts";
import { openSession } from "../../../streams/session.ts";

/** What becomes of a call: it, its answer or the whole process may get lost, and it may arrive twice. */
export type Fate = "through" | "dies before" | "dies after" | "fails" | "lost" | "repeated";

/** Calls that payments make. */
const OF_PAYMENTS: ReadonlySet<string> = new Set([
  "registerVtxoTransactions",
  "requestArkoorCosign",
  "getVtxoStatus",
  "postRecoveryVtxoIds",
  "cosign",
  "initiate",
  "check",
  "revoke",
  "claim",
]);

/** Looks whether a public nonce is ever sent in two calls: it would be signed with twice (arkoor.md §5). */
export class NonceWatch {
  readonly #seen = new Set<string>();
  readonly reused: string[] = [];

  /** How many there were. */
  get count(): number {
    return this.#seen.size;
  }

  /** Notes what a call sends, if it is a cosign request, or a claim that has one. */
  note(sent: unknown): void {
    const parts = typeof sent === "object" && sent !== null && "parts" in sent ? sent.parts : sent;
    if (!Array.isArray(parts)) return;
    for (const { userPublicNonces = [] } of parts as readonly { readonly userPublicNonces?: readonly Uint8Array[] }[]) {
      for (const nonce of userPublicNonces.map(encodeHex)) {
        if (this.#seen.has(nonce)) this.reused.push(nonce);
        this.#seen.add(nonce);
      }
    }
  }
}

/** What stands between a wallet and a server. */
export interface Boundary {
  readonly serverUrl: string;
  /** Decides of each call of a payment, once. */
  readonly fateOf: (method: string) => Fate;
  /** Ends the process: from then on nothing is written. */
  readonly die: () => void;
  readonly nonces: NonceWatch;
}

/** A transport on which each call of a payment has its fate. The server is the real one. */
export function fatefulTransport(boundary: Boundary): Transport {
  return async (options) => wrap(await openSession({ ...options, serverUrl: boundary.serverUrl }), boundary);
}

function wrap<T extends object>(target: T, boundary: Boundary): T {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name, object);
      if (name === "lightningSend" || name === "lightningReceive") return wrap(member as object, boundary);
      if (typeof member !== "function") return member;
      const run = (...args: unknown[]): unknown => Reflect.apply(member, object, args);
      return OF_PAYMENTS.has(String(name)) ? (...args: unknown[]) => meetFate(String(name), args, run, boundary) : run;
    },
  });
}

async function meetFate(
  method: string,
  args: readonly unknown[],
  run: (...args: readonly unknown[]) => unknown,
  { fateOf, die, nonces }: Boundary,
): Promise<unknown> {
  nonces.note(args[0]);
  const fate = fateOf(method);
  if (fate === "dies before") die();
  if (fate === "dies before" || fate === "fails") throw new Error(`${method} did not go out`);
  const answer = await run(...args);
  if (fate === "dies after") die();
  if (fate === "dies after" || fate === "lost") throw new Error(`the answer of ${method} was lost`);
  return fate === "repeated" ? run(...args) : answer;
}

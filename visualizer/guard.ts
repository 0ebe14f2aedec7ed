import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const TOKEN_BYTES = 32;

/** A refusal of a request, before anything is done for it. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Headers of every answer: the page asks nobody but its host, runs no script but its own, and stands in no other page. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Cache-Control": "no-store",
};

/**
 * Who may ask. Every page that the user visits can send requests to a port of this machine, and can give it a name of its
 * own (DNS rebinding): so a request must name this host, come from no other page, and for data carry the token.
 */
export class Guard {
  /** 256 random bits, base64url. */
  readonly token = randomBytes(TOKEN_BYTES).toString("base64url");
  readonly #digest = sha256(this.token);
  readonly #hosts: ReadonlySet<string>;

  constructor(port: number) {
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
  }

  /** Why a request is refused whatever it asks for, or undefined. */
  refusal({ method, headers, rawHeaders }: IncomingMessage): Refusal | undefined {
    const { host = "" } = headers;
    if (countOf(rawHeaders, "host") !== 1 || !this.#hosts.has(host)) {
      return { status: 421, code: "FOREIGN_HOST", message: "expected the address that was printed as Host, got another" };
    }
    const { origin } = headers;
    const site = headers["sec-fetch-site"];
    if (
      (origin !== undefined && origin !== `http://${host}`) ||
      (site !== undefined && site !== "same-origin" && site !== "none")
    ) {
      return { status: 403, code: "FOREIGN_ORIGIN", message: "expected a request of this page, got one of another" };
    }
    if (method !== "GET") return { status: 405, code: "READ_ONLY", message: `expected GET, got ${method}` };
    return undefined;
  }

  /** Whether a request carries the token. Takes as long for every wrong one. */
  isAuthorized({ headers }: IncomingMessage): boolean {
    const [scheme = "", given = ""] = (headers.authorization ?? "").split(" ");
    return timingSafeEqual(sha256(given), this.#digest) && scheme === "Bearer";
  }
}

function countOf(rawHeaders: readonly string[], name: string): number {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === name).length;
}

/** Digests are of one length, whatever was given. */
function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

import { StreamError } from "./errors.ts";

/** Where a server is, taken apart for a channel. */
export interface ServerAddress {
  /** The address as it is dialled and shown: scheme, host and port. */
  readonly url: string;
  /** Host name or address literal; an IPv6 literal keeps its brackets. */
  readonly host: string;
  readonly port: number;
  /** TLS (`https`) or clear text HTTP/2 (`http`). */
  readonly secure: boolean;
  /** Whether the host is this machine. */
  readonly loopback: boolean;
}

const SCHEME_DEFAULT_PORT = { "https:": 443, "http:": 80 } as const;

/**
 * Reads the configured address of a server (mailbox.md C-1, C-2): without a scheme it means `https`.
 *
 * @throws StreamError `BAD_URL` on another scheme, no host, credentials, a path, a query or a fragment
 */
export function parseServerUrl(text: string): ServerAddress {
  const trimmed = text.trim();
  const full = trimmed.includes("://") ? trimmed : `https://${trimmed}`;
  const url = parse(full);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new StreamError("BAD_URL", `expected an http or https address, got scheme ${JSON.stringify(url.protocol)}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new StreamError("BAD_URL", "expected a server address without user name and password, got one with");
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new StreamError("BAD_URL", "expected scheme, host and port only, got a path, query or fragment as well");
  }
  const port = url.port === "" ? SCHEME_DEFAULT_PORT[url.protocol] : Number(url.port);
  return {
    url: `${url.protocol}//${url.hostname}:${port}`,
    host: url.hostname,
    port,
    secure: url.protocol === "https:",
    loopback: isLoopback(url.hostname),
  };
}

/**
 * Like {@link parseServerUrl}, and refuses clear text to another machine: everything the wallet owns could
 * be watched and its answers forged on the way.
 *
 * @throws StreamError `BAD_URL`, `PLAINTEXT_REFUSED`
 */
export function checkServerUrl(text: string, options: { readonly allowPlaintext: boolean }): ServerAddress {
  const address = parseServerUrl(text);
  if (!address.secure && !address.loopback && !options.allowPlaintext) {
    throw new StreamError("PLAINTEXT_REFUSED", `expected https for a server on another machine, got ${address.url}`);
  }
  return address;
}

function parse(text: string): URL {
  // `URL` takes a missing host from the path and drops blanks inside, both without a word. Neither its error nor
  // the text may reach ours: they can hold a password.
  if (!/:\/\/[^/\\]/.test(text) || /\s/.test(text) || !URL.canParse(text)) {
    throw new StreamError("BAD_URL", "expected a server address such as https://ark.example:3535, got something else");
  }
  return new URL(text);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

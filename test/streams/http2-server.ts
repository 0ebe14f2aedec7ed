import { once } from "node:events";
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { ArkInfo, HandshakeResponse } from "../../proto/generated/bark_server.ts";
import { arkInfo } from "./server.ts";

/** A server below gRPC, for what a gRPC library does not let a test do: resets, half answers, foreign certificates. */
export interface Http2TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Path and `grpc-timeout` of every call. */
  readonly timeouts: [string, string | undefined][];
  /** How many connections are open. */
  connections(): number;
  /** Drops every connection. */
  drop(): void;
}

/** Starts one; it answers handshake and ArkInfo by itself and hands every other call over. */
export async function startHttp2(
  onCall: (stream: ServerHttp2Stream, path: string) => void,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Http2TestServer> {
  const server: Http2Server = tls === undefined ? createServer() : createSecureServer(tls);
  const timeouts: [string, string | undefined][] = [];
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => undefined);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    const path = String(headers[":path"]);
    timeouts.push([path.split("/")[2] ?? "", headers["grpc-timeout"]?.toString()]);
    if (path.endsWith("/Handshake")) {
      answer(stream, HandshakeResponse.encode({ minProtocolVersion: 1n, maxProtocolVersion: 5n, psa: undefined }).finish());
    } else if (path.endsWith("/GetArkInfo")) answer(stream, ArkInfo.encode(arkInfo()).finish());
    else onCall(stream, path);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const drop = () => {
    for (const session of sessions) session.destroy();
  };
  return {
    port,
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    timeouts,
    connections: () => sessions.size,
    drop,
    [Symbol.asyncDispose]: async () => {
      server.close();
      drop();
    },
  };
}

/** Sends response headers as a gRPC server does when it accepts a call. */
export function accept(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
}

/** Sends one message of an accepted call. */
export function send(stream: ServerHttp2Stream, message: Uint8Array): void {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([head, message]));
}

function answer(stream: ServerHttp2Stream, message: Uint8Array): void {
  accept(stream);
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  send(stream, message);
  stream.end();
}

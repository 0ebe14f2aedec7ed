import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, connect as dial, type Socket } from "node:net";

/** A TCP proxy that can swallow everything without closing anything. */
export async function startProxy(target: number) {
  let swallowing = false;
  let accepted = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((near) => {
    accepted += 1;
    const far = dial(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => swallowing || to.write(data));
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    drop,
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () => sockets.size,
    swallow: () => {
      swallowing = true;
    },
    pass: () => {
      swallowing = false;
    },
    stop: () => {
      server.close();
      drop();
    },
  };
}

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { chmod, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FILE_MODE } from "./files.ts";

/** Name of the socket in a store's directory, over which its owner answers. */
const SOCKET = "SOCKET";

/** What the address of a socket holds everywhere, in bytes: 104 on macOS with a closing zero, and a little to spare. */
const ADDRESS_BYTES_MAX = 100;
const SHORT_PLACES = [tmpdir(), "/tmp"];

/** A path of a socket that fits into an address. */
export interface SocketAddress {
  readonly path: string;
  /** Takes away what made it short; the socket stays. */
  release(): Promise<void>;
}

/**
 * The address of a file in a directory. Where its path is too long for one, it leads through a symbolic link in the
 * directory for temporary files, whatever the length of the path.
 */
export async function addressOf(directory: string, name = SOCKET): Promise<SocketAddress> {
  const path = join(directory, name);
  if (fits(path)) return { path, release: async () => undefined };
  // As long as the link that is made there can become.
  const short = SHORT_PLACES.find((place) => fits(join(place, "heartwood-XXXXXX", "d", name))) ?? "/tmp";
  const link = await mkdtemp(join(short, "heartwood-"));
  const release = () => rm(link, { recursive: true, force: true });
  try {
    await symlink(directory, join(link, "d"));
    return { path: join(link, "d", name), release };
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Lets a server listen on the socket of a directory, whose lock the caller holds. What an owner that is gone left there is
 * replaced, in one step and never by a socket that others can open.
 *
 * @returns what ends it and takes the socket away
 */
export async function listenIn(directory: string, server: Server): Promise<() => Promise<void>> {
  const [name, made] = [`${SOCKET}.new`, join(directory, SOCKET)];
  const address = await addressOf(directory, name);
  try {
    await rm(join(directory, name), { force: true });
    server.listen({ path: address.path, exclusive: true });
    await once(server, "listening");
    await chmod(join(directory, name), FILE_MODE);
    await rename(join(directory, name), made);
  } catch (error) {
    server.close();
    await rm(join(directory, name), { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await address.release();
  }
  return async () => {
    await rm(made, { force: true });
    await new Promise((resolve) => server.close(resolve));
  };
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= ADDRESS_BYTES_MAX;
}

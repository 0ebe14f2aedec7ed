// A wallet in a process of its own, from the built package:
// node wallet-process.mjs hold|live|restore|leave|forget DIRECTORY SERVER CHAIN [ADDRESS SATS]
// It begins when it is told so on standard input, so that a test need not wait for its loading.
// `hold` opens it and stays; `live` follows the mailbox and says each event, and pays if there is an address; `restore` does so with a new wallet of a seed that had one; `leave` meets trouble, closes and must end;
// `forget` opens it and must end too.
import { writeSync } from "node:fs";
import { esplora, Heartwood } from "../../dist/engine/index.js";

const [mode, directory, server, chainUrl, address, sats] = process.argv.slice(2);
const mnemonic = () => "abandon ".repeat(11).concat("about");
const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);
const failed = (error) => {
  say({ failed: String(error?.code ?? error) });
  process.exit(3);
};
process.on("unhandledRejection", failed);
process.on("uncaughtException", failed);

await new Promise((resolve) => {
  process.stdin.once("data", resolve);
});
process.stdin.destroy();

const clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    // Whoever leaves would have to wait for longer than any test does.
    const timer = setTimeout(callback, mode === "leave" ? delayMs * 1_000 : delayMs / 500);
    return () => clearTimeout(timer);
  },
};
const wallet = await Heartwood.open({
  directory,
  mnemonic,
  server,
  chain: esplora(chainUrl, { retries: 0, tipCacheMs: 0 }),
  network: "regtest",
  create: true,
  ...(mode === "restore" ? { restore: true } : {}),
  ports: { clock },
});

if (mode === "hold") {
  say({ opened: true });
  setInterval(() => undefined, 60_000);
}

if (mode === "live" || mode === "restore") {
  wallet.events$.subscribe({
    next({ type, seq, state }) {
      say({ type, seq: String(seq), state });
      if (address !== undefined && state === "Live") wallet.send(address, BigInt(sats)).catch(failed);
    },
    error: failed,
  });
  say({ opened: true });
  wallet.start();
}

if (mode === "leave") {
  const trouble = new Promise((resolve) => {
    wallet.events$.subscribe(({ type, state }) => {
      if (type === "connection.changed" && state === "BackingOff") resolve();
    });
  });
  wallet.start();
  await trouble;
  await wallet.close();
  say({ closed: true });
}

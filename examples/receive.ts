// A merchant's first ten minutes: a wallet that is paid, against a simulated server.
// In a checkout: npm run -s build && node dist/examples/receive.js
import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Heartwood } from "heartwood";
import { startSimulator } from "heartwood/simulator";

const seed = randomBytes(64); // 64 bytes of BIP-39 seed; a real wallet keeps its own
await using simulator = await startSimulator({ network: "regtest" });
await using wallet = await Heartwood.open({
  directory: join(await mkdtemp(join(tmpdir(), "heartwood-")), "wallet"),
  create: true,
  seed: () => seed,
  server: simulator.serverUrl,
  chain: simulator.chainUrl,
  network: "regtest",
});

await wallet.sync(); // sees the server for the first time and pins its keys
wallet.start();
const address = await wallet.address({ fresh: true });
await simulator.pay(address, { amountsSats: [21_000n] });

for await (const event of wallet.events()) {
  if (event.type !== "payment.received") continue;
  process.stdout.write(`received ${event.amountSats} sat, balance ${wallet.balance().totalSats} sat\n`);
  break;
}

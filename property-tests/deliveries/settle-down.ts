import assert from "node:assert/strict";
import { decodeDelivery } from "../../streams/delivery.ts";
import { digestOf, expectedOf, identityOf } from "./expected.ts";
import { unseen } from "./perform.ts";
import type { Run } from "./run.ts";

/** Longer than the first waits of a connection and than the next try of a command. */
const PATIENCE_MS = 65_000;
/** Longer than that takes. */
const REOPEN_MS = 5_000;
/** As many as the longest wait of a connection has in it. */
const MOST_WAITS = 15;

/** Ends all faults, lets the wallet come to its end, and compares that with the model. */
export async function settleDown(run: Run): Promise<void> {
  endFaults(run);
  await restart(run);
  await deliverRest(run);
  await run.advance(PATIENCE_MS);
  await syncToTheEnd(run);
  checkSettled(run);
  await checkOutcome(run);
  if (run.setup.rests) await checkIdle(run);
  await run.close();
  await run.checkReplay();
}

function endFaults(run: Run): void {
  run.fate.spare();
  run.server.faults.length = 0;
  run.server.poisoned.clear();
  run.chain.poisoned.clear();
  run.server.isUp = true;
  run.server.learned = true;
  run.chain.state = "up";
  run.chain.confirmed = true;
  run.chain.grow();
  run.clock.skewMs = 0;
}

/** What a lying server hid it delivers all the same; a wallet puts up with a few lies a connection. */
async function deliverRest(run: Run): Promise<void> {
  const lost = unseen(run).filter((entry) => !run.hidden.has(entry));
  assert.deepEqual(
    lost.map(({ checkpoint }) => checkpoint),
    [],
    "every message in reach was taken in",
  );
  for (let left = unseen(run); left.length > 0; left = unseen(run)) {
    // A good connection that broke is being opened again, and nobody listens until then.
    await run.advance(REOPEN_MS);
    for (const entry of left) run.server.emit(entry);
    await run.settle();
    assert.ok(unseen(run).length < left.length, "some of what is emitted is taken in");
    await untilLive(run);
  }
}

async function restart(run: Run): Promise<void> {
  await run.wait(run.wallet.stop());
  run.wallet.start();
  await untilLive(run);
}

async function untilLive(run: Run): Promise<void> {
  await run.settle();
  for (let i = 0; i < MOST_WAITS && run.wallet.status().connection !== "Live"; i++) await run.advance(PATIENCE_MS);
  assert.equal(run.wallet.status().connection, "Live", "without faults a wallet gets connected");
}

/** A sync looks at every held item again, however long it would wait otherwise. */
async function syncToTheEnd(run: Run): Promise<void> {
  await run.wait(run.wallet.stop());
  const outcome = await run.wait(run.wallet.sync());
  assert.ok(outcome !== undefined && "value" in outcome, "without faults a sync succeeds");
  assert.equal(outcome.value.caughtUp, true);
}

/** When faults stop, everything reaches its end: nothing is stuck. */
function checkSettled(run: Run): void {
  const { ledger, server, wallet } = run;
  assert.deepEqual(
    unseen(run).map(({ checkpoint }) => checkpoint),
    [],
    "every message was taken in",
  );
  assert.deepEqual(ledger.undecided(), [], "every message was decided");
  assert.deepEqual([...ledger.openCommands.values()], [], "every command has its answer");
  const { halted, openCommands, openNotices, vtxos } = wallet.status();
  assert.equal(halted, null);
  assert.equal(openNotices, 0);
  for (const [name, seq] of ledger.notices) assert.ok((run.driven.get(name) ?? 0n) >= seq, `${name} is driven after its notice`);
  assert.equal(openCommands, 0);
  for (const { id, state } of vtxos) {
    assert.ok(server.backedUp.has(id), `${id} is backed up`);
    assert.ok(server.registered.has(id), `${id} is registered`);
    assert.equal(state, "spendable");
  }
}

/** The model's final state, with all bytes at hand. */
async function checkOutcome(run: Run): Promise<void> {
  const { pool, ledger, wallet } = run;
  const imported = run.imported.filter((bytes) => ledger.blobs.has(digestOf(bytes)));
  const delivered = [...run.posted.flatMap(({ vtxos }) => vtxos ?? []), ...imported];
  const malformed = run.posted.filter(({ raw }) => decodeDelivery(raw).content.kind === "malformed").map(({ raw }) => raw);
  const { coins, held } = expectedOf(pool, [...delivered, ...malformed]);
  assert.deepEqual(
    wallet
      .vtxos()
      .map(({ id }) => id)
      .sort(),
    [...coins.keys()].sort(),
    "all the money, and nothing else",
  );
  for (const { raw } of run.posted) assert.ok(ledger.blobs.has(run.digest(raw)), "what arrived can be read again");
  for (const [id, { bytes }] of coins) {
    const outcome = await run.wait(wallet.vtxoBytes(id));
    assert.deepEqual(outcome, { value: bytes }, `the bytes of ${id} can be read again`);
  }
  const arrived = new Set([...delivered, ...malformed, ...pool.vtxos.map(({ bytes }) => bytes)].map(digestOf));
  const kept = new Set<string>();
  for (const { key, id } of wallet.quarantine()) {
    const outcome = await run.wait(wallet.quarantinedBytes(key));
    assert.ok(outcome !== undefined && "value" in outcome, `the bytes of ${key} can be read again`);
    assert.ok(arrived.has(digestOf(outcome.value)), `the bytes of ${key} are what arrived`);
    const identity = identityOf(outcome.value);
    assert.ok(id === null || id === identity, `${key} is held under the id ${identity}`);
    kept.add(identity);
  }
  assert.deepEqual(kept, held, "what is no money is in quarantine, and nothing else");
}

/** Nothing spins: a wallet in which nothing happens writes nothing but that it looked at a held item again. */
async function checkIdle(run: Run): Promise<void> {
  await restart(run);
  const written = () => run.ledger.seq - run.ledger.looks;
  const before = written();
  await run.advance(PATIENCE_MS);
  assert.equal(written(), before, "an idle wallet writes nothing");
}

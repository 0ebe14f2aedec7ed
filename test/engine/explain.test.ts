import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { explain } from "../../engine/explain.ts";
import { mentionsOf } from "../../engine/explain-subject.ts";
import { type ExplainedStep, type Explanation, Heartwood } from "../../engine/index.ts";
import type { Transition } from "../../engine/transition.ts";
import { transitionsOf } from "../../engine/transitions-of.ts";
import { importLog, openLevelLog } from "../../store/index.ts";
import { codeOfRefusal, freshDirectory, setUp } from "./helpers.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));

async function goldenRecords(wanted: (transition: Transition) => boolean): Promise<Transition[]> {
  const directory = await freshDirectory();
  await importLog(GOLDEN, directory);
  await using log = await openLevelLog(directory, { readOnly: true });
  const found: Transition[] = [];
  for await (const transition of transitionsOf(log)) if (wanted(transition)) found.push(transition);
  return found;
}

const path = ({ steps }: Explanation) => steps.map(({ machine, event, to }) => `${machine} ${event} ${to}`);
const rulesOf = (steps: readonly ExplainedStep[], event: string) => steps.find((step) => step.event === event)?.rules;

test("a VTXO is explained from its message through a halt to what it is now, with causes, codes and rules", async () => {
  const { simulator, directory, wallet, address } = await setUp();
  simulator.chain.setFault("down");
  const { vtxos, checkpoint } = await simulator.pay(address, { amountsSats: [21_000n] });
  await wallet.sync();
  const id = vtxos[0]?.id ?? "";
  expect((await wallet.explain(String(checkpoint))).now).toBe("waiting for an answer (CHAIN_HTTP_STATUS)");
  simulator.chain.setFault(null);
  await wallet.sync();

  const explanation = await wallet.explain(id);
  expect(explanation).toMatchObject({ kind: "vtxo", id, now: "spendable", leftOut: 0 });
  expect(path(explanation)).toEqual([
    "message message.received Vetting",
    "message package.undecided Halted",
    "mailbox package.halted Halted",
    "connection package.halted Stopped",
    "message message.redelivered Vetting",
    "message package.vetted Applied",
    "mailbox message.consumed Following",
    "message vtxos.registered Applied",
    "message recoveryIds.posted Completed",
  ]);
  const { steps } = explanation;
  expect(steps.map(({ seq }) => seq)).toEqual(steps.map(({ seq }) => seq).toSorted((a, b) => Number(a - b)));
  const [received, undecided, halted, , redelivered, vetted] = steps;
  expect(undecided).toMatchObject({ code: "CHAIN_HTTP_STATUS", effectId: `${received?.seq}.0`, from: "Vetting" });
  expect(halted).toMatchObject({ causeSeq: undecided?.seq, to: "Halted" });
  expect(vetted).toMatchObject({ effectId: `${redelivered?.seq}.0`, code: null });
  expect(vetted?.text).toContain("21000 sat credited as movement");
  expect(rulesOf(steps, "package.vetted")).toEqual(expect.arrayContaining(["mailbox.md M-43", "mailbox.md W-14"]));
  expect(rulesOf(steps, "package.halted")).toContain("mailbox.md M-28");

  // The same out of the directory: first through the socket of the wallet that is open, then without one.
  expect(await Heartwood.explain(directory, id)).toEqual(explanation);
  await wallet.close();
  expect(await Heartwood.explain(directory, id)).toEqual(explanation);
});

test("a held item is explained by its key, and its VTXO from the quarantine to the balance", async () => {
  const { simulator, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [8_000n], unconfirmedAnchor: true });
  const id = vtxos[0]?.id ?? "";
  await wallet.sync();
  const key = wallet.quarantine()[0]?.key ?? "";
  const held = await wallet.explain(key);
  expect(held).toMatchObject({ kind: "quarantined", id: key, now: "in quarantine (ANCHOR_UNCONFIRMED)" });
  const holding = held.steps.find(({ event }) => event === "item.held");
  expect(holding).toMatchObject({ code: "ANCHOR_UNCONFIRMED", rules: ["mailbox.md W-41", "mailbox.md W-4"] });
  expect((await wallet.explain(id)).now).toBe("in quarantine (ANCHOR_UNCONFIRMED)");

  simulator.mine();
  await wallet.sync();
  // Delivered once more: that is part of the story, and does not change its end.
  simulator.redeliver(simulator.sent.at(-1)?.checkpoint ?? 0n);
  await wallet.sync();
  const vtxo = await wallet.explain(id);
  expect(vtxo.now).toBe("spendable");
  expect(path(vtxo)).toEqual(expect.arrayContaining(["quarantined item.held Held", "quarantined item.vetted Released"]));
  expect(vtxo.steps.find(({ event, to }) => event === "package.vetted" && to === "Ignored")).toBeDefined();
  expect(vtxo.steps.at(-1)?.rules).toContain("mailbox.md M-33");
  expect(await wallet.explain(key)).toMatchObject({ kind: "quarantined", now: "credited, 8000 sat" });
  const [movement] = wallet.movements();
  expect(await wallet.explain(movement?.id ?? "")).toMatchObject({ kind: "movement", now: "credited, 8000 sat" });
});

test("an id may be cut where that is enough to know it; else the refusal says what it could be", async () => {
  const { simulator, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [1_000n, 2_000n], perCoin: 2 });
  await wallet.sync();
  const [first, second] = vtxos.map(({ id }) => id);
  const txid = first?.split(":")[0] ?? "";
  expect((await wallet.explain(txid.slice(0, 8).toUpperCase())).id).toBe(first);
  expect((await wallet.explain(`${txid.slice(0, 8)}…${first?.slice(56)}`)).id).toBe(first);
  expect((await wallet.explain(second ?? "")).id).toBe(second);
  for (const unknown of [txid.slice(0, 7), "f".repeat(64), "12345", "", "no such thing\u001b"]) {
    expect(await codeOfRefusal(wallet.explain(unknown))).toBe("NOT_FOUND");
  }
});

test("digits that begin the ids of several VTXOs are refused as ambiguous", async () => {
  const [notice] = await goldenRecords(({ machine }) => machine === "expiry");
  async function* twins() {
    if (notice === undefined) return;
    const changes = ["0", "1"].map((vout) => ({
      id: `${"ab".repeat(32)}:${vout}`,
      amountSats: 1n,
      expiryHeight: 5,
      stage: "exit",
    }));
    yield { ...notice, event: { ...notice.event, changes } };
  }
  expect(await codeOfRefusal(explain(twins, "abababab"))).toBe("AMBIGUOUS_ID");
  expect((await explain(twins, `${"ab".repeat(32)}:1`)).now).toBe("about to expire");
});

test("of a very long story beginning and end are told, and how much is left out", async () => {
  const [again] = await goldenRecords(({ event }) => event.type === "message.redelivered");
  async function* long() {
    for (let seq = 1n; again !== undefined && seq <= 2_600n; seq++) yield { ...again, seq };
  }
  const { steps, leftOut } = await explain(long, again?.instance.split("/")[1] ?? "");
  expect(leftOut).toBe(1_600);
  expect([steps.length, steps[0]?.seq, steps[499]?.seq, steps[500]?.seq, steps.at(-1)?.seq]).toEqual([
    1_000,
    1n,
    500n,
    2_101n,
    2_600n,
  ]);
});

test("what the wallet has no more is not called spendable, unsure or expired", async () => {
  const directory = await freshDirectory();
  await importLog(GOLDEN, directory);
  const { vtxos } = await Heartwood.read(directory);
  const records = await goldenRecords(() => true);
  const mentioned = new Set(
    records.flatMap((record) => mentionsOf(record).flatMap(({ kind, id }) => (kind === "vtxo" ? [id] : []))),
  );
  const gone = [...mentioned].filter((id) => !vtxos.some((vtxo) => vtxo.id === id));
  expect(gone.length).toBeGreaterThan(10);
  for (const id of gone) {
    const { now } = await explain(async function* () {
      yield* records;
    }, id);
    expect(now, id).not.toMatch(/spendable|unsure|expir|awaiting/);
  }
});

test("everything in the golden log can be explained, and ends as the wallet's status says", async () => {
  const directory = await freshDirectory();
  await importLog(GOLDEN, directory);
  const status = await Heartwood.read(directory);
  for (const { id, state } of status.vtxos) {
    const { now, steps } = await Heartwood.explain(directory, id);
    if (state === "expired") expect(now).toBe("expired");
    else expect(now).toMatch(new RegExp(`^${state}`));
    expect(steps.every(({ text, rules, machine }) => text.length > 10 && (rules.length > 0 || machine === "connection"))).toBe(
      true,
    );
  }
  for (const { id } of status.movements) expect((await Heartwood.explain(directory, id)).kind).toBe("movement");
  for (const { key, code } of status.quarantine) {
    expect((await Heartwood.explain(directory, key)).now).toContain(`in quarantine (${code})`);
  }
  const withdrawn = status.quarantine.find(({ key }) => key.includes("."));
  const story = await Heartwood.explain(directory, withdrawn?.id ?? "");
  expect(path(story)).toEqual(
    expect.arrayContaining(["salvage wallet.salvaged Reconciling", "salvage vtxos.checked Reconciling"]),
  );
  expect(story.steps.find(({ event }) => event === "vtxos.checked")?.code).toBe("SERVER_SAYS_SPENT");
  expect(story.now).toBe(`in quarantine (${withdrawn?.code})`);
  expect((await Heartwood.explain(directory, String(status.checkpoint))).kind).toBe("checkpoint");
});

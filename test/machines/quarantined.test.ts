import { expect, test } from "vitest";
import { quarantinedMachine } from "../../machines/quarantined.machine.ts";
import { step } from "../../machines/step.ts";
import { given, taken, testTable } from "./drive.ts";
import { accepted, idOf, itemOf, refused, vtxoOf } from "./fixtures.ts";

const held = { type: "item.held", item: itemOf(1), atMs: 40 } as const;
const good = { type: "item.vetted", verdict: accepted(1), isKnown: false, atMs: 50 } as const;
const known = { type: "item.vetted", verdict: { kind: "known", id: idOf(1) }, isKnown: true, atMs: 50 } as const;
const otherReason = { type: "item.vetted", verdict: refused(1, { code: "ANCHOR_SPENT" }), isKnown: false, atMs: 50 } as const;
const registered = { type: "vtxos.registered", atMs: 0 } as const;
const posted = { type: "recoveryIds.posted", atMs: 0 } as const;

testTable(
  quarantinedMachine,
  {
    Arriving: given(quarantinedMachine),
    Held: given(quarantinedMachine, held),
    Released: given(quarantinedMachine, held, good),
    "Released and registered": given(quarantinedMachine, held, good, registered),
    "Released and backed up": given(quarantinedMachine, held, good, posted),
    Completed: given(quarantinedMachine, held, good, registered, posted),
    Dropped: given(quarantinedMachine, held, known),
  },
  {
    held,
    good,
    known,
    "accepted, but known": { ...good, isKnown: true },
    "same reason": { ...otherReason, verdict: refused(1) },
    "other reason": otherReason,
    registered,
    posted,
    "timer.due": { type: "timer.due" },
  },
  {
    Arriving: { held: "Held" },
    Held: {
      good: "Released: registerVtxos, postRecoveryIds",
      known: "Dropped",
      "accepted, but known": "Dropped",
      "same reason": "Held",
      "other reason": "Held",
    },
    Released: { registered: "Released", posted: "Released" },
    "Released and registered": { posted: "Completed" },
    "Released and backed up": { registered: "Completed" },
  },
);

test("a released VTXO gets a movement of its own, named after its package and itself (mailbox.md W-15)", () => {
  const { next, effects } = taken(step(quarantinedMachine, given(quarantinedMachine, held), good));
  expect(next.context.movement).toMatchObject({ id: `arkoor_receive.7.${idOf(1)}`, amountSats: 1_000n, outputs: [idOf(1)] });
  expect(effects).toEqual([
    { type: "registerVtxos", params: { sources: [vtxoOf(1).source] } },
    { type: "postRecoveryIds", params: { ids: [idOf(1)] } },
  ]);
});

test("another reason replaces the old one, the time of arrival stays", () => {
  const { next } = taken(step(quarantinedMachine, given(quarantinedMachine, held), otherReason));
  expect(next.context).toMatchObject({ item: { code: "ANCHOR_SPENT" }, heldAtMs: 40 });
});

test("each look in vain doubles the wait for the next, up to a day (mailbox.md W-4)", () => {
  const waits: number[] = [];
  let instance = taken(step(quarantinedMachine, undefined, held)).next;
  for (let look = 0; look < 13; look++) {
    waits.push((Number(instance.context.nextTryAtMs) - (look === 0 ? 40 : 50)) / 60_000);
    instance = taken(step(quarantinedMachine, instance, otherReason)).next;
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440]);
  expect(instance.context.attempts).toBe(13);
});

import { expect, test } from "vitest";
import { mailboxMachine } from "../../machines/mailbox.machine.ts";
import { step } from "../../machines/step.ts";
import { given, taken, testTable } from "./drive.ts";

const consumed = (checkpoint: bigint, advance = true) => ({ type: "message.consumed", checkpoint, advance, atMs: 0 }) as const;
const halted = (checkpoint: bigint) => ({ type: "package.halted", checkpoint, code: "CHAIN_TIMEOUT", atMs: 0 }) as const;

testTable(
  mailboxMachine,
  {
    Following: given(mailboxMachine),
    "Following at 5": given(mailboxMachine, consumed(5n)),
    "Halted at 8 after 5": given(mailboxMachine, consumed(5n), halted(8n)),
  },
  {
    "consumed 4": consumed(4n),
    "consumed 5": consumed(5n),
    "consumed 6": consumed(6n),
    "consumed 6 without advance": consumed(6n, false),
    "consumed 8": consumed(8n),
    "consumed 8 without advance": consumed(8n, false),
    "consumed 9": consumed(9n),
    "halted at 8": halted(8n),
    "halted at 9": halted(9n),
    "message.received": { type: "message.received" },
  },
  {
    Following: {
      "consumed 4": "Following",
      "consumed 5": "Following",
      "consumed 6": "Following",
      "consumed 8": "Following",
      "consumed 9": "Following",
      "halted at 8": "Halted",
      "halted at 9": "Halted",
    },
    "Following at 5": {
      "consumed 6": "Following",
      "consumed 8": "Following",
      "consumed 9": "Following",
      "halted at 8": "Halted",
      "halted at 9": "Halted",
    },
    "Halted at 8 after 5": {
      "consumed 6": "Halted",
      "consumed 8": "Following",
      "consumed 8 without advance": "Following",
      "halted at 9": "Halted",
    },
  },
);

test("the position follows what is consumed and never goes back", () => {
  const at5 = given(mailboxMachine, consumed(3n), consumed(5n));
  expect(at5?.context.position).toBe(5n);
  expect(step(mailboxMachine, at5, consumed(4n)).kind).toBe("unexpected");
});

test("while halted the position does not pass the halted package", () => {
  const at = given(mailboxMachine, consumed(5n), halted(8n), consumed(6n));
  expect(at).toMatchObject({ state: "Halted", context: { position: 6n, haltedAt: 8n } });
  expect(step(mailboxMachine, at, consumed(9n)).kind).toBe("unexpected");
});

test("a halt that ends moves the position to its package and forgets the reason", () => {
  const after = given(mailboxMachine, consumed(5n), halted(8n), consumed(8n));
  expect(after).toMatchObject({ state: "Following", context: { position: 8n, haltedAt: null, haltCode: null } });
});

test("a halt on a checkpoint that may not be trusted ends without moving the position (mailbox.md W-11)", () => {
  const after = given(mailboxMachine, consumed(5n), halted(8n), consumed(8n, false));
  expect(after).toMatchObject({ state: "Following", context: { position: 5n, haltedAt: null } });
});

test("a package that halts once more for the same reason is no news, and for another reason it is", () => {
  const once = given(mailboxMachine, halted(8n));
  expect(step(mailboxMachine, once, halted(8n)).kind).toBe("unexpected");
  const again = taken(step(mailboxMachine, once, { ...halted(8n), code: "DEADLINE" }));
  expect(again.next.context).toMatchObject({ haltedAt: 8n, haltCode: "DEADLINE" });
});

import type { VtxoId } from "../ark/vtxo-id.ts";
import { isAction } from "../machines/books.ts";
import type { ExpiryChange } from "../machines/expiry.machine.ts";
import { type AcceptedVtxo, type HeldItem, leftOf, type ReceiveMovement, type Verdict, verdictIds } from "../machines/package.ts";
import type { WithdrawnVtxo } from "../machines/salvage.machine.ts";
import { describeAction } from "./explain-action.ts";
import { replacedBy, type Subject } from "./explain-subject.ts";
import { AWAITING_REGISTRATION, type Described, EXPIRED, FREE, GONE, SPENDABLE } from "./explain-words.ts";
import { anchorWords } from "./fold-anchors.ts";
import { withdrawalId } from "./fold-salvage.ts";
import { rulesOf } from "./rules.ts";
import type { Transition } from "./transition.ts";

const ACCEPTED = [
  "mailbox.md M-39",
  "mailbox.md M-40",
  "mailbox.md M-41",
  "mailbox.md M-42",
  "mailbox.md M-43",
  "mailbox.md M-44",
];

/** A record in words. */
export function describeStep(transition: Transition, subject: Subject, from: string | null): Described {
  switch (transition.machine) {
    case "message":
      return describeMessage(transition, subject);
    case "quarantined":
      return fitting(describeHeld(transition, subject), transition, subject);
    case "mailbox":
      return describeMailbox(transition);
    case "connection":
      return { text: `The connection goes from ${from ?? "nothing"} to ${transition.state}.`, ...codeOf(transition) };
    case "salvage":
      return describeSalvage(transition, subject);
    case "expiry":
      return describeExpiry(transition, subject);
    case "anchors":
      return describeAnchors(transition, subject);
    case "exit":
      return describeAction(transition, subject);
    default:
      return isAction(transition.machine) ? describeAction(transition, subject) : generic(transition, from);
  }
}

function describeMessage(transition: Transition, subject: Subject): Described {
  const { event, state, change } = transition;
  switch (event.type) {
    case "message.received": {
      const entries = Number(event.entries);
      const what = event.kind === "arkoor" ? `a package of ${count(entries, "VTXO")}` : `of kind ${String(event.kind)}`;
      const [leap, ...leapRules] = leapOf(event);
      if (state === "Vetting") {
        const text = `The message arrived, ${what}; its bytes are kept, and each entry is checked.${leap}`;
        return { text, rules: ["mailbox.md M-37", "mailbox.md M-38", ...leapRules], now: "being checked", isProvisional: true };
      }
      const code = String(change.rule);
      const text = `The message arrived, ${what}; it is passed over, and its bytes are kept${state === "Kept" ? " for a later build" : ""}.${leap}`;
      return { text, code, rules: [...rulesOf(code), ...leapRules], now: `passed over (${code})`, isProvisional: true };
    }
    case "message.redelivered":
      return { text: "It was delivered or asked about again, and is checked once more.", rules: ["mailbox.md M-28"] };
    case "package.undecided":
    case "package.poisoned": {
      const code = String(event.code);
      const isOwn = event.type === "package.poisoned";
      const who = isOwn ? "Only of one of its VTXOs nobody could tell" : "Nobody could tell";
      const text = `${who} (${String(event.message)}): nothing is decided, and it will be read again.`;
      const rules = isOwn ? ["mailbox.md W-22"] : ["mailbox.md M-37", "mailbox.md W-1"];
      return { text, code, rules, now: `waiting for an answer (${code})`, isProvisional: true };
    }
    case "package.vetted":
      return describeVerdicts(transition, subject);
    case "vtxos.registered":
      return leftOf(event).length > 0 ? inPart(leftOf(event), subject, registered(subject)) : registered(subject);
    case "recoveryIds.posted":
      return leftOf(event).length > 0 ? inPart(leftOf(event), subject, BACKED_UP) : BACKED_UP;
    default:
      return generic(transition, null);
  }
}

/** Why the place of a message does not become the wallet's, with the rule. */
function leapOf({ advance, ahead }: Transition["event"]): [text: string, ...rules: string[]] {
  if (advance === true) return [""];
  if (ahead === true) return [" It was taken out of its turn: its place moves no checkpoint.", "mailbox.md W-23"];
  return [" Its checkpoint is too far ahead to become the wallet's.", "mailbox.md W-11"];
}

function describeVerdicts({ event, state, change, effects }: Transition, subject: Subject): Described {
  const verdicts = event.verdicts as readonly Verdict[];
  const credited = (change.vtxos ?? []) as unknown as readonly AcceptedVtxo[];
  const held = effects.flatMap((effect) => (effect.type === "holdItem" ? [effect.params.key] : []));
  if (subject.kind === "vtxo") {
    if (replacedBy(change.movement).includes(subject.id)) return replacement(credited);
    const new_ = credited.find(({ id }) => id === subject.id);
    if (new_ !== undefined) return creditOf(new_, (change.movement as ReceiveMovement).id, "mailbox.md M-52");
    const about = verdicts.find((verdict) => verdictIds(verdict).includes(subject.id));
    if (about?.kind !== "refused") {
      return { text: "The wallet has it already: nothing is credited twice.", rules: ["mailbox.md M-46", "mailbox.md W-17"] };
    }
    const { key, item } = about;
    if (held.includes(key)) return refusal(item, `It is no money now (${item.message}) and goes into quarantine as ${key}.`);
    const text = `This copy of it is no good (${item.message}); the wallet has a good one, so it is dropped.`;
    return { text, code: item.code, rules: rulesOf(item.code) };
  }
  const one = verdicts.find((verdict) => verdict.kind === "refused" && verdict.key === subject.id);
  if (subject.kind === "quarantined" && one?.kind === "refused") {
    return refusal(one.item, `An entry of the package is no money now (${one.item.message}); it is kept.`);
  }
  const kept = held.length === 0 ? "" : `; ${count(held.length, "entry", "entries")} kept in quarantine`;
  if (state !== "Applied") {
    const code = String(change.rule);
    const now = `passed over (${code})`;
    return { text: `Nothing new is in it${kept}.`, code, rules: rulesOf(code), now, isProvisional: true };
  }
  const { id, amountSats } = change.movement as ReceiveMovement;
  const text = `Every check passed for ${count(credited.length, "new VTXO")}: ${amountSats} sat credited as movement ${id}${kept}.`;
  return { text, rules: [...ACCEPTED, "mailbox.md M-52", "mailbox.md W-17"], now: `credited, ${amountSats} sat` };
}

function describeHeld(transition: Transition, subject: Subject): Described {
  const { event, state, change } = transition;
  switch (event.type) {
    case "item.held": {
      const item = event.item as HeldItem;
      const again = item.permanent ? "The bytes alone decide that, for good." : "It will be looked at again.";
      return refusal(item, `Held with its bytes: ${item.message}. ${again}`);
    }
    case "item.vetted": {
      if (state === "Dropped") {
        const text = "Looked at again: the wallet has this VTXO by now, so the held copy is let go.";
        const now = subject.kind === "quarantined" ? { now: "let go: the wallet has the VTXO" } : {};
        return { text, rules: ["mailbox.md M-46"], ...now };
      }
      if (state === "Released") {
        const [vtxo] = change.vtxos as unknown as readonly AcceptedVtxo[];
        const { id } = change.movement as ReceiveMovement;
        const isReplaced = subject.kind === "vtxo" && replacedBy(change.movement).includes(subject.id);
        if (isReplaced && vtxo !== undefined) return replacement([vtxo]);
        if (vtxo !== undefined) return creditOf(vtxo, id, "mailbox.md W-15");
      }
      const { item } = event.verdict as Extract<Verdict, { kind: "refused" }>;
      return refusal(item, `Looked at again (${count(Number(change.attempts), "time")} in vain): ${item.message}.`);
    }
    case "vtxos.registered":
      return registered(subject);
    case "recoveryIds.posted":
      return BACKED_UP;
    default:
      return generic(transition, null);
  }
}

/** A held item is not what became of its whole message or of a movement. */
function fitting({ now, ...described }: Described, { state, event, change }: Transition, { kind }: Subject): Described {
  if (state === "Released" && event.type === "item.vetted" && kind !== "vtxo" && kind !== "checkpoint") {
    return { ...described, now: `credited, ${(change.movement as ReceiveMovement).amountSats} sat` };
  }
  return now === undefined || kind === "checkpoint" || kind === "movement" ? described : { ...described, now };
}

function describeMailbox({ event, change, state, version }: Transition): Described {
  if (event.type === "package.halted") {
    const text = "The mailbox halts: the wallet's checkpoint stays before this message until it is decided.";
    return { text, code: String(event.code), rules: ["mailbox.md M-28", "mailbox.md M-32"] };
  }
  // The first record names the whole context, without a halt that could have ended.
  const resumed = version > 1n && change.haltedAt === null && state === "Following" ? " The halt is over." : "";
  const text =
    typeof change.position === "bigint" ? `The wallet's checkpoint moves to ${change.position}.` : "The checkpoint stays.";
  return { text: `${text}${resumed}`, rules: ["mailbox.md M-33", "mailbox.md M-34"] };
}

function describeSalvage({ event, seq }: Transition, subject: Subject): Described {
  if (event.type === "wallet.salvaged") {
    const text = "The log was damaged and lost its end, so it is unknown whether this was spent; the server will be asked.";
    return { text, rules: ["log-format.md §13"], now: "unsure until the server says that it is unspent", onlyFrom: FREE };
  }
  const withdrawn = (event.withdrawn as readonly WithdrawnVtxo[]).filter(
    ({ id, key }) => subject.kind === "movement" || id === subject.id || key === subject.id,
  );
  const [first] = withdrawn;
  if (first === undefined) {
    return { text: "The server says that it is unspent.", rules: ["log-format.md §13", "mailbox.md W-14"], now: SPENDABLE };
  }
  const amountSats = withdrawn.reduce((sum, one) => sum + one.amountSats, 0n);
  const text =
    `The server does not call ${subject.kind === "movement" ? count(withdrawn.length, "VTXO") : "it"} unspent any more ` +
    `(${first.item.message}): ${amountSats} sat leave the balance with movement ${withdrawalId(seq)}, into quarantine.`;
  const rules = ["log-format.md §13", ...rulesOf(first.item.code)];
  return { text, code: first.item.code, rules, now: `withdrawn (${first.item.code})`, ...GONE };
}

function describeExpiry({ event }: Transition, subject: Subject): Described {
  const { height, changes } = event as unknown as { readonly height: number; readonly changes: readonly ExpiryChange[] };
  const found = changes.find(({ id }) => id === subject.id);
  const rules = ["mailbox.md W-41"];
  if (found === undefined || found.stage === null) {
    return { text: `The tip is ${height}: it is not near its expiry after all.`, rules, expiry: "" };
  }
  const { stage, expiryHeight } = found;
  if (stage === "expired") {
    const text = `The tip is ${height} and it expired at ${expiryHeight}: the server can take it, so it is not spendable.`;
    return { text, rules: ["lightning.md §2"], expiry: EXPIRED };
  }
  const advice = stage === "exit" ? "an exit may come too late from here on" : "it should be renewed";
  const text = `The tip is ${height} and it expires at ${expiryHeight}, in ${count(expiryHeight - height, "block")}: ${advice}.`;
  return { text, rules, expiry: stage === "exit" ? "about to expire" : "expiring soon" };
}

function describeAnchors(transition: Transition, subject: Subject): Described {
  const word = anchorWords(transition, transition.change).find(({ vtxo }) => vtxo.id === subject.id);
  const at = `The tip is ${Number(transition.event.height)}`;
  if (word?.found === undefined) {
    const text = `${at}: neither its anchor ${word?.outpoint} nor its chain below is in the way of paying with it any more.`;
    return { text, rules: ["mailbox.md W-41"], anchor: "" };
  }
  const { code, message } = word.found;
  const rules = rulesOf(code);
  if (!word.isBelieved) {
    return { text: `${at}: ${message}. That is believed when it is said again at a higher tip.`, code, rules };
  }
  const text = `${at}: ${message}. Nothing pays with it for as long as that is so.`;
  return { text, code, rules, anchor: `unanchored (${code})` };
}

function creditOf({ amountSats, keyIndex, expiryHeight, registered }: AcceptedVtxo, movement: string, rule: string): Described {
  const unregistered = registered ? "" : " The server has not registered it yet, so it cannot be spent yet.";
  const text =
    `Every check passed: ${amountSats} sat credited as movement ${movement}. ` +
    `Key ${keyIndex} owns it, it expires at height ${expiryHeight}.${unregistered}`;
  const rules = [...ACCEPTED, "mailbox.md W-14", rule];
  return { text, rules, now: registered ? SPENDABLE : AWAITING_REGISTRATION };
}

function replacement(made: readonly AcceptedVtxo[]): Described {
  const text = `This seed spent it elsewhere: ${made.map(({ id }) => id).join(", ")} came, made of it, and took its place.`;
  return { text, rules: ["mailbox.md W-47"], now: "spent elsewhere with this seed", ...GONE };
}

function refusal({ code, permanent }: HeldItem, text: string): Described {
  return {
    text,
    code,
    rules: [...rulesOf(code), "mailbox.md W-4"],
    now: `in quarantine (${code})${permanent ? ", for good" : ""}`,
  };
}

function registered({ kind }: Subject): Described {
  const text = "The server took its transactions: registered.";
  return {
    text,
    rules: ["mailbox.md M-48", "mailbox.md W-14"],
    ...(kind === "vtxo" ? { now: SPENDABLE, onlyFrom: [AWAITING_REGISTRATION] } : {}),
  };
}

const BACKED_UP: Described = {
  text: "Ids are backed up in the recovery mailbox.",
  rules: ["mailbox.md M-50", "mailbox.md M-65"],
};

/** What the server took of a package is done with, and it is asked for the rest again (mailbox.md W-34). */
function inPart(left: readonly VtxoId[], { kind, id }: Subject, whole: Described): Described {
  const rules = [...(whole.rules ?? []), "mailbox.md W-34"];
  if (kind !== "vtxo") return { text: `${whole.text} It is asked again for ${count(left.length, "VTXO")}.`, rules };
  return left.includes(id)
    ? { text: "The server took others, but not this one: it is asked again.", rules }
    : { ...whole, rules };
}

function generic({ event, instance, state }: Transition, from: string | null): Described {
  return { text: `${instance} took ${event.type}: from ${from ?? "nothing"} to ${state}.` };
}

function codeOf({ event }: Transition): Pick<Described, "code"> {
  return typeof event.code === "string" ? { code: event.code } : {};
}

function count(number: number, noun: string, nouns = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : nouns}`;
}

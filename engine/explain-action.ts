import type { Subject } from "./explain-subject.ts";
import { AWAITING_REGISTRATION, type Described, GONE, SPENDABLE } from "./explain-words.ts";
import type { IssuedEffect, Transition } from "./transition.ts";

/** The state table that an action follows. */
const RULES: Readonly<Record<string, string>> = {
  "arkoor-send": "arkoor.md §11.2",
  "lightning-send": "lightning.md §8.3",
  "lightning-receive": "lightning.md §9.3",
  exit: "lightning.md §4.5",
};

/** A record of an action in words, by what it enters into the books about a VTXO or a movement. */
export function describeAction({ machine, instance, event, state, effects, change }: Transition, subject: Subject): Described {
  const told = effects.flatMap((effect) => toldOf(effect, subject, instance));
  const rules = [RULES[machine] ?? "lightning.md §4"];
  const { code } = (change.outcome ?? { code: null }) as { readonly code: string | null };
  const reason = code === null ? {} : { code };
  const last = told.at(-1);
  if (last === undefined) return { text: `${instance} took ${event.type}: it is ${state} now.`, rules, ...reason };
  return { ...last, text: told.map(({ text }) => text).join(" "), rules, ...reason };
}

function toldOf(effect: IssuedEffect, { kind, id }: Subject, instance: string): Described[] {
  switch (effect.type) {
    case "writeMovement": {
      const { movement } = effect.params;
      if (kind !== "movement" || movement.id !== id) return [];
      const { effectiveSats, feeSats, status } = movement;
      const text = `The movement is ${status}: ${effectiveSats} sat, of which ${feeSats} sat are a fee.`;
      return [{ text, now: `${status}, ${effectiveSats} sat` }];
    }
    case "createCoins": {
      const coin = effect.params.coins.find((one) => kind === "vtxo" && one.id === id);
      if (coin === undefined) return [];
      const free = coin.registered ? SPENDABLE : AWAITING_REGISTRATION;
      const [how, now] = effect.params.locked ? [", locked", `locked by ${instance}`] : ["", free];
      const text = `${instance} made it: ${coin.amountSats} sat of key ${coin.keyIndex}, which expire at height ${coin.expiryHeight}${how}.`;
      return [{ text, now }];
    }
    case "lockCoins":
    case "releaseCoins":
    case "doubtCoins":
    case "spendCoins":
    case "offerCoins":
    case "requireExit":
    case "markExited":
      return kind === "vtxo" && effect.params.ids.includes(id) ? [WORDS[effect.type](instance)] : [];
    default:
      return [];
  }
}

const WORDS = {
  lockCoins: (instance: string) => ({ text: `It is locked for ${instance}.`, now: `locked by ${instance}` }),
  releaseCoins: (instance: string) => ({ text: `${instance} lets it go: it is free again.`, now: SPENDABLE }),
  doubtCoins: (instance: string) => ({
    text: `${instance} lets it go. The server did not know it, so it is asked about before anything pays with it.`,
    now: "unsure until the server says that it is unspent",
  }),
  spendCoins: (instance: string) => ({ text: `${instance} spent it.`, now: `spent by ${instance}`, ...GONE }),
  offerCoins: () => ({ text: "From here on it can be paid with.", now: SPENDABLE, onlyFrom: [AWAITING_REGISTRATION] }),
  requireExit: (instance: string) => ({
    text: `${instance} cannot go on with it: only an exit brings it back.`,
    now: "exiting",
  }),
  markExited: () => ({
    text: "The owner has exited it, or lets it go: it is the wallet's no more.",
    now: "exited, or given up",
    ...GONE,
  }),
};

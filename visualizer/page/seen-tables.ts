import type { Tables } from "../feed-moment.ts";
import type { View } from "./session.ts";

const NONE: readonly (keyof Tables)[] = [];
const INSTANCES: readonly (keyof Tables)[] = ["instances"];
const MONEY: readonly (keyof Tables)[] = ["vtxos", "movements", "quarantine", "outbox"];

/** From this width on the style keeps the instances beside the charts. */
export const wideScreen = matchMedia("(min-width: 1560px)");

/** Tables of a moment that a view shows: nobody waits for the others. */
export function tablesSeen(view: View): readonly (keyof Tables)[] {
  if (view === "money") return MONEY;
  return view === "instances" || (view === "charts" && wideScreen.matches) ? INSTANCES : NONE;
}

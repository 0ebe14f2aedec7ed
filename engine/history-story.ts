import { mentionsOf } from "./explain-subject.ts";
import type { HistoryIndex } from "./history-index.ts";
import type { HistoryReader } from "./history-reader.ts";

/** An id may be cut: what stands before and behind the cut. */
const CUT = /^([^…]*)…?/;

/**
 * All records that the story of an id needs, in order: those that mention it, the ways of the instances that do, what
 * these caused, and what happened to all VTXOs.
 */
export async function recordsAbout(index: HistoryIndex, reader: HistoryReader, id: string): Promise<number[]> {
  const wanted = id.trim().toLowerCase();
  const [, head = ""] = CUT.exec(wanted) ?? [];
  const story = new Set<number>();
  for (const seq of index.mentionsOf(head)) {
    const { transition } = await reader.get(seq);
    if (!mentionsOf(transition).some((subject) => subject.id.startsWith(head))) continue;
    story.add(seq);
    if (transition.machine !== "message" && transition.machine !== "quarantined") continue;
    const last = index.instances.lastOf(index.instances.of(seq), index.head);
    for (let at = last; at !== undefined; at = index.instances.previousOf(at)) story.add(at);
  }
  const isSalvage = index.states.isOf({ type: "wallet.salvaged" });
  const isMailbox = index.states.isOf({ machine: "mailbox" });
  const isConnection = index.states.isOf({ machine: "connection" });
  for (let seq = 1; seq <= index.head; seq++) {
    if (isSalvage(seq)) story.add(seq);
    if (!story.has(index.causeOf(seq)) || !(isMailbox(seq) || isConnection(seq))) continue;
    story.add(seq);
  }
  // The ones before tell from which state they went.
  const before = [...story].filter((seq) => isMailbox(seq) || isConnection(seq)).map((seq) => index.instances.previousOf(seq));
  for (const seq of before) if (seq !== undefined) story.add(seq);
  return [...story].sort((a, b) => a - b);
}

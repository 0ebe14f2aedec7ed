import type { Life, PostedVtxo, Setup } from "./commands.ts";

const good: PostedVtxo = { pick: 0, copy: "whole" };

/** Money once its anchor is in a block. */
const late: PostedVtxo = { pick: 13, copy: "whole" };

const setup: Setup = { live: true, pageRows: 4, writeTicks: 0, snapshotPercent: 50, rests: true };

/** Lives that a wallet once did not come through, shrunk, by what they show. */
export const regressions: Readonly<Record<string, Life>> = {
  "a halted package is decided later even if the server does not deliver it again": {
    setup,
    commands: [
      { type: "deliver", message: { kind: "unknown" }, place: "next" },
      { type: "chain", state: "down" },
      { type: "deliver", message: { kind: "package", vtxos: [good] }, place: "equal" },
    ],
  },
  "a VTXO that was credited is no money while a longer chain leaves its anchor out": {
    setup,
    commands: [
      { type: "confirm" },
      { type: "deliver", message: { kind: "package", vtxos: [late, good] }, place: "next" },
      // A first look, at which all is well.
      { type: "advance", ms: 31_000 },
      { type: "outrun" },
      { type: "reopen" },
      { type: "outrun" },
    ],
  },
  "a VTXO that alone gets no answer is told apart by another anchor than its own, which a sibling may share": {
    setup,
    commands: [
      { type: "deliver", message: { kind: "package", vtxos: [good] }, place: "next" },
      { type: "poison", message: { kind: "package", vtxos: [{ pick: 1, copy: "whole" }] }, silent: "chain" },
    ],
  },
  "a broken copy is let go although the look at it ends before another copy is credited in the same go": {
    setup,
    commands: [
      { type: "clock", to: 3_600_000 },
      { type: "fail", calls: 1, code: "SERVER_UNREACHABLE", replyLost: false, isForCommand: false },
      { type: "import", vtxo: { pick: 11, copy: "whole" } },
      { type: "deliver", message: { kind: "package", vtxos: [{ pick: 11, copy: "missing-signature" }] }, place: "next" },
    ],
  },
};

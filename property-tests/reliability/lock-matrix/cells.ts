import type { Where } from "./actors.ts";

/** Who has the store open, or had it. */
export interface HolderState {
  readonly where: Where;
  readonly readOnly: boolean;
  /** Whether it came through a symbolic link. */
  readonly throughLink: boolean;
  /**
   * `open`: it lives. The others are gone: closed in order, killed, ended without closing, its pid given to another
   * process, its machine started anew. `elsewhere`: a process of another machine. `damaged`: its OWNER file cannot be read.
   */
  readonly state: "open" | "closed" | "killed" | "exited" | "pid used again" | "machine started anew" | "elsewhere" | "damaged";
}

/** Who tries to get in, and how. */
export interface Opening {
  readonly where: Where;
  readonly path: "plain" | "symbolic link" | "roundabout";
  readonly how: "writable" | "read-only" | "verify";
}

/** What happens before or meanwhile. */
export type Circumstance =
  | "at first"
  | "after a refused try"
  | "while another copies the folder"
  | "after the holder copied the folder";

/** One combination. */
export interface Cell {
  readonly holder: HolderState;
  readonly opening: Opening;
  readonly circumstance: Circumstance;
}

const PLACES: readonly Where[] = ["this process", "a thread", "another process"];
const CIRCUMSTANCES: readonly Circumstance[] = [
  "at first",
  "after a refused try",
  "while another copies the folder",
  "after the holder copied the folder",
];
const OPENINGS: readonly Opening[] = PLACES.flatMap((where) => [
  { where, path: "plain", how: "writable" },
  { where, path: "plain", how: "read-only" },
  { where, path: "plain", how: "verify" },
  { where, path: "symbolic link", how: "writable" },
  { where, path: "symbolic link", how: "read-only" },
  { where, path: "roundabout", how: "writable" },
]);

const LIVING: readonly HolderState[] = PLACES.flatMap((where) => [
  { where, state: "open", readOnly: false, throughLink: false },
  { where, state: "open", readOnly: true, throughLink: false },
  { where, state: "open", readOnly: false, throughLink: true },
]);
const STATES = ["closed", "killed", "exited", "pid used again", "machine started anew", "elsewhere", "damaged"] as const;
const OTHERS: readonly HolderState[] = STATES.map((state) => ({
  where: "another process",
  state,
  readOnly: false,
  throughLink: false,
}));

/** Every opening in every circumstance while a holder lives, and every opening after each other end of a holder. */
export const cells: readonly Cell[] = [
  ...LIVING.flatMap((holder) =>
    OPENINGS.flatMap((opening) => CIRCUMSTANCES.map((circumstance) => ({ holder, opening, circumstance }))),
  ),
  ...OTHERS.flatMap((holder) => OPENINGS.map((opening) => ({ holder, opening, circumstance: "at first" as const }))),
];

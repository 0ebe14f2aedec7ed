import type { ActionMovement } from "../machines/books.ts";
import type { ReceiveMovement } from "../machines/package.ts";

/** The record that made a movement. */
interface MovementOrigin {
  readonly seq: bigint;
  readonly atMs: number;
  readonly checkpoint: bigint;
}

/** A finished receive; without outputs, a withdrawal of VTXOs that a salvaged wallet found spent. */
export interface RecordedReceive extends ReceiveMovement, MovementOrigin {}

/** A movement of an action, as its last record left it. */
export type RecordedAction = ActionMovement & MovementOrigin & { readonly updatedAtMs: number };

/** An entry of the history. */
export type RecordedMovement = RecordedReceive | RecordedAction;

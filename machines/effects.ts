import type { HeldItem, VtxoSource } from "./package.ts";

/**
 * Everything a machine may ask for, by name, with its parameters.
 *
 * A *route* is an event for another instance, taken in the same commit. A *query* changes nothing outside and
 * is asked again when needed. A *command* starts only after its record is durable and stays in the outbox until
 * its result is recorded (DESIGN §2).
 */
export interface EffectParams {
  // routes
  consumeMessage: { checkpoint: bigint; advance: boolean };
  haltMailbox: { checkpoint: bigint; code: string };
  haltConnection: { checkpoint: bigint; code: string };
  holdItem: { key: string; item: HeldItem };
  // queries
  /** `holdPoison`: what alone gets no answer has had its time, and is held (mailbox.md W-22). */
  vetPackage: { checkpoint: bigint; digest: string; holdPoison: boolean };
  openConnection: { mode: RunMode };
  openStream: Record<string, never>;
  closeConnection: Record<string, never>;
  /** Ends what is under way, but reads on for notices: until the connection is opened again, or once to the end. */
  readNotices: { mode: RunMode };
  cancelTimer: { timer: string };
  // commands
  registerVtxos: { sources: readonly VtxoSource[] };
  postRecoveryIds: { ids: readonly string[] };
  startTimer: { timer: string; dueAtMs: number };
}

/** `live` follows the mailbox until stopped, `drain` reads what is there and ends. */
export type RunMode = "live" | "drain";

export type EffectType = keyof EffectParams;

/** One effect with its parameters. */
export type Effect = { [Type in EffectType]: { readonly type: Type; readonly params: EffectParams[Type] } }[EffectType];

/** How the engine treats an effect. */
export type EffectKind = "route" | "query" | "command";

/** The kind of every effect; the table is complete by its type. */
export const effectKinds: { readonly [Type in EffectType]: EffectKind } = {
  consumeMessage: "route",
  haltMailbox: "route",
  haltConnection: "route",
  holdItem: "route",
  vetPackage: "query",
  openConnection: "query",
  openStream: "query",
  closeConnection: "query",
  readNotices: "query",
  registerVtxos: "command",
  postRecoveryIds: "command",
  startTimer: "command",
  // Removes its timer from the outbox in the fold; the executor only forgets it.
  cancelTimer: "query",
};

/** Whether this build knows an effect of that name. */
export function isEffectType(type: string): type is EffectType {
  return Object.hasOwn(effectKinds, type);
}

/**
 * The implementations that XState wants for effect actions. They do nothing: `step.ts` hands the effects out as
 * data, and the engine's executors carry them out.
 */
export function effectActions<Type extends EffectType>(...types: readonly Type[]): EffectActions<Type> {
  const actions = {} as EffectActions<Type>;
  for (const type of types) actions[type] = () => {};
  return actions;
}

type EffectActions<Type extends EffectType> = { [T in Type]: (scope: unknown, params: EffectParams[T]) => void };

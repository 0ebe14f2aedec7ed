import { arkoorSendExecutors } from "./arkoor-send-executors.ts";
import { lightningReceiveExecutors } from "./lightning-receive-executors.ts";
import { lightningSendExecutors } from "./lightning-send-executors.ts";

/** Who carries out which command of an action; one file a flow. */
export const actionExecutors = { ...arkoorSendExecutors, ...lightningReceiveExecutors, ...lightningSendExecutors };

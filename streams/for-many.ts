/** Room for so many listeners; more are a leak after all. */
const LISTENERS = 1_000;

/** A controller whose signal is {@link forMany}. */
export function controllerForMany(): AbortController {
  const controller = new AbortController();
  forMany(controller.signal);
  return controller;
}

/**
 * Lets many calls wait for the same signal at once: with a connection ends all that is under way in it, and one signal may
 * be given to every call. Node takes the eleventh listener for a leak and says so on standard error; here each listener is
 * taken away when its call ends. A limit that was set by somebody else stays.
 *
 * @returns the signal
 */
export function forMany(signal: AbortSignal): AbortSignal {
  // Other runtimes have no such limit, nor the module.
  const events = globalThis.process?.getBuiltinModule?.("node:events");
  if (events !== undefined && events.getMaxListeners(signal) === events.defaultMaxListeners) {
    events.setMaxListeners(LISTENERS, signal);
  }
  return signal;
}

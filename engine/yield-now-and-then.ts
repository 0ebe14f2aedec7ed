/** Work that is done in one go before everything else has its turn: timers, keep-alive, other wallets. */
const LONGEST_RUN_MS = 25;

/** Node's way behind what is due; a browser has timers only. */
const later: (resume: () => void) => void =
  typeof setImmediate === "function" ? (resume) => void setImmediate(resume) : (resume) => void setTimeout(resume, 0);

let sinceMs = 0;

/**
 * To be awaited between pieces of work that wait for nothing, such as the verification of one VTXO after the other: lets
 * everything else have its turn when the last one is a while ago (DESIGN §7).
 */
export async function yieldNowAndThen(): Promise<void> {
  if (performance.now() - sinceMs < LONGEST_RUN_MS) return;
  await new Promise<void>((resolve) => {
    later(resolve);
  });
  sinceMs = performance.now();
}

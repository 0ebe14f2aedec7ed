import { type BorneDamage, findBorneDamage } from "./borne-damage.ts";
import type { LogHead } from "./event-log.ts";
import { LiveLog, openToRead } from "./open-to-read.ts";
import type { VerifyOptions } from "./verify-log.ts";

/** A store in which nothing is wrong that counts. */
export interface VerifiedStore {
  /** Its end. */
  readonly head: LogHead;
  /** What is damaged without consequence. */
  readonly borne: readonly BorneDamage[];
}

/**
 * Verifies a store: marker, HEAD, every frame and the chain, appending nothing. Whether the records make sense is for
 * those who understand them (`Heartwood.verify`). A live owner is asked for its frames.
 *
 * @throws StoreError as `openLevelLog`, with the place of the damage, `STORE_OWNER_LOST`; the reason of `signal`
 */
export async function verifyStore(directory: string, options: VerifyOptions = {}): Promise<VerifiedStore> {
  await using log = await openToRead(directory, options);
  return { head: log.head(), borne: await findBorneDamage(directory, log, log instanceof LiveLog) };
}

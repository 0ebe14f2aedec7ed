import { encodeHex } from "../ark/hex.ts";
import { isPreimageOf } from "../machines/lightning-send.ts";
import { decodeDelivery } from "../streams/delivery.ts";
import { attemptsAt } from "./attempts.ts";
import type { Drivers } from "./drives.ts";
import type { Engine } from "./engine.ts";
import type { Drive } from "./fold-drives.ts";

/** Who looks at Lightning notices: the payments of that hash (lightning.md §10). */
export function paymentDrivers(engine: Engine): Drivers {
  const drive = (noticed: Drive) => tellPayments(engine, noticed);
  return { "lightning-send": drive, "lightning-receive": drive };
}

/**
 * Tells every open payment of a hash of a notice, as `payment.noticed` with the preimage in hex where there is one, and
 * drives it. A machine that knows all that already, or has no use for it, does not take the event (mailbox.md M-60).
 */
async function tellPayments(engine: Engine, { kind, hash, digest }: Drive): Promise<"driven" | "unknown"> {
  const { logger } = engine.ports;
  // One that is too long for a notice may be above the day's budget: then the payment itself is asked about.
  const content = engine.blobs.has(digest) ? decodeDelivery(await engine.blobs.read(digest)).content : undefined;
  const found = content?.kind === "lightning-send-finished" ? content.preimage : undefined;
  const preimage = found === undefined ? null : encodeHex(found);
  const name = `${kind}/${hash}`;
  const isOfHash = (instance: string): boolean => instance === name || instance.startsWith(`${name}/`);
  const instances = [...engine.loop.pending.instances.keys()].filter(isOfHash);
  if (preimage !== null && !isPreimageOf(hash, preimage)) {
    logger("error", "the server sent a notice with the preimage of another hash; the payment itself is asked about", { hash });
  }
  for (const instance of instances) {
    await engine.feed({ instance, event: { type: "payment.noticed", preimage } }).committed;
    engine.actions.drive(instance);
  }
  const isUnknown = kind === "lightning-send" && attemptsAt(engine.loop.pending, hash).last === undefined;
  if (isUnknown) logger("warn", "a notice is about a payment that this wallet does not know", { hash });
  return instances.length === 0 ? "unknown" : "driven";
}

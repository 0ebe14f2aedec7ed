import { realpath } from "node:fs/promises";
import type { FramedLog } from "../../store/backed-log.ts";
import { logRoutes } from "../../store/log-routes.ts";
import { OwnerService } from "../../store/owner-service.ts";
import type { Logger } from "../ports.ts";

/**
 * Lets other processes look at a log that this one has open, over the socket in its directory; what they ask for is
 * read-only. A wallet without it works all the same: undefined, and the logger hears why.
 */
export async function offerLog(directory: string, log: FramedLog, logger: Logger): Promise<OwnerService | undefined> {
  try {
    return await OwnerService.offer(await realpath(directory), logRoutes(log));
  } catch (error) {
    logger("warn", "other processes cannot look at this wallet while it is open", { error });
    return undefined;
  }
}

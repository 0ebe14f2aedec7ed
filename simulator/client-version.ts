/** Client releases that the server knows (mailbox.md §2.3). */
const RELEASES = new Set([
  ...["0.1.0", "0.1.1", "0.1.2", "0.1.3", "0.1.4"],
  ...["0.2.0", "0.2.1", "0.2.2", "0.2.3", "0.2.4", "0.2.5"],
  ...["0.3.0", "0.4.0", "0.5.0", "0.6.0"],
]);
const LONGEST_VERSION_BYTES = 64;

const UPDATE_ADVICE = "Your client version is not known to this server. Please update it.";

/** Whether any token of digits and dots inside the text is a known release. */
function isKnownRelease(version: string): boolean {
  if (new TextEncoder().encode(version).length > LONGEST_VERSION_BYTES) return false;
  return (version.match(/[0-9.]+/g) ?? []).some((token) => RELEASES.has(token));
}

/** The announcement of a handshake: advice to update, where it is due, before the operator's own words. */
export function announcement(version: string | undefined, operatorPsa: string | undefined): string | undefined {
  if (version !== undefined && isKnownRelease(version)) return operatorPsa;
  return operatorPsa === undefined ? UPDATE_ADVICE : `${UPDATE_ADVICE}\n${operatorPsa}`;
}

/** Name of a message's instance: `message/<checkpoint>/<digest8>`. */
export function messageInstance(checkpoint: bigint, digest: string): string {
  return `message/${checkpoint}/${digest.slice(0, 8)}`;
}

/** Whether anyone still waits to be accepted, which no host tells. */
import { host } from "./unfaked.ts";

/** A look at the socket every so often. */
const LOOK_MS = 1;
/** Under a load that never lets up, accepting ends all the same. */
const LOOKS = 1000;

/**
 * Waits while connections go on being accepted.
 *
 * @param accepted How many there have been; `null` once that is over.
 */
export async function untilNobodyWaits(
  accepted: () => number | null,
): Promise<void> {
  for (let looks = LOOKS; looks > 0; looks--) {
    const before = accepted();
    // deno-lint-ignore no-await-in-loop -- a look after the other
    await new Promise((resolve) => host.setTimeout(resolve, LOOK_MS));
    // Right behind the host's own look at its sockets.
    // deno-lint-ignore no-await-in-loop -- as above
    await new Promise((resolve) => host.setImmediate(resolve));
    const now = accepted();
    if (now === null || now === before) return;
  }
}

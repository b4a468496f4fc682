/** Work that is slow to end when it is cancelled. */
import { sleep } from "@asyncio/asyncio";

/**
 * Sleeps for a second. Its clean-up takes `cleanUpMs` milliseconds, and then calls
 * `cleaned`.
 */
export function slowToEnd(
  cleanUpMs: number,
  cleaned: () => void = () => {},
): () => Promise<void> {
  return async () => {
    try {
      await sleep(1000);
    } finally {
      await sleep(cleanUpMs);
      cleaned();
    }
  };
}

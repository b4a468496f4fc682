/** Work that is slow to end when it is cancelled. */
import { sleep } from "@asyncio/asyncio";

/**
 * Sleeps for a second; its clean-up takes so many milliseconds, and ends with
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

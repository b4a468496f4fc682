/** A block that ends while its task is cancelled, in virtual time. */
import {
  cancelOn,
  createTask,
  currentTask,
  moveOnAfter,
  sleep,
  timeout,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { outcome } from "./outcome.ts";

/** What ends a block after ten milliseconds, by its name. */
export const TEN_MS_LIMITS: Record<
  string,
  <T>(block: () => Promise<T>) => Promise<T | undefined>
> = {
  timeout: (block) => timeout(10, block),
  moveOnAfter: (block) => moveOnAfter(10, block),
  cancelOn: async (block) => {
    const controller = new AbortController();
    const abort = createTask(() => sleep(10).then(() => controller.abort()));
    try {
      return await cancelOn(controller.signal, block);
    } finally {
      abort.cancel();
    }
  },
  "a timeout in a timeout": (block) =>
    timeout(12, () => timeout(10, () => block())),
};

/**
 * Runs `block`, once for each time at which its task may be cancelled, and
 * compares what {@linkcode seenWhenCancelled} gives.
 */
export async function assertSeenAroundLimit(
  block: () => Promise<unknown>,
  expected: readonly unknown[],
): Promise<void> {
  // Before the limit is reached, in the same step, and after it.
  for (const ms of [5, 10, 15]) {
    assertEquals(await seenWhenCancelled(ms, block), expected);
  }
}

/**
 * What a task comes to that runs `block` and is cancelled `ms` milliseconds after
 * its start: how the block and two waits behind it end, then its requests.
 */
export async function seenWhenCancelled(
  ms: number,
  block: () => Promise<unknown>,
): Promise<unknown[]> {
  const seen: unknown[] = [];
  const see = async (fn: () => Promise<unknown>) => {
    const end = fn().catch((error: Error) => error.name);
    seen.push(await end);
  };
  const task = createTask(async () => {
    await see(block);
    await see(() => sleep(100, "slept"));
    await see(() => sleep(100, "slept"));
    seen.push(currentTask()!.cancelling());
  });
  await sleep(0);
  await sleep(ms);
  task.cancel("from outside");
  await outcome(task);
  return seen;
}

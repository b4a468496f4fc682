import { checkDelay } from "../_internal/check.ts";
import { TimeoutError } from "../errors.ts";
import { isOwnFuture } from "../loop/future.ts";
import type { Awaitable } from "../loop/types.ts";
import { timeIsOver } from "./_late.ts";
import { ensureFuture } from "./create_task.ts";
import { timeout } from "./timeout.ts";

/**
 * Waits for something, but not for ever. Equivalent of `asyncio.wait_for`.
 *
 * When the time is over, the work is cancelled and its clean-up waited for. A
 * function runs in the current task; a future is cancelled; a promise, which
 * nothing can stop, is left to itself.
 *
 * @typeParam T What it comes to.
 *
 * @example A wait that ends
 * ```ts
 * import { Event, TimeoutError, waitFor } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * const event = new Event();
 * await assertRejects(() => waitFor(() => event.wait(), 5), TimeoutError);
 * ```
 *
 * @param awaitable A function, a future or a promise.
 * @param ms How long to wait, in milliseconds; `null` for as long as it takes.
 * At 0 or less a done future's result is given, and a function not even
 * started.
 * @returns Its result; even if the work declined to be cancelled and
 * returned one.
 * @throws {TimeoutError} When the time is over; its `cause` is the
 * {@linkcode CancelledError}.
 * @throws {CancelledError} When the task is cancelled; the work then is, too.
 * @throws {TypeError} When `awaitable` or `ms` is of the wrong type.
 * @throws {RangeError} When `ms` is NaN.
 */
export async function waitFor<T>(
  awaitable: Awaitable<T>,
  ms: number | null,
): Promise<T> {
  if (ms !== null) checkDelay("wait for it", "ms", ms);
  if (ms !== null && ms <= 0) return await waitForNothing(awaitable);
  if (typeof awaitable === "function") return await timeout(ms, awaitable);
  const future = ensureFuture(awaitable);
  return await timeout(ms, () => future);
}

async function waitForNothing<T>(awaitable: Awaitable<T>): Promise<T> {
  if (typeof awaitable === "function") {
    throw new TimeoutError(`${timeIsOver(0)}, before the start`);
  }
  if (!isOwnFuture(awaitable)) {
    return await timeout(0, () => ensureFuture(awaitable));
  }
  if (awaitable.done()) return awaitable.result() as T;
  awaitable.cancel(timeIsOver(0));
  let cause: unknown;
  try {
    return await awaitable as T;
  } catch (error) {
    if (!awaitable.cancelled()) throw error;
    cause = error;
  }
  throw new TimeoutError(timeIsOver(0), { cause });
}

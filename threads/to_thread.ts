import { getEventLoop } from "../loop/ambient.ts";
import type { Future } from "../loop/future.ts";
import { useWorkerPools } from "./worker_pool_executor.ts";

/**
 * Runs a function in a worker, while this thread goes on. Equivalent of
 * `asyncio.to_thread`.
 *
 * The function goes there by its source, without what is around it: it may use
 * its arguments, what is global, what it imports by `await import("node:fs")`,
 * and four functions of this library, `cancelSignal`, `checkCancelled`,
 * `runCoroutineThreadsafe` and `transfer`. Whatever else it refers to is not
 * there, and the error says so; a name that is also that of a global, such as an
 * import called `setTimeout`, means the global there. It may go through a bundler
 * or a compiler. For work of some size use the functions of a
 * module: {@linkcode WorkerPoolExecutor.module}.
 *
 * Arguments and result are cloned as `structuredClone` does it, or handed over
 * if they are marked by {@linkcode transfer}. Context variables go along
 * if they can be cloned.
 *
 * Cancelling frees the caller at once. A job that waits for a worker is dropped;
 * one that runs is told, and finds out by `checkCancelled()` or `cancelSignal()`
 * or in its next wait of this library. If it does not end within the executor's
 * `graceMs`, its worker is ended, and a fresh one takes its place.
 *
 * It runs in the loop's default executor, which has a worker for each core.
 *
 * @typeParam A What the function takes.
 * @typeParam R What it returns.
 *
 * @example Counting, while the loop goes on
 * ```ts
 * import { toThread } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * function countPrimes(limit: number): number {
 *   let count = 0;
 *   for (let n = 2; n < limit; n++) {
 *     let d = 2;
 *     while (n % d !== 0) d++;
 *     if (d === n) count++;
 *   }
 *   return count;
 * }
 *
 * assertEquals(await toThread(countPrimes, 1000), 168);
 * ```
 *
 * @example A job that can be cancelled
 * ```ts
 * import { checkCancelled, timeout, TimeoutError, toThread } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () =>
 *     timeout(20, () =>
 *       toThread(() => {
 *         while (true) checkCancelled();
 *       })),
 *   TimeoutError,
 * );
 * ```
 *
 * @param fn The function; it uses nothing from around it.
 * @param args Its arguments.
 * @returns A future of what it returns, with what it throws as the error.
 * @throws {TypeError} When `fn` is not a function; is a method, a class, a
 * generator, a bound function or one of the host; or when an argument cannot be
 * cloned.
 * @throws {InvalidStateError} When the loop is closed, or its default executor
 * is shut down.
 */
export function toThread<A extends unknown[], R>(
  fn: (...args: A) => R,
  ...args: A
): Future<Awaited<R>> {
  useWorkerPools();
  return getEventLoop().runInExecutor(null, fn, ...args);
}

import { alsoForCaller } from "../_internal/caller_frame.ts";
import { InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import type { Future } from "../loop/future.ts";
import { futureInternals } from "../loop/future.ts";
import { isCancelledError } from "../errors.ts";
import { workerContext } from "../platform/worker_context.ts";
import { JobFuture } from "./_job.ts";

/**
 * In a worker: calls a function that the main thread has exposed by the option
 * `exposed` of `WorkerPoolExecutor`. It runs there as a task, in the loop of
 * whoever submitted the job and with a copy of its context variables.
 * Equivalent of `asyncio.run_coroutine_threadsafe`.
 *
 * Cancelling the future cancels that task, and so does cancelling the job.
 *
 * @typeParam T What the function returns.
 *
 * @example Telling how far it is
 * ```ts
 * import { runCoroutineThreadsafe, WorkerPoolExecutor } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[] = [];
 * await using executor = new WorkerPoolExecutor({
 *   exposed: { progress: (percent: number) => void seen.push(percent) },
 * });
 * await executor.submit(async () => {
 *   await runCoroutineThreadsafe("progress", 50);
 *   await runCoroutineThreadsafe("progress", 100);
 * });
 * assertEquals(seen, [50, 100]);
 * ```
 *
 * @param name The name under which it is exposed.
 * @param args Its arguments, which are cloned.
 * @returns A future of its result, with what it throws as the error.
 * @throws {InvalidStateError} When this is not a worker of an executor.
 * @throws {TypeError} When an argument cannot be cloned.
 */
export function runCoroutineThreadsafe<T = unknown>(
  name: string,
  ...args: unknown[]
): Future<T> {
  const worker = workerContext();
  if (worker === undefined) {
    throw new InvalidStateError(
      `Cannot call "${name}" in the main thread as this code does not run in a worker of WorkerPoolExecutor`,
    );
  }
  const future = new JobFuture<T>(
    currentScope().kernel,
    (error) => cancelCall(error),
  );
  const settle = (
    state: "finished" | "failed" | "cancelled",
    value: unknown,
  ) => {
    if (!future.done()) futureInternals.settle(future, state, value);
  };
  const cancelCall = worker.call(name, args, {
    succeeded: (value) => settle("finished", value),
    failed: (error) =>
      settle(
        isCancelledError(error) ? "cancelled" : "failed",
        alsoForCaller(error),
      ),
  });
  return future;
}

import { currentScope } from "../loop/current.ts";
import { throwCancellation } from "../loop/scope.ts";
import { workerContext } from "../platform/worker_context.ts";

const worker = workerContext();

/**
 * The signal of the innermost scope around this code: aborted when the task,
 * or the `timeout` around it, is cancelled. Its reason is the
 * {@linkcode CancelledError}. Hand it to every operation of the platform that
 * takes one.
 *
 * There is one signal a scope, made when first asked for. In a job of a worker
 * (`toThread`) that never waits, ask for it again each time: only so it is heard
 * that the job was cancelled.
 *
 * @example A request that stops with its task
 * ```ts ignore
 * import { cancelSignal, timeout } from "@asyncio/asyncio";
 *
 * const page = await timeout(10_000, async () => {
 *   const response = await fetch(url, { signal: cancelSignal() });
 *   return await response.text();
 * });
 * ```
 *
 * @example It belongs to the task
 * ```ts
 * import { cancelSignal, createTask, sleep } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * let signal: AbortSignal | undefined;
 * const task = createTask(() => {
 *   signal = cancelSignal();
 *   return sleep(1000);
 * });
 * await sleep(0);
 * task.cancel();
 * assert(signal?.aborted);
 * ```
 *
 * @returns The signal.
 */
export function cancelSignal(): AbortSignal {
  worker?.poll();
  return currentScope().signal;
}

/**
 * Throws if a cancellation is waiting for this code: for long synchronous work,
 * which would not notice it before its next wait. Works in a job of a worker
 * (`toThread`) as well.
 *
 * @example In a loop without an `await`
 * ```ts
 * import { checkCancelled } from "@asyncio/asyncio";
 *
 * for (let i = 0; i < 3; i++) {
 *   checkCancelled();
 * }
 * ```
 *
 * @throws {CancelledError} When the task, or a scope around this code, was
 * cancelled and has not been told yet.
 */
export function checkCancelled(): void {
  worker?.checkCancelled();
  throwCancellation(currentScope());
}

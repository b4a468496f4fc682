/**
 * More than one core: functions that run in worker threads, while this thread
 * and its loop go on.
 *
 * ```ts
 * import { toThread } from "@asyncio/asyncio/threads";
 * import { assertEquals } from "@std/assert";
 *
 * const digits = await toThread((n) => String(3n ** n).length, 10_000n);
 * assertEquals(digits, 4772);
 * ```
 *
 * @module
 */

export type { Promised } from "./module_proxy.ts";
export { runCoroutineThreadsafe } from "./run_coroutine_threadsafe.ts";
export { toThread } from "./to_thread.ts";
export { transfer } from "./transfer.ts";
export {
  type ExecutorShutdownOptions,
  WorkerPoolExecutor,
  type WorkerPoolExecutorOptions,
  type WorkerPoolExecutorStatistics,
  type WorkerResourceLimits,
} from "./worker_pool_executor.ts";

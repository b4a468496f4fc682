/**
 * Worker processes that share a port: a program on all processors, which are
 * started again when they die, replaced without a refused connection, and
 * stopped without a lost request.
 *
 * ```ts
 * import { prefork, type WorkerLogLine } from "@asyncio/asyncio/workers";
 * import { assertEquals } from "@std/assert";
 *
 * const script = "console.log('hello'); setInterval(() => {}, 1000)";
 * const lines: WorkerLogLine[] = [];
 * const supervisor = await prefork({
 *   script: new URL(`data:text/javascript,${script}`),
 *   workers: 1,
 *   readyMs: 1000, // a server of this library says that it is ready
 *   onLog: (line) => lines.push(line),
 * });
 * await supervisor.stop();
 * assertEquals(lines.map(({ text }) => text), ["hello"]);
 * ```
 *
 * @module
 */

export type { PreforkOptions, WorkerLogLine } from "./options.ts";
export { prefork } from "./prefork.ts";
export {
  Supervisor,
  type WorkerState,
  type WorkerStatus,
} from "./supervisor.ts";
export { type WorkerInfo, workerInfo } from "./worker_info.ts";

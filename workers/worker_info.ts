import { currentScope, runIn } from "../loop/current.ts";
import { hostSupervisor } from "../platform/supervisor.ts";

/** What a worker process knows of itself; see {@linkcode workerInfo}. */
export interface WorkerInfo {
  /** Which worker this is, from 1. */
  readonly number: number;
  /** How many workers there are. */
  readonly workers: number;
  /** How long this one may take to stop, in milliseconds. */
  readonly graceMs: number;
  /**
   * Aborted when this worker is to stop. Servers see to it by themselves; this
   * is for handlers that could go on for long, and for what is no server.
   */
  readonly stopping: AbortSignal;
  /**
   * Says that this worker is ready, if no server does. Saying it again does
   * nothing.
   */
  ready(): void;
}

let info: WorkerInfo | null = null;

/**
 * Whether this process is a worker of `prefork`, and which one.
 *
 * @example A worker without a server
 * ```ts
 * import { sleep, workerInfo } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * async function main() {
 *   const worker = workerInfo();
 *   worker?.ready();
 *   while (worker !== null && !worker.stopping.aborted) {
 *     // ... a job ...
 *     await sleep(1000);
 *   }
 * }
 * await main();
 * assertEquals(workerInfo(), null); // this example runs alone
 * ```
 *
 * @returns What it knows of itself; `null` if it is no worker.
 */
export function workerInfo(): WorkerInfo | null {
  const supervisor = hostSupervisor();
  if (supervisor === null || info !== null) return info;
  const controller = new AbortController();
  const { kernel } = currentScope();
  supervisor.onStop(() => runIn(kernel.root, () => controller.abort()));
  return info = Object.freeze({
    ...supervisor.seat,
    stopping: controller.signal,
    ready: () => supervisor.ready(),
  });
}

import { currentScope } from "./current.ts";
import type { EventLoop } from "./event_loop.ts";
import { kernelOf } from "./kernel.ts";
import type { Task } from "./task.ts";

/**
 * The tasks that are not done. Equivalent of `asyncio.all_tasks`.
 *
 * @example Cancelling all others
 * ```ts
 * import { allTasks, createTask, currentTask, sleep } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const task = createTask(() => sleep(60_000));
 * for (const each of allTasks()) if (each !== currentTask()) each.cancel();
 * await task.catch(() => {});
 * assert(task.cancelled());
 * ```
 *
 * @param loop Whose tasks; by default the running loop's.
 * @returns A set of its own, not a live view.
 */
export function allTasks(loop?: EventLoop): Set<Task<unknown>> {
  const kernel = loop === undefined ? currentScope().kernel : kernelOf(loop);
  const tasks = new Set<Task<unknown>>();
  for (let scope = kernel.tasks; scope !== null; scope = scope.after) {
    tasks.add(scope.task as Task<unknown>);
  }
  return tasks;
}

import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";

/** The tasks of a loop that have not ended, the oldest first. */
export function liveTasks(kernel: Kernel): Task<unknown>[] {
  const tasks: Task<unknown>[] = [];
  for (let scope = kernel.tasks; scope !== null; scope = scope.after) {
    tasks.push(scope.task as Task<unknown>);
  }
  return tasks.reverse();
}

/** What debug mode says when nothing can wake the tasks that wait. */
import { type Future, futureInternals } from "./future.ts";
import type { Kernel } from "./kernel.ts";
import { Task } from "./task.ts";

/**
 * The tasks of a loop and what they wait for. To be asked for when the host has
 * nothing left to do: then whoever still waits waits for ever.
 */
export function describeDeadlock(kernel: Kernel): string {
  const tasks: Task<unknown>[] = [];
  for (let scope = kernel.tasks; scope !== null; scope = scope.after) {
    tasks.push(scope.task as Task<unknown>);
  }
  return [
    "Deadlock: every task waits, and nothing is left that could wake them",
    ...tasks.reverse().flatMap(describeTask),
  ].join("\n");
}

function describeTask(task: Task<unknown>): string[] {
  const [wait = "in an await that the library does not see", ...frames] = task
    .getStack();
  const awaiters = Array.from(futureInternals.awaiters(task), nameOf);
  const by = awaiters.length > 0 ? `, awaited by ${awaiters.join(", ")}` : "";
  return [`  ${task.name}: ${wait}${by}`, ...frames];
}

function nameOf(future: Future<unknown>): string {
  return future instanceof Task ? future.name : String(future);
}

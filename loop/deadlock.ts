/** What debug mode says when nothing can wake the tasks that wait. */
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";

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
  const stack = task.getStack();
  return stack.length > 0
    ? stack.map((line, index) => index === 0 ? `  ${task.name}: ${line}` : line)
    : [`  ${task.name}: in an await that the library does not see`];
}

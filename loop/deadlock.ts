/** What debug mode says when nothing can wake the tasks that wait. */
import type { Future } from "./future.ts";
import type { Kernel } from "./kernel.ts";
import { liveTasks } from "./live_tasks.ts";
import type { Task } from "./task.ts";
import { nameOf, whereaboutsOf } from "./whereabouts.ts";

/**
 * The tasks of a loop and what they wait for. To be asked for when the host has
 * nothing left to do: then whoever still waits does so for ever.
 */
export function describeDeadlock(kernel: Kernel): string {
  const shortcuts = new Map();
  return [
    "Deadlock: every task waits, and nothing is left that could wake them",
    ...liveTasks(kernel).flatMap((task) => describeTask(task, shortcuts)),
  ].join("\n");
}

/** Tasks that wait for each other while others go on. */
export function describeCycle(cycle: readonly Task<unknown>[]): string {
  const shortcuts = new Map();
  const what = cycle.length === 1
    ? "a task waits for itself"
    : "tasks wait for each other";
  return [
    `Deadlock: ${what}, while others go on`,
    ...cycle.flatMap((task) => describeTask(task, shortcuts)),
  ].join("\n");
}

function describeTask(
  task: Task<unknown>,
  shortcuts: Map<Future<unknown>, Future<unknown>>,
): string[] {
  const { state, frames, awaiters } = whereaboutsOf(task, shortcuts);
  const by = awaiters.length > 0 ? `, awaited by ${awaiters.join(", ")}` : "";
  return [`  ${nameOf(task)}: ${state}${by}`, ...frames];
}

/** Where a task is, in words: for reports and for the debug module. */
import { type Future, futureInternals } from "./future.ts";
import { Task } from "./task.ts";

/** What a task that has not ended is doing. */
export interface Whereabouts {
  /** What it waits for, or that nobody knows. */
  readonly state: string;
  /** In debug mode, the frames of the wait. */
  readonly frames: readonly string[];
  /** The names of those who await it. */
  readonly awaiters: readonly string[];
}

export function whereaboutsOf(task: Task<unknown>): Whereabouts {
  const [state = "in an await that the library does not see", ...frames] = task
    .getStack();
  const awaiters = Array.from(futureInternals.awaiters(task), nameOf);
  return { state, frames, awaiters };
}

function nameOf(future: Future<unknown>): string {
  return future instanceof Task ? future.name : String(future);
}

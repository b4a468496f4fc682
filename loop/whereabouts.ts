/** Where a task is, in words: for reports and for the debug module. */
import { oneLine } from "../_internal/show.ts";
import { type Future, futureInternals } from "./future.ts";
import { Task } from "./task.ts";

/** What a task that has not ended is doing. */
export interface Place {
  /** What it waits for, or that nobody knows. */
  readonly state: string;
  /** In debug mode, the frames of the wait. */
  readonly frames: readonly string[];
}

/** The same, and who waits for it. */
export interface Whereabouts extends Place {
  /** The names of those who await it. */
  readonly awaiters: readonly string[];
}

/** @param shortcuts For who asks about many: one map for all. */
export function whereaboutsOf(
  task: Task<unknown>,
  shortcuts?: Map<Future<unknown>, Future<unknown>>,
): Whereabouts {
  const awaiters = futureInternals.awaiters(task, shortcuts);
  return { ...placeOf(task), awaiters: Array.from(awaiters, nameOf) };
}

/** What a task waits for, and where. */
export function placeOf(task: Task<unknown>): Place {
  const [first, ...frames] = task.getStack();
  return { state: stateIn(first), frames };
}

/** What a task waits for, or that nobody knows. */
export function stateOf(task: Task<unknown>): string {
  return stateIn(task.getStack()[0]);
}

function stateIn(line = "in an await that the library does not see"): string {
  return oneLine(line);
}

/** A task's name, in which nothing ends a line or steers a terminal. */
export function nameOf(future: Future<unknown>): string {
  return oneLine(future instanceof Task ? future.name : String(future));
}

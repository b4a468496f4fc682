/**
 * What composes tasks: starting, waiting, timing out, grouping, running.
 *
 * ```ts
 * import { gather, run, sleep } from "@asyncio/asyncio/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * const results = await run(() =>
 *   gather([() => sleep(2, "one"), () => sleep(1, "two")])
 * );
 * assertEquals(results, ["one", "two"]);
 * ```
 *
 * - Begin a program: {@linkcode run}; several in one loop: {@linkcode Runner}.
 *   Hear what it is sent from outside: {@linkcode signals}.
 * - Begin a task: {@linkcode createTask}; several that end together:
 *   {@linkcode taskGroup}.
 * - Wait for several: {@linkcode gather} for all results, {@linkcode wait} for
 *   some, {@linkcode asCompleted} for one after the other.
 * - Wait for one of several, and let go of the others: {@linkcode race},
 *   {@linkcode select} with a key for each.
 * - Do the same with many, some at a time: {@linkcode pooledMap}. Again, if it
 *   fails: {@linkcode retry}. Again and again: {@linkcode interval}. Once for all
 *   who ask at the same time: {@linkcode shared}.
 * - Wait for a limited time: {@linkcode timeout} around a block,
 *   {@linkcode waitFor} around one call, {@linkcode moveOnAfter} without an
 *   error, {@linkcode cancelOn} until a signal.
 * - Keep a cancellation away: {@linkcode shield} from work that goes on behind,
 *   {@linkcode shielded} from a region. Hand it on: {@linkcode cancelSignal}.
 *
 * @module
 */

export {
  type AsCompleted,
  asCompleted,
  type AsCompletedOptions,
  type DoneFuture,
} from "./as_completed.ts";
export { cancelSignal, checkCancelled } from "./cancel.ts";
export { cancelOn } from "./cancel_on.ts";
export {
  createTask,
  type CreateTaskOptions,
  ensureFuture,
} from "./create_task.ts";
export {
  gather,
  type Gathered,
  type GatheredOrErrors,
  type GatherOptions,
} from "./gather.ts";
export type { GroupTrace } from "./group_trace.ts";
export { interval, type IntervalOptions } from "./interval.ts";
export { pooledMap, type PooledMapOptions } from "./pooled_map.ts";
export { race, type RaceOptions, type RaceUntil } from "./race.ts";
export { earlierErrors, retry, type RetryOptions } from "./retry.ts";
export {
  run,
  Runner,
  type RunnerOptions,
  type RunnerRunOptions,
  type RunOptions,
} from "./runner.ts";
export { select, type Selected, type SelectOptions } from "./select.ts";
export { shared } from "./shared.ts";
export { shield, shielded, type ShieldedOptions } from "./shield.ts";
export { type Signals, signals } from "./signals.ts";
export { checkpoint, sleep } from "./sleep.ts";
export {
  type DoneTask,
  TaskGroup,
  taskGroup,
  type TaskGroupOptions,
} from "./task_group.ts";
export {
  currentDeadline,
  moveOnAfter,
  Timeout,
  timeout,
  timeoutAt,
} from "./timeout.ts";
export {
  type ReturnWhen,
  wait,
  type WaitOptions,
  type WaitResult,
} from "./wait.ts";
export { waitFor } from "./wait_for.ts";

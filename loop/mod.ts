/**
 * The kernel: event loops, futures, tasks, handles and context variables.
 *
 * ```ts
 * import { currentTask, getEventLoop } from "@asyncio/asyncio/loop";
 * import { assert, assertEquals } from "@std/assert";
 *
 * assert(getEventLoop().isRunning());
 * assertEquals(currentTask(), null);
 * ```
 *
 * Most programs need none of this by name: `run` makes a loop, and `createTask`
 * a {@linkcode Task}. A loop to be driven by hand comes from
 * {@linkcode newEventLoop}; {@linkcode getRunningLoop} gives the one that runs
 * this code, for its timers, signal handlers, exception handler and debug mode.
 * {@linkcode ContextVar} is for what a request carries along, such as its user.
 *
 * @module
 */

export { allTasks } from "./all_tasks.ts";
export {
  getEventLoop,
  getRunningLoop,
  newEventLoop,
  setEventLoop,
} from "./ambient.ts";
export type { Alarm, AlarmTarget, Clock } from "./clock.ts";
export {
  Context,
  ContextVar,
  type ContextVarOptions,
  copyContext,
  Token,
} from "./context.ts";
export {
  EventLoop,
  type EventLoopOptions,
  type TaskFactory,
} from "./event_loop.ts";
export type { ExceptionHandler } from "./exceptions.ts";
export { type DoneCallbackOptions, Future, isFuture } from "./future.ts";
export { Handle, TimerHandle } from "./handle.ts";
export type { Instrument, StepInfo, WaitInfo } from "./hooks.ts";
export type { NamedOptions } from "./named.ts";
export {
  currentTask,
  Task,
  type TaskFunction,
  type TaskOptions,
} from "./task.ts";
export type { TaskTrace, WaitTrace } from "./traces.ts";
export type {
  Awaitable,
  AwaitedResult,
  ExceptionContext,
  Executor,
} from "./types.ts";
export type { SignalName } from "../platform/types/signals.ts";

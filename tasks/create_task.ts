import { checkOptions, OptionNames } from "../_internal/options.ts";
import { getEventLoop } from "../loop/ambient.ts";
import { currentScope } from "../loop/current.ts";
import {
  checkTaskFunction,
  createChecked,
  type EventLoop,
  loopOf,
  withLoop,
} from "../loop/event_loop.ts";
import { type Future, isFuture, isOwnFuture } from "../loop/future.ts";
import { futureOf } from "../loop/future_of.ts";
import {
  NO_OPTIONS,
  type Task,
  TASK_NAMES,
  type TaskFunction,
  type TaskOptions,
} from "../loop/task.ts";
import { type Kernel, kernelOf } from "../loop/kernel.ts";
import type { Awaitable } from "../loop/types.ts";

/** Options of {@linkcode createTask}. */
export interface CreateTaskOptions extends TaskOptions {
  /**
   * The loop that runs the task.
   *
   * @default {the running one if there is one, otherwise the default one}
   */
  loop?: EventLoop | undefined;
}

const CREATE_TASK_OPTIONS = new OptionNames<CreateTaskOptions>({
  ...TASK_NAMES,
  loop: true,
}, { string: "name" });

/**
 * Starts an `async` function as a task: it runs on its own from the next
 * iteration of the loop, can be awaited, and can be cancelled. Equivalent of
 * `asyncio.create_task`.
 *
 * Prefer a `taskGroup` if the tasks belong to what you are doing: it waits
 * for them and does not lose their errors.
 *
 * @typeParam T What the function returns.
 *
 * @example Two things at once
 * ```ts
 * import { createTask, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const one = createTask(() => sleep(1, "one"));
 * const two = createTask(() => sleep(1, "two"));
 * assertEquals([await one, await two], ["one", "two"]);
 * ```
 *
 * @param fn The function. Not its promise: that has already started, and
 * nothing could cancel it.
 * @param options Its name and more.
 * @returns The task.
 * @throws {TypeError} When `fn` is not a function, or `options` not an object
 * or of an unknown name.
 * @throws {InvalidStateError} When the loop is closed.
 */
export function createTask<T>(
  fn: TaskFunction<T>,
  options: CreateTaskOptions = NO_OPTIONS,
): Task<T> {
  checkTaskFunction(fn);
  if (options === NO_OPTIONS) {
    return createChecked(getEventLoop(), fn, options);
  }
  checkOptions("create a task", options, CREATE_TASK_OPTIONS);
  if (options.loop === undefined) {
    return createChecked(getEventLoop(), fn, options);
  }
  const { loop, ...rest } = options;
  return createChecked(kernelOf(loop).loop, fn, rest);
}

/**
 * A future for anything that can be waited for: a function is started as a
 * task, a promise is wrapped so that waiting for it can be cancelled (the
 * promise itself goes on), a future is given back as it is. Equivalent of
 * `asyncio.ensure_future`.
 *
 * @typeParam T What it comes to.
 *
 * @example Making the wait for a promise end
 * ```ts
 * import { ensureFuture, timeout, TimeoutError } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * const never = new Promise<void>(() => {});
 * await assertRejects(
 *   () => timeout(1, () => ensureFuture(never)),
 *   TimeoutError,
 * );
 * ```
 *
 * @param awaitable A function, a promise or a future.
 * @returns The future.
 * @throws {TypeError} When `awaitable` is none of them.
 */
export function ensureFuture<T>(awaitable: Awaitable<T>): Future<T> {
  return ensureFutureOf(currentScope().kernel, awaitable);
}

/** The same in a loop of which the caller knows. */
export function ensureFutureOf<T>(
  kernel: Kernel,
  awaitable: Awaitable<T>,
): Future<T> {
  if (typeof awaitable === "function") {
    return loopOf(kernel).createTask(awaitable);
  }
  if (isOwnFuture(awaitable)) return awaitable as Future<T>;
  // Of another copy: a task that is cancelled cancels what it awaits.
  return isFuture(awaitable)
    ? loopOf(kernel).createTask(() => awaitable as PromiseLike<T>)
    : futureOf(awaitable, withLoop(kernel));
}

import { react, thenOf } from "../_internal/check.ts";
import { errorLine } from "../_internal/error_text.ts";
import { type NamesOf, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { InvalidStateError, isCancelledError } from "../errors.ts";
import { isolate } from "../platform/async_storage.ts";
import { hostProcess } from "../platform/process.ts";
import { cancelBySignal } from "./cancel_each.ts";
import { type Context, givenContext } from "./context.ts";
import {
  enteredScope,
  enterScope,
  foreignScope,
  inheritedContext,
  peekScope,
  runIn,
} from "./entered.ts";
import { isExitRequest } from "./exit_request.ts";
import {
  asCancellation,
  toCancelledError,
  type UnmadeError,
} from "./cancel_request.ts";
import { Future, futureInternals } from "./future.ts";
import type { CodeStep, Gate } from "./gate.ts";
import { type TaskTracer, waitsBelow } from "./hooks.ts";
import type { EventLoop } from "./event_loop.ts";
import { kernelOf, type LoopKernel } from "./kernel.ts";
import { Scope } from "./scope.ts";
import { describeWait } from "./wait_ages.ts";

/** The function a task runs. */
export type TaskFunction<T> = () => PromiseLike<T> | T;

/** Options of a task that do not choose its loop. */
export interface TaskOptions {
  /**
   * The task's name, for messages.
   *
   * @default {"Task-" and a number}
   */
  name?: string | undefined;
  /** The context it runs in; by default a copy of the current one. */
  context?: Context | undefined;
  /**
   * Whether the function is called at once, up to its first `await`, instead of
   * in the loop's next iteration. In a loop that does not run, the task starts
   * once it does.
   *
   * @default {false}
   */
  eagerStart?: boolean | undefined;
  /** Cancels the task when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
}

export const TASK_NAMES: NamesOf<TaskOptions> = {
  // Of any kind, of which a string is made, as in asyncio.
  name: true,
  context: true,
  eagerStart: "boolean",
  signal: "signal",
};

export const TASK_OPTIONS: OptionNames = new OptionNames<TaskOptions>(
  TASK_NAMES,
  { string: "name" },
);

/** The default, one for all tasks. */
export const NO_OPTIONS: TaskOptions = Object.freeze({});

// Set by the class below: what this file may do with its private parts.
let hasBegun: (task: Task<unknown>) => boolean;
let begin: <T>(task: Task<T>) => TaskFunction<T> | null;
let succeed: <T>(task: Task<T>, value: T) => void;
let fail: (task: Task<unknown>, error: unknown) => void;

/** Ends a task as cancelled whose code is no more than a wait that was dropped. */
export let endDropped: (task: Task<unknown>, error: UnmadeError) => void;

/** Ends a task whose code is gone, and need not have begun; see vanish.ts. */
export let endVanished: (task: Task<unknown>, error: UnmadeError) => void;

/** Names a task that has no name but its number. */
export let nameIfUnnamed: (task: Task<unknown>, name: string) => void;

/** The scope a task owns. */
export let scopeOf: (task: Task<unknown>) => Scope;

let lastNumber = 0;

/**
 * A running `async` function that can be cancelled. Made by `createTask`.
 * Equivalent of `asyncio.Task`.
 *
 * @typeParam T What the function returns.
 *
 * @example Starting, cancelling and awaiting one
 * ```ts
 * import { createTask, sleep } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const task = createTask(() => sleep(60_000));
 * task.cancel("no longer needed");
 * await task.catch(() => {});
 * assert(task.cancelled());
 * ```
 */
export class Task<T = unknown> extends Future<T> {
  readonly #scope: Scope;
  #fn: TaskFunction<T> | null;
  #name: string | number;
  #unlisten: (() => void) | null = null;

  /**
   * Made by `createTask`.
   *
   * @internal
   * @ignore
   */
  constructor(kernel: LoopKernel, fn: TaskFunction<T>, options: TaskOptions) {
    super(kernel);
    const { name, context, signal } = options;
    this.#fn = fn;
    // A name may come from where there are no types.
    this.#name = name === undefined || name === null
      ? ++lastNumber
      : String(name);
    this.#scope = Scope.ofTask(
      kernel,
      this,
      givenContext("create a task", context) ?? inheritedContext(),
    );
    kernel.addTask(this.#scope);
    if (kernel.hooks !== null) kernel.hooks.taskCreated(this);
    if (signal !== undefined) Task.#listen(this, signal);
    if (startsAtOnce(kernel, options)) return;
    const tracer = kernel.hooks?.tracer ?? null;
    if (tracer === null) kernel.pushCode(new Start(this), false);
    else scheduleTraced(tracer, this);
  }

  /**
   * Its name, for messages. Can be set.
   */
  get name(): string {
    const name = this.#name;
    return typeof name === "string" ? name : `Task-${name}`;
  }

  set name(name: string) {
    this.#name = String(name);
  }

  /**
   * Its signal: aborted, with the {@linkcode CancelledError} as the reason,
   * when the task is asked to cancel. Hand it to what the task waits for.
   */
  get signal(): AbortSignal {
    return this.#scope.signal;
  }

  /**
   * Asks the task to cancel: the library operation it waits for throws a
   * {@linkcode CancelledError}, now or, if it waits for none, as soon as it
   * begins one. A task that ends before ends cancelled.
   *
   * @param reason What to tell the task: a message, any value (found as
   * `reason` on the error), or a {@linkcode CancelledError} to be thrown as it
   * is.
   * @returns False if it was already done; then its error, if it has one, is
   * no longer reported as never retrieved.
   */
  override cancel(reason?: unknown): boolean {
    if (this.done()) return super.cancel(reason);
    const error = toCancelledError(reason);
    const scope = this.#scope;
    const hooks = scope.kernel.hooks;
    if (hooks !== null) {
      hooks.taskCancelRequested(this, error);
    }
    if (this.#fn !== null) {
      // It has not started: there is nothing to interrupt.
      scope.cancelNextWait(error);
    } else {
      scope.cancel(
        error,
        peekScope()?.task === this ? "itself" : "another",
      );
    }
    return true;
  }

  /**
   * Takes back one request to cancel: the task has dealt with it and goes on.
   *
   * @returns How many are left.
   */
  uncancel(): number {
    const scope = this.#scope;
    if (scope.requests > 0) scope.takeBack();
    else if (scope.requestsInside > 0) scope.takeBackInside();
    return this.cancelling();
  }

  /**
   * How many requests to cancel it has had that were not taken back. Those of
   * `timeout` and `TaskGroup` inside of it count until their block ends.
   *
   * @returns The number of requests.
   */
  cancelling(): number {
    return this.#scope.requests + this.#scope.requestsInside;
  }

  /**
   * The context it runs in.
   *
   * @returns The context itself, not a copy.
   */
  getContext(): Context {
    return this.#scope.context;
  }

  /**
   * What it is waiting for, and in debug mode where: JavaScript does not let
   * one read the frames of a suspended function, so debug mode keeps the stack
   * of each wait.
   *
   * @returns A line for each wait and, in debug mode, its frames.
   */
  getStack(): string[] {
    const lines: string[] = [];
    const { kernel } = this.#scope;
    for (const wait of waitsBelow(this.#scope)) {
      lines.push(`waiting for ${describeWait(wait)}`);
      const stack = kernel.creationStack(wait);
      if (stack !== undefined) lines.push(...stack.split("\n"));
    }
    return lines;
  }

  /** Writes {@linkcode Task.getStack} to stderr. */
  printStack(): void {
    hostProcess.writeError(
      [`Stack for ${this}:`, ...this.getStack()].join("\n  "),
    );
  }

  /** A task's result is what its function returns. */
  override setResult(_value: T): void {
    throw new InvalidStateError(
      `Cannot set the result of a task: received a call on ${this}`,
    );
  }

  /** A task's error is what its function throws. */
  override setException(_error: unknown): void {
    throw new InvalidStateError(
      `Cannot set the exception of a task: received a call on ${this}`,
    );
  }

  /**
   * The task, its state and its name. One that was asked to cancel and is not
   * done is `cancelling`.
   *
   * @returns For example `<Task pending name="Task-1">`.
   */
  override toString(): string {
    const state = !this.done() && this.cancelling() > 0
      ? "cancelling"
      : futureInternals.stateText(this);
    return `<Task ${state} name=${show(this.name)}${Task.#doing(this)}>`;
  }

  /** What `Object.prototype.toString` says. */
  override get [Symbol.toStringTag](): string {
    return "Task";
  }

  static #isNested = false;

  /** What it waits for; of a task that is waited for, no more than its name. */
  static #doing(task: Task<unknown>): string {
    const wait = task.#scope.waits;
    if (task.done() || wait === null || Task.#isNested) return "";
    Task.#isNested = true;
    try {
      return ` waiting for ${describeWait(wait)}`;
    } finally {
      Task.#isNested = false;
    }
  }

  /** The function, once; null if the task was cancelled before its start. */
  static #begin<T>(task: Task<T>): TaskFunction<T> | null {
    const fn = task.#fn;
    task.#fn = null;
    const error = task.#scope.pending;
    if (error === null) return fn;
    Task.#end(task, "cancelled", error);
    return null;
  }

  static #succeed(task: Task<unknown>, value: unknown): void {
    // A cancellation that found no wait until the end is delivered here.
    const error = task.#scope.undelivered;
    if (error === null) Task.#end(task, "finished", value);
    else Task.#end(task, "cancelled", error);
  }

  static #fail(task: Task<unknown>, error: unknown): void {
    const cancelled = asCancellation(error, task.#scope);
    if (cancelled !== null) return Task.#end(task, "cancelled", cancelled);
    Task.#end(task, "failed", error);
    if (isExitRequest(error)) {
      futureInternals.retrieve(task);
      task.#scope.kernel.abort(error);
    }
  }

  static #end(
    task: Task<unknown>,
    state: "finished" | "failed" | "cancelled",
    value: unknown,
  ): void {
    const scope = task.#scope;
    scope.close();
    scope.kernel.removeTask(scope);
    // Its code has run: the next step may come.
    if (scope.kernel.woken === task) scope.kernel.woken = null;
    task.#unlisten?.();
    // One that failed may still have to end the program.
    futureInternals.settle(task, state, value, state !== "failed");
    const hooks = scope.kernel.hooks;
    if (hooks !== null) hooks.taskEnded(task);
  }

  static #listen(task: Task<unknown>, signal: AbortSignal): void {
    if (signal.aborted) {
      task.cancel(signal.reason);
      return;
    }
    const cancel = () => cancelBySignal(task, signal);
    signal.addEventListener("abort", cancel, { once: true });
    task.#unlisten = () => signal.removeEventListener("abort", cancel);
  }

  static {
    hasBegun = (task) => task.#fn === null;
    begin = Task.#begin;
    succeed = Task.#succeed;
    fail = Task.#fail;
    scopeOf = (task) => task.#scope;
    endDropped = (task, error) => Task.#end(task, "cancelled", error);
    endVanished = (task, error) => {
      task.#fn = null;
      Task.#end(task, "cancelled", error);
    };
    nameIfUnnamed = (task, name) => {
      if (typeof task.#name === "number") task.name = name;
    };
  }
}

/** Makes a task; an eager one has run up to its first `await` when it returns. */
export function makeTask<T>(
  kernel: LoopKernel,
  fn: TaskFunction<T>,
  options: TaskOptions,
): Task<T> {
  const task = new Task<T>(kernel, fn, options);
  // Not in the constructor: the stack of an error that is thrown there would
  // hold the task, so that it was never collected and its error never reported.
  if (startsAtOnce(kernel, options)) {
    const tracer = kernel.hooks?.tracer ?? null;
    if (tracer === null) isolate(startNow<T>, scopeOf(task), task);
    else startTraced(tracer, task);
  }
  return task;
}

// Functions of their own, as one with a closure costs those who need none more.

function scheduleTraced(tracer: TaskTracer, task: Task<unknown>): void {
  const { kernel } = scopeOf(task);
  tracer.beginTask(task, () => kernel.pushCode(new Start(task), false));
}

function startTraced(tracer: TaskTracer, task: Task<unknown>): void {
  // Only until it begins: the stack of an error that is thrown holds the closure.
  let waiting: Task<unknown> | null = task;
  tracer.beginTask(task, () => {
    const starting = waiting!;
    waiting = null;
    isolate(startNow, scopeOf(starting), starting);
  });
}

function startsAtOnce(kernel: LoopKernel, options: TaskOptions): boolean {
  return options.eagerStart === true && kernel.isRunning;
}

/** The first step of a task. */
class Start implements CodeStep {
  declare readonly runsCode: boolean;
  declare readonly mayMove: boolean;
  /**
   * Only until it runs: the stack of an error that is thrown then holds this
   * step, and must not hold the task, whose error would never be reported.
   */
  declare task: Task<unknown> | null;
  declare gate: Gate;

  constructor(task: Task<unknown>) {
    this.task = task;
  }

  run(): void {
    this.gate.open(this);
  }

  enter(): void {
    const task = this.task as Task<unknown>;
    const scope = scopeOf(task);
    const { kernel } = scope;
    if (!kernel.stepwise) this.task = null;
    enterScope(scope);
    kernel.woken = task;
    start(task);
  }

  ended(): void {
    if (this.task !== null && hasBegun(this.task)) this.task = null;
  }

  describe(): string {
    return `the first step of ${this.task}`;
  }

  static {
    Object.defineProperty(this.prototype, "runsCode", { value: true });
    Object.defineProperty(this.prototype, "mayMove", { value: true });
  }
}

function startNow<T>(scope: Scope, task: Task<T>): void {
  runIn(scope, start<T>, task);
}

/** Runs in the task's scope, so that all that the function awaits carries it. */
function start<T>(task: Task<T>): void {
  const { hooks } = scopeOf(task).kernel;
  if (hooks !== null) hooks.taskStarted(task);
  const fn = begin(task);
  if (fn === null) return;
  let result: PromiseLike<T> | T;
  let isPromise: boolean;
  try {
    result = fn();
    isPromise = thenOf(result) !== null;
  } catch (error) {
    return fail(task, error);
  }
  if (!isPromise) return succeed(task, result as T);
  react(result as PromiseLike<T>, succeedEntered, failEntered);
}

// The reactions to the function's promise carry the task's scope like any other
// code of it, so they need no closure that holds the task.

function succeedEntered(value: unknown): void {
  const task = enteredScope()?.task ?? null;
  if (task !== null) succeed(task, value);
}

function failEntered(error: unknown): void {
  const task = enteredScope()?.task ?? null;
  if (task !== null) {
    // A wait that was dropped is told behind the end of its task.
    if (!task.done()) fail(task, error);
    return;
  }
  // The loop was closed meanwhile, and has reported the task as lost.
  if (!isCancelledError(error)) {
    hostProcess.writeError(
      `A task failed after its loop was closed: ${errorLine(error)}`,
    );
  }
}

/**
 * The running task. Equivalent of `asyncio.current_task`.
 *
 * @example Naming oneself
 * ```ts
 * import { createTask, currentTask } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const task = createTask(() => currentTask()?.name, { name: "worker" });
 * assertEquals(await task, "worker");
 * ```
 *
 * @param loop Only a task of this loop; by default of any.
 * @returns The task, which may be one of another copy of this package; `null` in
 * a callback and outside of any loop.
 * @throws {TypeError} When `loop` is not an event loop.
 */
export function currentTask(loop?: EventLoop): Task<unknown> | null {
  const kernel = loop === undefined ? null : kernelOf(loop);
  const foreign = foreignScope();
  if (foreign !== null) {
    return kernel === null ? foreign.task as Task<unknown> | null : null;
  }
  const scope = enteredScope();
  if (scope === undefined || scope.task?.done()) return null;
  return kernel === null || scope.kernel === kernel ? scope.task : null;
}

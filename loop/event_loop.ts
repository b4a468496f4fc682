import {
  checkBoolean,
  checkDelay,
  checkDuration,
  checkFunction,
  checkNotAsync,
  checkObject,
  checkSpan,
  isThenable,
} from "../_internal/check.ts";
import {
  EXECUTOR_SHUTDOWN_MS,
  LONGEST_HOST_TIMER_MS,
  SLOW_CALLBACK_MS,
} from "../_internal/constants.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { makeFractions } from "../_internal/random.ts";
import { show } from "../_internal/show.ts";
import { InvalidStateError } from "../errors.ts";
import { hostProcess } from "../platform/process.ts";
import { hostTimers } from "../platform/timers.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { type Clock, systemClock } from "./clock.ts";
import { CreationStacks } from "./creation_stacks.ts";
import { tellClosed } from "./closing.ts";
import { Context } from "./context.ts";
import { DebugMode } from "./debug_mode.ts";
import { currentKernel } from "./default_kernel.ts";
import { makeDefaultExecutor } from "./default_executor.ts";
import { enteredScope, runIn } from "./entered.ts";
import {
  callSafely,
  type ExceptionHandler,
  writeException,
} from "./exceptions.ts";
import { Future, futureInternals, isFuture, isOwnFuture } from "./future.ts";
import { futureOf } from "./future_of.ts";
import {
  type Handle,
  ReadyCallback,
  TimedCallback,
  type TimerHandle,
} from "./handle.ts";
import { Hooks, type Instrument } from "./hooks.ts";
import { inspection, inspectLoop } from "./inspection.ts";
import { giveLoop, Kernel, kernelOf, type LoopKernel } from "./kernel.ts";
import { answerDebuggers } from "./other_copies.ts";
import { reportPendingTasks } from "./loose_ends.ts";
import { SignalHandlers } from "./signals.ts";
import {
  makeTask,
  nameIfUnnamed,
  NO_OPTIONS,
  Task,
  TASK_OPTIONS,
  type TaskFunction,
  type TaskOptions,
} from "./task.ts";
import { traceIfHeard } from "./traces.ts";
import type { Awaitable, ExceptionContext, Executor } from "./types.ts";
import { reportUnretrieved } from "./unretrieved.ts";
import { provideJobRunner } from "./worker_jobs.ts";

/** Options of {@linkcode EventLoop} and {@linkcode newEventLoop}. */
export interface EventLoopOptions {
  /**
   * Where its time comes from.
   *
   * @default {the host's monotonic clock}
   */
  clock?: Clock | undefined;
  /**
   * Whether it starts in debug mode.
   *
   * @default {whether the environment has ASYNCIO_DEBUG=1}
   */
  debug?: boolean | undefined;
}

const EVENT_LOOP_OPTIONS = new OptionNames<EventLoopOptions>({
  clock: true,
  debug: "boolean",
}, { boolean: "debug" });

/** Makes the tasks of a loop; see {@linkcode EventLoop.setTaskFactory}. */
export type TaskFactory = <T>(
  loop: EventLoop,
  fn: TaskFunction<T>,
  options: TaskOptions,
) => Task<T>;

/** `loop.createTask`, for who has checked the function and the options. */
export let createChecked: <T>(
  loop: EventLoop,
  fn: TaskFunction<T>,
  options: TaskOptions,
) => Task<T>;

/**
 * Orders callbacks and tasks, and owns time. Most programs never see it: `run`
 * makes one, and outside of `run` a default loop is always running.
 *
 * An explicit loop (`newEventLoop()`) runs only inside `runUntilComplete` and
 * `runForever`; what is scheduled while it is stopped stays scheduled.
 * Equivalent of `asyncio.EventLoop`.
 *
 * @example A loop of one's own
 * ```ts
 * import { newEventLoop } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = newEventLoop();
 * const seen: string[] = [];
 * loop.callSoon(() => seen.push("first"));
 * loop.callSoon(() => loop.stop());
 * await loop.runForever();
 * loop.close();
 * assertEquals(seen, ["first"]);
 * ```
 */
export class EventLoop {
  readonly #kernel: LoopKernel;
  readonly #hooks: Hooks;
  readonly #signals: SignalHandlers;
  #debugMode: DebugMode | null = null;
  #slowCallbackDuration: number = SLOW_CALLBACK_MS;
  #taskFactory: TaskFactory | null = null;
  #inFactory = false;
  #exceptionHandler: ExceptionHandler | null = null;
  #executor: Executor | null = null;
  #executorIsShutDown = false;

  /**
   * Makes a loop that does not run yet.
   *
   * @param options Its clock and whether it starts in debug mode.
   * @param kernel For the library's own default loop, which is there before
   * anyone asks for it.
   * @throws {TypeError} When `options` is not an object or of an unknown name.
   */
  constructor(options: EventLoopOptions = {}, kernel?: Kernel) {
    checkOptions("create an event loop", options, EVENT_LOOP_OPTIONS);
    kernel ??= new Kernel(options.clock ?? systemClock, false, new Context());
    kernel.tell = (context) => this.callExceptionHandler(context);
    // In time of the test's own, each run is the same.
    if (options.clock !== undefined) kernel.random = makeFractions(0);
    this.#kernel = giveLoop(kernel, this);
    inspectLoop(kernel);
    answerDebuggers(inspection);
    this.#hooks = new Hooks(kernel, hostTimers.now);
    this.#signals = new SignalHandlers(kernel);
    this.setDebug(options.debug ?? hostProcess.env("ASYNCIO_DEBUG") === "1");
  }

  /**
   * Runs the loop until `awaitable` is done. To end it early, cancel what it
   * runs: it then throws the `CancelledError`.
   *
   * @param awaitable A function, run as a task of this loop; or a future or a
   * promise.
   * @returns Its result.
   * @throws {InvalidStateError} When the loop is running or closed, when this
   * code runs in another loop, or when the loop was stopped before `awaitable`
   * was done.
   */
  async runUntilComplete<T>(awaitable: Awaitable<T>): Promise<T> {
    const kernel = this.#kernel;
    if (kernel.closed) throw kernel.closedError("run");
    refuseRunning(this);
    refuseInsideOfLoop();
    const future = this.#futureOf(awaitable);
    const stop = () => this.stop();
    future.addDoneCallback(stop);
    try {
      await kernel.runForever();
    } finally {
      future.removeDoneCallback(stop);
    }
    if (!future.done()) {
      throw new InvalidStateError(
        `Cannot give a result as the event loop was stopped before it was there: received ${future}`,
      );
    }
    return future.result();
  }

  /**
   * Runs the loop until {@linkcode EventLoop.stop} is called. Cancelling the
   * tasks of the loop does not end it.
   *
   * @returns When it has stopped.
   * @throws {InvalidStateError} When the loop is running or closed, or when this
   * code runs in another loop.
   */
  async runForever(): Promise<void> {
    if (!this.#kernel.isRunning) refuseInsideOfLoop();
    await this.#kernel.runForever();
  }

  /**
   * Stops the loop after the present iteration; called before the loop runs,
   * after its first one.
   */
  stop(): void {
    this.#kernel.stop();
  }

  /**
   * Whether it is running. The default loop always is.
   *
   * @returns True while it runs.
   */
  isRunning(): boolean {
    return this.#kernel.isRunning;
  }

  /**
   * Whether it was closed.
   *
   * @returns True once {@linkcode EventLoop.close} was called.
   */
  isClosed(): boolean {
    return this.#kernel.closed;
  }

  /**
   * Closes the loop: what is scheduled is dropped, and tasks that are still
   * pending as well as errors nobody retrieved are reported. The default
   * executor gets no more jobs and ends after those it has. Closing it again
   * does nothing.
   *
   * @throws {InvalidStateError} When it is running.
   */
  close(): void {
    const kernel = this.#kernel;
    if (kernel.closed) return;
    if (kernel.isRunning) {
      throw new InvalidStateError(
        `Cannot close the event loop as it is running: received a call on ${this}`,
      );
    }
    kernel.close();
    this.#signals.clear();
    this.#debugMode?.stop();
    reportPendingTasks(kernel);
    kernel.tasks = null;
    tellClosed(kernel);
    this.#executor?.shutdown({ wait: false }).catch((error) =>
      kernel.report({
        message: "The default executor could not be shut down",
        error,
      })
    );
    this.#executor = null;
    reportUnretrieved(kernel);
  }

  /** Closes the loop at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The loop's time: monotonic, with an arbitrary start.
   *
   * @returns Milliseconds.
   */
  time(): number {
    return this.#kernel.now();
  }

  /**
   * Calls back in the next iteration. Callbacks run in the order in which they
   * were scheduled, each in a copy of the context of now.
   *
   * Nobody awaits what the callback returns. What an `async` function throws is an
   * unhandled rejection, for which the host ends the program with an error, Bun at
   * its end: start a task for it, `createTask(work)`.
   *
   * @param callback What to call.
   * @param args Its arguments.
   * @returns A handle for calling it off.
   * @throws {TypeError} When `callback` is not a function; in debug mode also when
   * it is an `async` function.
   * @throws {InvalidStateError} When the loop is closed.
   */
  callSoon<A extends unknown[]>(
    callback: (...args: A) => unknown,
    ...args: A
  ): Handle {
    this.#checkCallback("call soon", callback);
    const handle = new ReadyCallback(this.#kernel, callback, args, undefined);
    this.#kernel.pushCode(handle, true);
    return handle;
  }

  /**
   * The same as {@linkcode EventLoop.callSoon}: in JavaScript a loop and its
   * callers share one thread. Workers call back through messages.
   *
   * @param callback What to call.
   * @param args Its arguments.
   * @returns A handle for calling it off.
   * @throws {TypeError} When `callback` is not a function; in debug mode also when
   * it is an `async` function.
   * @throws {InvalidStateError} When the loop is closed.
   */
  callSoonThreadsafe<A extends unknown[]>(
    callback: (...args: A) => unknown,
    ...args: A
  ): Handle {
    return this.callSoon(callback, ...args);
  }

  /**
   * Calls back after a while.
   *
   * @param ms How long from now, in milliseconds; below 0 as 0.
   * @param callback What to call.
   * @param args Its arguments.
   * @returns A handle for calling it off.
   * @throws {TypeError} When `callback` is not a function; in debug mode also when
   * it is an `async` function.
   * @throws {RangeError} When `ms` is NaN.
   * @throws {InvalidStateError} When the loop is closed.
   */
  callLater<A extends unknown[]>(
    ms: number,
    callback: (...args: A) => unknown,
    ...args: A
  ): TimerHandle {
    const span = checkSpan("call later", "ms", ms);
    this.#checkCallback("call later", callback);
    const when = this.#kernel.now() + span;
    return new TimedCallback(this.#kernel, callback, args, when);
  }

  /**
   * Calls back at a time; callbacks of the same time in the order in which they
   * were scheduled.
   *
   * @param when The time, in milliseconds on the scale of
   * {@linkcode EventLoop.time}.
   * @param callback What to call.
   * @param args Its arguments.
   * @returns A handle for calling it off.
   * @throws {TypeError} When `callback` is not a function; in debug mode also when
   * it is an `async` function.
   * @throws {RangeError} When `when` is NaN.
   * @throws {InvalidStateError} When the loop is closed.
   */
  callAt<A extends unknown[]>(
    when: number,
    callback: (...args: A) => unknown,
    ...args: A
  ): TimerHandle {
    checkDelay("call at a time", "when", when);
    this.#checkCallback("call at a time", callback);
    return new TimedCallback(this.#kernel, callback, args, when);
  }

  /**
   * Makes a future of this loop.
   *
   * @typeParam T What it comes to.
   * @returns The future, pending.
   */
  createFuture<T>(): Future<T> {
    const future = new Future<T>(this.#kernel);
    const { hooks } = this.#kernel;
    if (hooks !== null) hooks.futureCreated(future);
    return future;
  }

  /**
   * Starts a task in this loop; see `createTask`.
   *
   * @param fn The function the task runs.
   * @param options Its name and more.
   * @returns The task.
   * @throws {TypeError} When `fn` is not a function, or `options` not an object
   * or of an unknown name.
   * @throws {InvalidStateError} When the loop is closed.
   */
  createTask<T>(
    fn: TaskFunction<T>,
    options: TaskOptions = NO_OPTIONS,
  ): Task<T> {
    checkTaskFunction(fn);
    if (options !== NO_OPTIONS) {
      checkOptions("create a task", options, TASK_OPTIONS);
    }
    return this.#create(fn, options);
  }

  #create<T>(fn: TaskFunction<T>, options: TaskOptions): Task<T> {
    if (this.#kernel.closed) throw this.#kernel.closedError("create a task");
    traceIfHeard(this.#kernel, this.#hooks);
    return this.#taskFactory === null
      ? makeTask(this.#kernel, fn, options)
      : this.#createByFactory(this.#taskFactory, fn, options);
  }

  /**
   * Sets what makes this loop's tasks.
   *
   * @example Starting every task at once
   * ```ts
   * import { createTask, getRunningLoop, run } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const seen: string[] = [];
   * await run(async () => {
   *   getRunningLoop().setTaskFactory((loop, fn, options) =>
   *     loop.createTask(fn, { eagerStart: true, ...options })
   *   );
   *   const task = createTask(() => seen.push("task"));
   *   seen.push("creator");
   *   await task;
   * });
   * assertEquals(seen, ["task", "creator"]);
   * ```
   *
   * @param factory Called with the loop, the function and the options; `null`
   * for the default. Its own calls of `createTask` do not come back to it. It
   * returns a task; `createTask` throws a `TypeError` if it does not.
   * @throws {TypeError} When `factory` is neither a function nor `null`.
   */
  setTaskFactory(factory: TaskFactory | null): void {
    if (factory !== null) {
      checkFunction("set the task factory", "factory", factory);
    }
    this.#taskFactory = factory;
  }

  /**
   * What makes this loop's tasks.
   *
   * @returns What was set; `null` for the default.
   */
  getTaskFactory(): TaskFactory | null {
    return this.#taskFactory;
  }

  /**
   * Turns debug mode on or off: slow steps, where things were made, swallowed
   * cancellations, work left running.
   *
   * @param on Whether it is on.
   * @throws {TypeError} When `on` is not a boolean.
   */
  setDebug(on: boolean): void {
    checkBoolean("set debug mode", "on", on);
    if (on === this.getDebug()) return;
    const kernel = this.#kernel;
    if (on) {
      kernel.stacks = new CreationStacks();
      this.#debugMode = new DebugMode(kernel, () => this.slowCallbackDuration);
      this.#hooks.add(this.#debugMode);
    } else if (this.#debugMode !== null) {
      this.#debugMode.stop();
      this.#hooks.remove(this.#debugMode);
      this.#debugMode = null;
      kernel.stacks = null;
    }
  }

  /**
   * A step that holds the loop for this long or longer, in milliseconds, is
   * reported in debug mode. Can be set: to `Infinity` if none is to be.
   *
   * @default {100}
   * @throws {TypeError} When it is set to what is not a number.
   * @throws {RangeError} When it is set to NaN or below 0.
   */
  get slowCallbackDuration(): number {
    return this.#slowCallbackDuration;
  }

  set slowCallbackDuration(ms: number) {
    checkDuration("set what is slow", "slowCallbackDuration", ms);
    this.#slowCallbackDuration = ms;
  }

  /**
   * Whether debug mode is on.
   *
   * @returns True if it is.
   */
  getDebug(): boolean {
    return this.#debugMode !== null;
  }

  /**
   * Lets `instrument` watch the loop.
   *
   * @param instrument Its methods are called from now on.
   */
  addInstrument(instrument: Instrument): void {
    checkObject("add an instrument", "instrument", instrument);
    this.#hooks.add(instrument);
  }

  /**
   * Stops `instrument` from watching.
   *
   * @param instrument What was given to {@linkcode EventLoop.addInstrument}.
   */
  removeInstrument(instrument: Instrument): void {
    this.#hooks.remove(instrument);
  }

  /**
   * Sets what is told of errors that no one is there to catch.
   *
   * @param handler Called with the context; `null` for the default, which
   * writes it to stderr.
   * @throws {TypeError} When `handler` is not a function, or, in debug mode, is an
   * `async` one.
   */
  setExceptionHandler(handler: ExceptionHandler | null): void {
    if (handler !== null) {
      this.#checkCallback("set the exception handler", handler, "handler");
    }
    this.#exceptionHandler = handler;
  }

  /**
   * What is told of errors that no one is there to catch.
   *
   * @returns What was set; `null` for the default.
   */
  getExceptionHandler(): ExceptionHandler | null {
    return this.#exceptionHandler;
  }

  /**
   * Writes the context to stderr: the handler if none was set.
   *
   * @param context What happened.
   * @throws {TypeError} When `context` is not an object.
   */
  defaultExceptionHandler(context: ExceptionContext): void {
    checkObject("report an error", "context", context);
    writeException(context);
  }

  /**
   * Tells the exception handler. Should that throw, both errors are written to
   * stderr.
   *
   * @param context What happened.
   * @throws {SystemExit} When the handler throws it, to end the program; if it
   * is the loop that tells of an error, this ends the run.
   * @throws {KeyboardInterrupt} Likewise.
   * @throws {TypeError} When `context` is not an object.
   */
  callExceptionHandler(context: ExceptionContext): void {
    checkObject("report an error", "context", context);
    callSafely(
      this.#exceptionHandler ??
        ((each) => this.defaultExceptionHandler(each)),
      context,
    );
  }

  /**
   * Calls back, from the loop, when the program gets a signal. A handler set
   * before for the same signal is replaced.
   *
   * @param signal The signal's name, such as `"SIGTERM"`.
   * @param callback What to call.
   * @param args Its arguments.
   * @throws {TypeError} When `signal` is no name of a signal of this system, or
   * one that cannot be handled, such as `"SIGKILL"`; or when `callback` is no
   * function, or an `async` one, whose errors no one would see.
   */
  addSignalHandler<A extends unknown[]>(
    signal: SignalName,
    callback: (...args: A) => unknown,
    ...args: A
  ): void {
    checkFunction("add a signal handler", "callback", callback);
    checkNotAsync("add a signal handler", "callback", callback);
    if (this.#kernel.closed) {
      throw this.#kernel.closedError("add a signal handler");
    }
    this.#signals.set(signal, callback, args);
  }

  /**
   * Takes a signal handler back.
   *
   * @param signal The signal's name.
   * @returns Whether there was one.
   * @throws {TypeError} When `signal` is no name of a signal that can be handled.
   */
  removeSignalHandler(signal: SignalName): boolean {
    return this.#signals.remove(signal);
  }

  /**
   * Runs a function elsewhere, in a worker. Context variables go with it as far
   * as the executor can take them. Equivalent of `loop.run_in_executor`.
   *
   * @example In the default executor
   * ```ts
   * import { getEventLoop } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const loop = getEventLoop();
   * const sum = await loop.runInExecutor(null, (a, b) => a + b, 20, 22);
   * assertEquals(sum, 42);
   * ```
   *
   * @param executor Where; `null` for the default executor. If none was set
   * that is a `WorkerPoolExecutor`, made now.
   * @param fn The function; what it may refer to is up to the executor.
   * @param args Its arguments.
   * @returns A future of its result.
   * @throws {TypeError} When `fn` or an argument is none that the executor takes.
   * @throws {InvalidStateError} When the loop is closed; or when `executor` is
   * `null`, and the default executor is shut down, or cannot be made as the
   * module `threads` was never imported, or a bundle has left it out.
   */
  runInExecutor<A extends unknown[], R>(
    executor: Executor | null,
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>> {
    checkFunction("run in an executor", "fn", fn);
    const kernel = this.#kernel;
    if (executor !== null) checkExecutor("run in an executor", executor);
    if (kernel.closed) throw kernel.closedError("run in an executor");
    const chosen = executor ?? this.#defaultExecutor();
    if (enteredScope()?.kernel === kernel) return chosen.submit(fn, ...args);
    return runIn(kernel.root, () => chosen.submit(fn, ...args), null, null);
  }

  /**
   * Sets the executor that {@linkcode EventLoop.runInExecutor} uses for `null`.
   * The one before is not shut down.
   *
   * @param executor The executor; `null` for one that is made when it is needed.
   * @throws {TypeError} When `executor` has no `submit` or no `shutdown`.
   */
  setDefaultExecutor(executor: Executor | null): void {
    if (executor !== null) checkExecutor("set the default executor", executor);
    this.#executor = executor;
    this.#executorIsShutDown = false;
  }

  /**
   * Ends the default executor, after the jobs it has. It takes no more.
   *
   * @param ms How long to wait for them, in milliseconds, before they are
   * cancelled; below 0 as 0.
   * @returns When it has ended.
   * @throws {TypeError} When `ms` is not a number.
   * @throws {RangeError} When `ms` is NaN.
   */
  async shutdownDefaultExecutor(
    ms: number = EXECUTOR_SHUTDOWN_MS,
  ): Promise<void> {
    const span = checkSpan("shut down the default executor", "ms", ms);
    const executor = this.#executor;
    this.#executorIsShutDown = true;
    if (executor === null) return;
    this.#executor = null;
    let timer: unknown;
    const late = new Promise<"late">((resolve) => {
      timer = hostTimers.setTimer(
        () => resolve("late"),
        Math.min(span, LONGEST_HOST_TIMER_MS),
      );
    });
    const ended = executor.shutdown();
    const outcome = await Promise.race([ended, late]);
    hostTimers.clearTimer(timer);
    if (outcome === "late") await executor.shutdown({ cancelFutures: true });
  }

  /**
   * The loop and its state.
   *
   * @returns For example `<EventLoop running>`.
   */
  toString(): string {
    return String(this.#kernel);
  }

  static {
    inspectByToString(this.prototype);
    createChecked = (loop, fn, options) => loop.#create(fn, options);
  }

  #defaultExecutor(): Executor {
    if (this.#executorIsShutDown) {
      throw new InvalidStateError(
        `Cannot run in the default executor as it is shut down: received a call on ${this}`,
      );
    }
    return this.#executor ??= makeDefaultExecutor();
  }

  /**
   * The factory itself creates its task with the loop's `createTask`, which
   * must not call it again; but for what that task starts at once, it must.
   */
  #createByFactory<T>(
    factory: TaskFactory,
    fn: TaskFunction<T>,
    options: TaskOptions,
  ): Task<T> {
    const inFactory = this.#inFactory;
    this.#inFactory = !inFactory;
    try {
      if (inFactory) return makeTask(this.#kernel, fn, options);
      const task = factory(this, fn, options);
      if (!(task instanceof Task)) {
        throw new TypeError(
          `Cannot create a task as the task factory must return one: received ${
            show(task)
          }`,
        );
      }
      // A factory may have no use for options, but a task keeps its name.
      const { name } = options;
      if (name !== undefined) nameIfUnnamed(task, name);
      return task;
    } finally {
      this.#inFactory = inFactory;
    }
  }

  #futureOf<T>(awaitable: Awaitable<T>): Future<T> {
    if (typeof awaitable === "function") return this.createTask(awaitable);
    if (isOwnFuture(awaitable)) {
      const future = awaitable as Future<T>;
      if (futureInternals.kernel(future) !== this.#kernel) {
        throw new InvalidStateError(
          `Cannot wait for a future that belongs to another event loop: received ${future}`,
        );
      }
      return future;
    }
    return isFuture(awaitable)
      ? this.createTask(() => awaitable as PromiseLike<T>)
      : futureOf(awaitable, this.#kernel);
  }

  #checkCallback(
    action: string,
    callback: unknown,
    name: string = "callback",
  ): void {
    checkFunction(action, name, callback);
    if (this.#debugMode !== null) checkNotAsync(action, name, callback);
  }
}

/** The kernel with its public face, made now if nobody has asked for it yet. */
export function withLoop(kernel: Kernel): LoopKernel {
  if (kernel.loop === null) new EventLoop({}, kernel);
  return kernel as LoopKernel;
}

/** The public face of a kernel, made now if nobody has asked for it yet. */
export function loopOf(kernel: Kernel): EventLoop {
  return withLoop(kernel).loop;
}

// deno-lint-ignore asyncio/no-import-effects -- in a worker, whose jobs use a loop if they have one
provideJobRunner(() => loopOf(currentKernel()));

/** Refuses to run a loop that runs: it is somebody else's. */
export function refuseRunning(loop: EventLoop): void {
  if (!kernelOf(loop).isRunning) return;
  throw new InvalidStateError(
    `Cannot run the event loop as it is already running: received a call on ${loop}`,
  );
}

/** Refuses to run a loop from code that runs in one. */
export function refuseInsideOfLoop(): void {
  const loop = enteredScope()?.kernel;
  if (loop?.isRunning !== true) return;
  throw new InvalidStateError(
    `Cannot run a second event loop inside of a running one: received a call in ${loop}; await the function, or start it with createTask()`,
  );
}

/** Refuses what is not a function, with the right line for a promise. */
export function checkTaskFunction(fn: unknown): void {
  if (typeof fn === "function") return;
  const hint = isThenable(fn)
    ? ": a promise has already started; write createTask(() => work()) instead of createTask(work()), or ensureFuture(promise) to wait for it"
    : "";
  throw new TypeError(
    `Cannot create a task as 'fn' must be a function: received ${
      show(fn)
    }${hint}`,
  );
}

/** Refuses what cannot run functions. */
function checkExecutor(action: string, executor: unknown): void {
  const { submit, shutdown } = Object(executor) as Partial<Executor>;
  if (typeof submit === "function" && typeof shutdown === "function") return;
  throw new TypeError(
    `Cannot ${action} as 'executor' must have the methods submit and shutdown: received ${
      show(executor)
    }`,
  );
}

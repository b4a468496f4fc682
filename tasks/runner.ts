import { checkFunction, checkSpan } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import {
  CancelledError,
  InvalidStateError,
  isCancelledError,
} from "../errors.ts";
import { allTasks } from "../loop/all_tasks.ts";
import { newEventLoop } from "../loop/ambient.ts";
import { cancelEach } from "../loop/cancel_each.ts";
import type { Context } from "../loop/context.ts";
import { copyContext } from "../loop/context.ts";
import {
  type EventLoop,
  refuseInsideOfLoop,
  refuseRunning,
} from "../loop/event_loop.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import { filterRejections, letEscape } from "../loop/rejections.ts";
import { checkSignal } from "../loop/signals.ts";
import type { TaskFunction } from "../loop/task.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { dumpAt } from "./_dump.ts";
import { checkSignals, defaultSignals, Interrupt } from "./_interrupt.ts";
import { gather } from "./gather.ts";

/** What a `Runner` hears: Python's. */
const SIGINT: readonly SignalName[] = ["SIGINT"];

/** Options of {@linkcode Runner}. */
export interface RunnerOptions {
  /**
   * Whether the loop runs in debug mode.
   *
   * @default {whether the environment has ASYNCIO_DEBUG=1}
   */
  debug?: boolean | undefined;
  /**
   * Makes the loop.
   *
   * @default {newEventLoop}
   */
  loopFactory?: (() => EventLoop) | undefined;
}

const RUNNER_OPTIONS = new OptionNames<RunnerOptions>({
  debug: "boolean",
  loopFactory: true,
}, { boolean: "debug" });

/** Options of {@linkcode run}. */
export interface RunOptions {
  /**
   * Whether the loop runs in debug mode.
   *
   * @default {whether the environment has ASYNCIO_DEBUG=1}
   */
  debug?: boolean | undefined;
  /** A loop to use instead of a new one; it is closed at the end. */
  loop?: EventLoop | undefined;
  /** Cancels the main task when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
  /**
   * The signals of the system that cancel the main task. One for which the
   * program has a listener of its own is left to that; on Deno, a listener that
   * was added before this library was loaded is not seen.
   *
   * @default {["SIGINT", "SIGTERM"]}
   */
  signals?: readonly SignalName[] | undefined;
  /**
   * How long the program may take to end after such a signal, in milliseconds of
   * the host's clock; below 0 as 0. What has not ended by then is written to
   * stderr, and the program ends as at a second signal. Code that never awaits
   * is not interrupted by it.
   *
   * @default {Infinity}
   */
  graceMs?: number | undefined;
  /**
   * A signal of the system at which the tasks are written to stderr, as a tree
   * of who awaits whom, with what each waits for; what the signal does otherwise
   * it then does not. `"SIGQUIT"` is the one for it, which a terminal sends at
   * Ctrl-\. Not while a step holds the loop.
   *
   * @default {none}
   */
  dump?: SignalName | undefined;
}

const RUN_OPTIONS = new OptionNames<RunOptions>({
  debug: "boolean",
  loop: true,
  signal: "signal",
  signals: true,
  graceMs: true,
  dump: true,
}, { boolean: "debug", number: "graceMs" });

/** Options of {@linkcode Runner.run}. */
export interface RunnerRunOptions {
  /** The context of the main task; by default that of the runner. */
  context?: Context | undefined;
  /** Cancels the main task when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
}

const RUNNER_RUN_OPTIONS = new OptionNames<RunnerRunOptions>({
  context: true,
  signal: "signal",
});
/** Runs the main task of a runner; a signal may cancel it. */
let runMain: <T>(
  runner: Runner,
  fn: TaskFunction<T>,
  options: RunnerRunOptions,
  interrupt: Interrupt,
) => Promise<T>;

/** Ends what is left in a runner. */
let closeLoop: (runner: Runner) => Promise<void>;

/**
 * Runs several functions one after the other in one loop and one context.
 * Equivalent of `asyncio.Runner`.
 *
 * @example Two runs in one loop
 * ```ts
 * import { Runner, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const runner = new Runner();
 * assertEquals(await runner.run(() => sleep(1, "one")), "one");
 * assertEquals(await runner.run(() => sleep(1, "two")), "two");
 * await runner.close();
 * ```
 */
export class Runner {
  readonly #options: RunnerOptions;
  #loop: EventLoop | null = null;
  #context: Context | null = null;
  #closing: Promise<void> | null = null;
  #state: "created" | "initialized" | "closed" = "created";

  /**
   * Makes a runner; its loop is made when first needed.
   *
   * @param options Debug mode, and what makes the loop.
   * @throws {TypeError} When `options` is not an object.
   */
  constructor(options: RunnerOptions = {}) {
    const action = "create a runner";
    checkOptions(action, options, RUNNER_OPTIONS);
    if (options.loopFactory !== undefined) {
      checkFunction(action, "loopFactory", options.loopFactory);
    }
    this.#options = options;
  }

  /**
   * Runs a function as the main task, until it is done. SIGINT (Ctrl-C) cancels
   * it, and a second one ends the program.
   *
   * @typeParam T What the function returns.
   * @param fn The function.
   * @param options The context, and a signal.
   * @returns What `fn` returns.
   * @throws {TypeError} When `fn` is not a function or `options` not an object.
   * @throws {InvalidStateError} When the runner is closed, its loop is running,
   * or this code runs in a loop already; `fn` is not called then.
   * @throws {KeyboardInterrupt} When SIGINT ended it.
   * @throws {CancelledError} When it was cancelled.
   */
  async run<T>(
    fn: TaskFunction<T>,
    options: RunnerRunOptions = {},
  ): Promise<T> {
    checkFunction("run", "fn", fn);
    checkOptions("run", options, RUNNER_RUN_OPTIONS);
    refuseInsideOfLoop();
    refuseRunning(this.getLoop());
    const interrupt = new Interrupt(SIGINT);
    return await interrupt.during(() => runMain(this, fn, options, interrupt));
  }

  /**
   * The runner's loop, made now if need be.
   *
   * @returns The loop.
   * @throws {InvalidStateError} When the runner is closed, or `loopFactory` gives
   * a loop that is running.
   */
  getLoop(): EventLoop {
    if (this.#state === "closed") {
      throw new InvalidStateError("Cannot use the runner as it is closed");
    }
    if (this.#loop === null) {
      const { debug, loopFactory = newEventLoop } = this.#options;
      const loop = loopFactory();
      // Refuses what is none, as well. Whose tasks are in a loop that runs is
      // unknown, and it is not this runner's to close.
      refuseRunning(loop);
      this.#loop = loop;
      if (debug !== undefined) loop.setDebug(debug);
      this.#context = copyContext();
      this.#state = "initialized";
    }
    return this.#loop;
  }

  /**
   * Cancels the tasks that are left and waits for them, ends the default
   * executor, and closes the loop. Closing it again does nothing but wait for
   * that. A SIGINT meanwhile is heard when it is done, and a second one ends the
   * program.
   *
   * @returns When all has ended.
   * @throws {InvalidStateError} When the loop is running: await what `run` gives
   * first.
   * @throws {KeyboardInterrupt} When a SIGINT came meanwhile.
   */
  async close(): Promise<void> {
    if (this.#state === "initialized") {
      if (this.#loop?.isRunning()) {
        throw new InvalidStateError(
          "Cannot close the runner as its loop is running",
        );
      }
      this.#closing = new Interrupt(SIGINT).during(() => closeLoop(this));
    }
    this.#state = "closed";
    await this.#closing;
  }

  /**
   * Closes the runner at the end of an `await using` block, as
   * {@linkcode Runner.close} does. The tasks that are left are cancelled.
   *
   * @returns When all has ended.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  static {
    runMain = async (runner, fn, { context, signal }, interrupt) => {
      const loop = runner.getLoop();
      const task = loop.createTask(fn, {
        context: context ?? runner.#context!,
        ...(signal === undefined ? undefined : { signal }),
      });
      interrupt.task = task;
      try {
        return await loop.runUntilComplete(task);
      } catch (error) {
        if (!isCancelledError(error)) throw error;
        throw interrupt.isCause() ? error : leaving(error);
      } finally {
        interrupt.task = null;
      }
    };
    closeLoop = async (runner) => {
      runner.#state = "closed";
      const loop = runner.#loop;
      // It could not be made.
      if (loop === null) return;
      try {
        await cancelAllTasks(loop);
        await loop.shutdownDefaultExecutor();
      } finally {
        loop.close();
      }
    };
  }
}

/**
 * Runs the main function of a program: in a new loop, until it is done. Then
 * the tasks that are left are cancelled and waited for, and the loop is closed.
 * Equivalent of `asyncio.run`.
 *
 * SIGINT (Ctrl-C) and SIGTERM cancel the main task, whose `finally` blocks run.
 * When the loop is closed, `run` throws a {@linkcode KeyboardInterrupt} for
 * SIGINT; SIGTERM then ends the program as it ends one that does not listen (a
 * shell sees status 143), so that nothing behind `run` is reached. A main
 * function that catches the cancellation and returns has answered the signal:
 * `run` gives its value, and the program goes on.
 *
 * The same holds if the signal comes after `main` has ended, while the rest is
 * being cancelled. A second signal ends the program at once, and so does the end
 * of `graceMs`: with status 130 for SIGINT.
 *
 * @typeParam T What the function returns.
 *
 * @example A program
 * ```ts
 * import { run, sleep } from "@asyncio/asyncio";
 *
 * async function main() {
 *   console.log("Hello");
 *   await sleep(10);
 *   console.log("World");
 * }
 *
 * await run(main);
 * ```
 *
 * @param main The function.
 * @example Shutting down on SIGTERM, within 5 s
 * ```ts
 * import { isCancelledError, run, sleep } from "@asyncio/asyncio";
 *
 * // Ends with status 0, instead of as killed.
 * await run(async () => {
 *   try {
 *     await sleep(10); // ... serve ...
 *   } catch (error) {
 *     if (!isCancelledError(error)) throw error;
 *     console.log("Goodbye");
 *   }
 * }, { signals: ["SIGTERM"], graceMs: 5000 });
 * ```
 *
 * @param options Debug mode, a loop, a signal, the signals of the system and how
 * long the end may take.
 * @returns What `main` returns.
 * @throws {TypeError} When `main` is not a function, `options` not an object,
 * `graceMs` not a number, or one of the signals no name of one that a program can
 * hear, such as SIGQUIT on Windows.
 * @throws {RangeError} When `graceMs` is NaN.
 * @throws {InvalidStateError} When this code runs in a loop already, or the loop
 * that is given is running or closed.
 * @throws {KeyboardInterrupt} When SIGINT ended it.
 * @throws {CancelledError} When it was cancelled.
 */
export async function run<T>(
  main: TaskFunction<T>,
  options: RunOptions = {},
): Promise<T> {
  checkFunction("run", "main", main);
  checkOptions("run", options, RUN_OPTIONS);
  refuseInsideOfLoop();
  const { debug, loop, signal, dump } = options;
  if (dump !== undefined) checkSignal("run", "dump", dump);
  const signals = options.signals === undefined
    ? defaultSignals()
    : checkSignals("run", options.signals);
  const graceMs = checkSpan("run", "graceMs", options.graceMs ?? Infinity);
  const runner = new Runner({
    ...(debug === undefined ? undefined : { debug }),
    ...(loop === undefined ? undefined : { loopFactory: () => loop }),
  });
  let running: EventLoop | null = null;
  let stopDump: (() => void) | null = null;
  const interrupt = new Interrupt(signals, {
    ms: graceMs,
    left: () => running === null ? [] : allTasks(running),
  });
  try {
    return await interrupt.during(async () => {
      try {
        running = runner.getLoop();
        if (dump !== undefined) stopDump = dumpAt(dump, running);
        return await runMain(
          runner,
          main,
          signal === undefined ? {} : { signal },
          interrupt,
        );
      } finally {
        await closeLoop(runner).finally(() => stopDump?.());
      }
    });
  } catch (error) {
    if (isExitRequest(error)) filterRejections();
    throw error;
  }
}

/**
 * A CancelledError that leaves the loop is an error of its own: no one further
 * out has asked for it, so it may end the program.
 */
function leaving(error: CancelledError): CancelledError {
  const { message, reason, by } = error;
  const escaping = new CancelledError(message, { reason, by, cause: error });
  letEscape(escaping);
  return escaping;
}

/** One cancellation each; a task that ignores it is waited for. */
async function cancelAllTasks(loop: EventLoop): Promise<void> {
  const tasks = [...allTasks(loop)];
  if (tasks.length === 0) return;
  cancelEach(tasks, "The event loop is closing");
  const ends = loop.createTask(() => gather(tasks, { returnExceptions: true }));
  let exitRequest: unknown;
  while (!ends.done()) {
    try {
      await loop.runUntilComplete(ends);
    } catch (error) {
      // One of the tasks ends the program: not before the others have ended.
      if (!isExitRequest(error)) throw error;
      exitRequest ??= error;
    }
  }
  for (const task of tasks) {
    if (task.cancelled()) continue;
    const error = task.exception();
    if (error === undefined || isExitRequest(error)) continue;
    loop.callExceptionHandler({
      message: "Unhandled exception during the shutdown of run()",
      error,
      task,
    });
  }
  if (exitRequest !== undefined) throw exitRequest;
}

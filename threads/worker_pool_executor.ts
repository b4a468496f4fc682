import { checkFunction, checkInteger, checkSpan } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { isCancelledError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { provideDefaultExecutor } from "../loop/default_executor.ts";
import type { Future } from "../loop/future.ts";
import { interruption } from "../loop/scope.ts";
import type { Executor } from "../loop/types.ts";
import { Wait } from "../loop/wait.ts";
import { can, refusal, THREAD_LIMITS, THREADS } from "../platform/limits.ts";
import { hostThreads } from "../platform/threads.ts";
import type { HostResourceLimits } from "../platform/types/threads.ts";
import { CapacityLimiter } from "../sync/capacity_limiter.ts";
import { untilAborted } from "../tasks/until_aborted.ts";
import { Pool } from "./_pool.ts";
import { describeFunction, sourceOf } from "./_source.ts";
import { moduleUrl, type Promised, proxyOf } from "./module_proxy.ts";

/** How long a cancelled job may take to end before its worker is ended. */
const GRACE_MS = 1000;

/** Options of {@linkcode WorkerPoolExecutor}. */
export interface WorkerPoolExecutorOptions {
  /**
   * How many workers there are at most; each starts when it is first needed.
   *
   * @default {one for each core}
   */
  maxWorkers?: number | undefined;
  /**
   * How long a job that was cancelled may take to end, in milliseconds, before
   * its worker is ended; below 0 as 0. `Infinity`: as long as it likes.
   *
   * @default {1000}
   */
  graceMs?: number | undefined;
  /**
   * Functions of this thread that the jobs may call by their names, with
   * `runCoroutineThreadsafe`.
   *
   * @default {none}
   */
  exposed?: Readonly<Record<string, (...args: never) => unknown>> | undefined;
  /**
   * How much memory a worker may take. A job that takes more fails with a
   * {@linkcode BrokenWorkerError}, and another worker takes the place of its own.
   * V8 ends a worker in time only if the memory grows in small pieces: a single
   * piece that exceeds the limit by more than some 16 MB, such as the table of a
   * `Map` of a million entries, ends the whole process.
   *
   * @default {what the host gives each thread}
   */
  resourceLimits?: WorkerResourceLimits | undefined;
  /**
   * Lends a token to each job that runs, on behalf of its future: for several
   * executors, or tasks besides, that may do so much at a time together. Its
   * `totalTokens` can be changed while they run.
   *
   * @default {none but `maxWorkers`}
   */
  limiter?: CapacityLimiter | undefined;
}

/**
 * The memory of one worker, in megabytes; what is not given is up to the host.
 */
export interface WorkerResourceLimits {
  /**
   * How large its heap may become, but for what is young.
   *
   * @default {the limit of this thread}
   */
  maxOldGenerationSizeMb?: number | undefined;
  /**
   * How large the part of its heap for young objects may become.
   *
   * @default {12 if `maxOldGenerationSizeMb` is given, otherwise up to the host}
   */
  maxYoungGenerationSizeMb?: number | undefined;
  /**
   * How much there is for compiled code.
   *
   * @default {up to the host}
   */
  codeRangeSizeMb?: number | undefined;
  /**
   * How large its stack may become: how deep functions may call each other.
   *
   * @default {4}
   */
  stackSizeMb?: number | undefined;
}

const RESOURCE_LIMITS = new OptionNames<WorkerResourceLimits>({
  maxOldGenerationSizeMb: true,
  maxYoungGenerationSizeMb: true,
  codeRangeSizeMb: true,
  stackSizeMb: true,
});

const EXECUTOR_OPTIONS = new OptionNames<WorkerPoolExecutorOptions>({
  maxWorkers: true,
  graceMs: true,
  exposed: true,
  resourceLimits: RESOURCE_LIMITS,
  limiter: true,
}, { number: "maxWorkers" });

/** Options of {@linkcode WorkerPoolExecutor.shutdown}. */
export interface ExecutorShutdownOptions {
  /**
   * Whether to wait until the workers have ended.
   *
   * @default {true}
   */
  wait?: boolean | undefined;
  /**
   * Whether the jobs are cancelled, those that run as well as those that do not
   * yet.
   *
   * @default {false}
   */
  cancelFutures?: boolean | undefined;
  /**
   * Ends the wait when it is aborted, and throws its reason; the executor is shut
   * down all the same, unless it is aborted already.
   */
  signal?: AbortSignal | undefined;
}

const SHUTDOWN_OPTIONS = new OptionNames<ExecutorShutdownOptions>({
  wait: "boolean",
  cancelFutures: "boolean",
  signal: "signal",
}, { boolean: "wait" });

/** What {@linkcode WorkerPoolExecutor.statistics} gives. */
export interface WorkerPoolExecutorStatistics {
  /** How many workers there may be. */
  readonly maxWorkers: number;
  /** How many there are. */
  readonly workers: number;
  /** How many of them have a job. */
  readonly running: number;
  /** How many jobs wait for a worker, or for a token of the limiter. */
  readonly queued: number;
}

/**
 * Runs functions in worker threads, so that work for the processor leaves this
 * thread free and takes all cores. Equivalent of
 * `concurrent.futures.ThreadPoolExecutor`.
 *
 * A worker does one job at a time, and is kept for the next. Workers that have
 * none do not keep the program alive. What a job does to its worker, the global
 * object or a module's variables, stays there for later ones.
 *
 * A job that ends its worker, by an error that nothing catches, by running out of
 * memory or by `process.exit()`, fails with a {@linkcode BrokenWorkerError} and hurts no
 * other.
 *
 * @example The functions of a module, on two cores
 * ```ts
 * import { gather, WorkerPoolExecutor } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
 * const path = executor.module<typeof import("node:path/posix")>(
 *   "node:path/posix",
 * );
 * const names = await gather([
 *   path.basename("/tmp/one.txt"),
 *   path.basename("/tmp/two.txt", ".txt"),
 * ]);
 * assertEquals(names, ["one.txt", "two"]);
 * ```
 */
export class WorkerPoolExecutor implements Executor, AsyncDisposable {
  readonly #pool: Pool;

  /**
   * Makes an executor that has no workers yet.
   *
   * @param options How many workers, what they may call, their grace and limits.
   * @throws {TypeError} When an option is of the wrong kind.
   * @throws {RangeError} When `maxWorkers` is less than 1 or no whole number, or
   * `graceMs` is NaN, or a limit is not above 0.
   * @throws {OSError} If there are no threads, as on workerd, or
   * `resourceLimits` on Bun, which has none.
   */
  constructor(options: WorkerPoolExecutorOptions = {}) {
    const action = "create an executor";
    checkOptions(action, options, EXECUTOR_OPTIONS);
    if (!can(THREADS)) throw refusal(THREADS, action);
    const {
      maxWorkers = hostThreads.parallelism(),
      graceMs = GRACE_MS,
      exposed = {},
      resourceLimits,
      limiter,
    } = options;
    checkInteger(action, "maxWorkers", maxWorkers, 1);
    const grace = checkSpan(action, "graceMs", graceMs);
    const functions = new Map(Object.entries(exposed));
    for (const [name, fn] of functions) {
      checkFunction(action, `exposed.${name}`, fn);
    }
    if (limiter !== undefined && !(limiter instanceof CapacityLimiter)) {
      throw new TypeError(
        `Cannot ${action} as 'limiter' must be a CapacityLimiter: received ${
          show(limiter)
        }`,
      );
    }
    this.#pool = new Pool(
      maxWorkers,
      grace,
      functions,
      resourceLimits === undefined ? null : checkLimits(action, resourceLimits),
      limiter ?? null,
    );
  }

  /**
   * Runs a function in a worker. What it may refer to, how it is cancelled and
   * what becomes of its arguments is the same as for {@linkcode toThread}.
   *
   * @example The default executor is none other
   * ```ts
   * import { WorkerPoolExecutor } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
   * assertEquals(await executor.submit((a, b) => a * b, 6, 7), 42);
   * ```
   *
   * @typeParam A What the function takes.
   * @typeParam R What it returns.
   * @param fn The function; it uses nothing from around it.
   * @param args Its arguments.
   * @returns A future of what it returns, with what it throws as the error.
   * @throws {TypeError} When `fn` is not a function that can run without what is around it, or an
   * argument cannot be cloned.
   * @throws {InvalidStateError} When the executor is shut down, or the loop is
   * closed.
   */
  submit<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>> {
    checkFunction("run in a worker", "fn", fn);
    const { name } = fn;
    return this.#pool.submit<Awaited<R>>(
      { source: sourceOf(fn), module: "", name },
      describeFunction(name),
      args,
    );
  }

  /**
   * Gives the functions that a module exports, to be called in a worker. It is
   * imported there, once in each worker, when a first function is called. It can
   * import what it needs; what it keeps in variables, each worker has for
   * itself.
   *
   * If the module loads this library, each call is a task in its worker: a
   * cancellation interrupts its waits, and it sees the context variables of the
   * caller, which are told apart by their names.
   *
   * @example Of a file beside this one
   * ```ts ignore
   * const work = executor.module<typeof import("./work.ts")>(
   *   new URL("./work.ts", import.meta.url),
   * );
   * const primes = await work.countPrimes(1_000_000);
   * ```
   *
   * @typeParam M The module: `typeof import("./work.ts")`.
   * @param specifier Where it is: a URL, or what `import()` takes but for a
   * relative path.
   * @returns An object with the module's functions, each of which gives a future.
   * @throws {TypeError} When `specifier` is relative, or is neither a URL nor a
   * string.
   */
  module<M>(specifier: string | URL): Promised<M> {
    const module = moduleUrl(specifier);
    return proxyOf<M>((name, args) =>
      this.#pool.submit(
        { source: null, module, name },
        `${name} of ${module}`,
        args,
      )
    );
  }

  /**
   * Takes no more jobs, and ends the workers after those it has. Can be called
   * again, for example to cancel what takes too long.
   *
   * @example Giving up what is left
   * ```ts
   * import { WorkerPoolExecutor } from "@asyncio/asyncio";
   * import { assert } from "@std/assert";
   *
   * const executor = new WorkerPoolExecutor({ graceMs: 50 });
   * const job = executor.submit(() => {
   *   while (true);
   * });
   * await executor.shutdown({ cancelFutures: true });
   * assert(job.cancelled());
   * ```
   *
   * @param options Whether to wait, and whether to cancel.
   * @returns When the workers have ended; at once with `wait: false`.
   * @throws {CancelledError} When the task is cancelled; the executor is shut
   * down all the same.
   * @throws The reason of `signal`, when it is aborted; the executor is shut down
   * all the same, unless it was aborted before.
   */
  shutdown(options: ExecutorShutdownOptions = {}): Promise<void> {
    checkOptions("shut down an executor", options, SHUTDOWN_OPTIONS);
    const { wait = true, cancelFutures = false, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const pool = this.#pool;
    pool.shutDown();
    if (cancelFutures) pool.cancelAll("The executor was shut down");
    return wait ? waitFor(pool, signal) : Promise.resolve();
  }

  /**
   * How busy it is.
   *
   * @returns The numbers of now.
   */
  statistics(): WorkerPoolExecutorStatistics {
    const { maxWorkers, workers, running, queued } = this.#pool;
    return Object.freeze({ maxWorkers, workers, running, queued });
  }

  /**
   * Shuts it down at the end of an `await using` block, after the jobs it has.
   * If the task is cancelled meanwhile, the jobs are.
   *
   * @returns When the workers have ended.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.shutdown();
    } catch (error) {
      if (isCancelledError(error)) {
        this.#pool.cancelAll("The executor was shut down");
        await this.#pool.whenEnded();
      }
      throw error;
    }
  }

  /**
   * The executor and its state.
   *
   * @returns For example `<WorkerPoolExecutor 1 of 2 workers running, 0 queued>`.
   */
  toString(): string {
    const { workers, running, queued, isShutDown } = this.#pool;
    const state = isShutDown ? ", shut down" : "";
    return `<WorkerPoolExecutor ${running} of ${workers} workers running, ${queued} queued${state}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "WorkerPoolExecutor";
  }

  static {
    inspectByToString(this.prototype);
  }
}

function checkLimits(action: string, limits: unknown): HostResourceLimits {
  if (typeof limits !== "object" || limits === null) {
    throw new TypeError(
      `Cannot ${action} as 'resourceLimits' must be an object: received ${
        show(limits)
      }`,
    );
  }
  const given = Object.entries(limits).filter(([, mb]) => mb !== undefined);
  for (const [name, mb] of given) {
    if (typeof mb !== "number") {
      throw new TypeError(
        `Cannot ${action} as 'resourceLimits.${name}' must be a number of megabytes: received ${
          show(mb)
        }`,
      );
    }
    if (!(mb > 0 && mb < Infinity)) {
      throw new RangeError(
        `Cannot ${action} as 'resourceLimits.${name}' must be above 0 and finite: received ${mb}`,
      );
    }
  }
  if (!can(THREAD_LIMITS)) {
    throw refusal(THREAD_LIMITS, `${action} with 'resourceLimits'`);
  }
  return Object.fromEntries(given);
}

/** A wait of the task if there is a loop to run it, otherwise a plain promise. */
function waitFor(pool: Pool, signal: AbortSignal | undefined): Promise<void> {
  const ended = pool.whenEnded();
  return currentScope().kernel.isRunning
    ? untilAborted(signal, () => waitInLoop(ended))
    : signal === undefined
    ? ended
    : waitOutside(ended, signal);
}

function waitOutside(ended: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    ended.then(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
  });
}

function waitInLoop(ended: Promise<void>): Promise<void> {
  const scope = currentScope();
  const interrupted = interruption(scope);
  if (interrupted !== null) return interrupted;
  const wait = new Wait<void>(scope, {
    abandon() {},
    describe: () => "WorkerPoolExecutor.shutdown",
  });
  ended.then(() => {
    if (wait.isPending()) wait.settle(undefined);
  });
  return wait.promise;
}

/** Lets each loop make its default executor here, if it has none. */
export function useWorkerPools(): void {
  provideDefaultExecutor(makeWorkerPool);
}

function makeWorkerPool(): WorkerPoolExecutor {
  return new WorkerPoolExecutor();
}

// deno-lint-ignore asyncio/no-import-effects -- who relies on it calls it again
useWorkerPools();

import { checkOneOf, checkSpan } from "../_internal/check.ts";
import { OptionNames } from "../_internal/options.ts";
import { currentScope } from "../loop/current.ts";
import { Completion, type Future, futureInternals } from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Timer } from "../loop/timer_heap.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import type { Awaitable, AwaitedResult, Runnable } from "../loop/types.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";
import { checkAwaitable, checkList, type ListCall } from "./_awaitables.ts";
import { ensureFuture } from "./create_task.ts";
import { untilAborted } from "./until_aborted.ts";

/** When `wait` returns. */
export type ReturnWhen =
  | "FIRST_COMPLETED"
  | "FIRST_EXCEPTION"
  | "ALL_COMPLETED";

/** Options of {@linkcode wait}. */
export interface WaitOptions {
  /**
   * How long to wait, in milliseconds; below 0 as 0.
   *
   * @default {as long as it takes}
   */
  timeout?: number | null | undefined;
  /**
   * When to return: with the first that is done, the first that fails, or when
   * all are done.
   *
   * @default {"ALL_COMPLETED"}
   */
  returnWhen?: ReturnWhen | undefined;
  /** Ends the wait when it is aborted, and throws its reason; cancels nothing. */
  signal?: AbortSignal | undefined;
}

/** What is done and what is not. */
export interface WaitResult<T> {
  /** The futures that are done. */
  done: Set<Future<T>>;
  /** The futures that are not. */
  pending: Set<Future<T>>;
}

const WAIT: ListCall = {
  action: "wait",
  name: "wait",
  kind: "an iterable of awaitables",
  options: new OptionNames<WaitOptions>(
    { timeout: true, returnWhen: true, signal: "signal" },
    { number: "timeout", string: "returnWhen" },
  ),
};

const RETURN_WHEN: readonly string[] = [
  "FIRST_COMPLETED",
  "FIRST_EXCEPTION",
  "ALL_COMPLETED",
] satisfies ReturnWhen[];

/**
 * Waits for several futures, and says which are done. It cancels nothing, not
 * even when it is cancelled itself or its time is over, and throws none of
 * their errors. Equivalent of `asyncio.wait`.
 *
 * @typeParam T What the futures come to.
 *
 * @example The first of two
 * ```ts
 * import { createTask, sleep, wait } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const quick = createTask(() => sleep(1));
 * const slow = createTask(() => sleep(60_000));
 * const { done, pending } = await wait([quick, slow], {
 *   returnWhen: "FIRST_COMPLETED",
 * });
 * assert(done.has(quick) && pending.has(slow));
 * slow.cancel();
 * ```
 *
 * @param aws Futures; functions, which are started as tasks; promises. At least
 * one.
 * @param options How long to wait, and for what.
 * @returns The futures that are done and those that are not.
 * @throws {TypeError} When `aws` holds something else, or `options` is not an
 * object or of an unknown name.
 * @throws {RangeError} When `aws` is empty, or an option has no such value.
 * @throws {CancelledError} When the task is cancelled.
 * @throws The signal's reason, when it is aborted; before, nothing is started.
 */
export function wait<T>(
  aws: Iterable<Awaitable<T>>,
  options?: WaitOptions,
): Promise<WaitResult<T>>;
/**
 * The same for futures of several kinds.
 *
 * @typeParam A The union of what is waited for.
 * @param aws Futures; functions, which are started as tasks; promises.
 * @param options How long to wait, and for what.
 * @returns The futures that are done and those that are not.
 */
export function wait<A extends Awaitable<unknown>>(
  aws: Iterable<A>,
  options?: WaitOptions,
): Promise<WaitResult<AwaitedResult<A>>>;
export async function wait(
  aws: Iterable<Awaitable<unknown>>,
  options: WaitOptions = {},
): Promise<WaitResult<unknown>> {
  checkList(WAIT, aws, options);
  const { timeout = null, returnWhen = "ALL_COMPLETED", signal } = options;
  const limit = timeout === null ? null : checkSpan("wait", "timeout", timeout);
  checkOneOf("wait", "returnWhen", returnWhen, RETURN_WHEN);
  signal?.throwIfAborted();
  const futures = futureSet(aws);
  if (futures.size === 0) {
    throw new RangeError(
      "Cannot wait as 'aws' must hold at least one awaitable: received none",
    );
  }
  const interrupted = interruption(currentScope());
  if (interrupted !== null) return await interrupted;
  const watch = new Watch(currentScope().kernel, futures, returnWhen);
  if (!watch.satisfied) {
    await untilAborted(signal, () => watch.wait(currentScope(), limit));
  }
  return partition(futures);
}

/** The distinct futures of a list; nothing is started if one is wrong. */
export function futureSet<T>(aws: Iterable<Awaitable<T>>): Set<Future<T>> {
  const distinct = new Set(aws);
  for (const each of distinct) checkAwaitable(each);
  const futures = new Set<Future<T>>();
  for (const each of distinct) futures.add(ensureFuture(each));
  return futures;
}

function partition<T>(futures: Set<Future<T>>): WaitResult<T> {
  const done = new Set<Future<T>>();
  const pending = new Set<Future<T>>();
  for (const future of futures) (future.done() ? done : pending).add(future);
  return { done, pending };
}

/** Watches a set of futures until enough of them are done. */
class Watch implements Timer, Runnable, WaitSource {
  readonly runsCode = false;
  readonly #kernel: Kernel;
  readonly #futures: Set<Future<unknown>>;
  readonly #returnWhen: ReturnWhen;
  readonly #completions: Completion<unknown>[] = [];
  #pending = 0;
  #wait: Wait<void> | null = null;
  deadline = Infinity;
  order = 0;
  heapIndex = -1;

  constructor(
    kernel: Kernel,
    futures: Set<Future<unknown>>,
    returnWhen: ReturnWhen,
  ) {
    this.#kernel = kernel;
    this.#futures = futures;
    this.#returnWhen = returnWhen;
    for (const future of futures) if (!future.done()) this.#pending++;
  }

  get satisfied(): boolean {
    if (this.#pending === 0) return true;
    if (this.#pending === this.#futures.size) return false;
    for (const future of this.#futures) if (this.#isEnough(future)) return true;
    return false;
  }

  wait(scope: Scope, timeout: number | null): Promise<void> {
    this.#wait = new Wait<void>(scope, this);
    const done = (future: Future<unknown>) => this.#done(future);
    const awaiters = () => scope.task === null ? [] : [scope.task];
    for (const future of this.#futures) {
      if (future.done()) continue;
      this.#completions.push(new Completion(future, done, false, awaiters));
    }
    if (timeout !== null) {
      this.deadline = this.#kernel.now() + timeout;
      this.order = this.#kernel.nextTimerOrder();
      this.#kernel.addTimer(this);
    }
    return this.#wait.promise;
  }

  abandon(): void {
    this.#kernel.removeTimer(this);
    for (const completion of this.#completions) completion.unsubscribe();
  }

  due(): void {
    this.#kernel.push(this);
  }

  get mayComeLater(): boolean {
    return true;
  }

  /** The time is over. */
  run(): void {
    this.#end();
  }

  describe(): string {
    return `wait() for ${this.#futures.size} futures`;
  }

  #done(future: Future<unknown>): void {
    if (--this.#pending === 0 || this.#isEnough(future)) this.#end();
  }

  #isEnough(future: Future<unknown>): boolean {
    return future.done() && (this.#returnWhen === "FIRST_COMPLETED" ||
      (this.#returnWhen === "FIRST_EXCEPTION" &&
        futureInternals.state(future) === "failed"));
  }

  #end(): void {
    if (this.#wait?.isPending() !== true) return;
    this.abandon();
    this.#wait.settle();
  }
}

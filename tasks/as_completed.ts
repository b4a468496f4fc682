import { forCaller } from "../_internal/caller_frame.ts";
import { checkDuration } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { TimeoutError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { Completion, type Future } from "../loop/future.ts";
import type { Timer } from "../loop/timer_heap.ts";
import { takeCancellation } from "../loop/scope.ts";
import type { Awaitable, AwaitedResult, Runnable } from "../loop/types.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { checkList, futureSet } from "./wait.ts";

/** Options of {@linkcode asCompleted}. */
export interface AsCompletedOptions {
  /**
   * How long to wait for all of them, in milliseconds.
   *
   * @default {as long as it takes}
   */
  timeout?: number | null | undefined;
}

const AS_COMPLETED_OPTIONS = new OptionNames<AsCompletedOptions>(
  { timeout: true },
  { number: "timeout" },
);

/**
 * A future that is done, as `for await` over {@linkcode asCompleted} gives it:
 * the very object that was passed in. Its type has no `then`, as TypeScript
 * takes whatever has one for awaited there; look at its `result()`.
 */
export type DoneFuture<T> = Omit<Future<T>, "then" | "catch" | "finally">;

/** What {@linkcode asCompleted} gives: to iterate over once, either way. */
export interface AsCompleted<T>
  extends AsyncIterable<DoneFuture<T>>, Iterable<Promise<T>> {}

/**
 * Gives futures in the order in which they are done. Answers to
 * `asyncio.as_completed`.
 *
 * With `for await` it gives the very futures that were passed in, done; with a
 * plain `for` a promise for each place in the order.
 *
 * @typeParam T What the futures come to.
 *
 * @example In the order of their ends
 * ```ts
 * import { asCompleted, createTask, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const slow = createTask(() => sleep(10, "slow"));
 * const quick = createTask(() => sleep(1, "quick"));
 * const order: string[] = [];
 * for await (const future of asCompleted([slow, quick])) {
 *   order.push(future.result());
 * }
 * assertEquals(order, ["quick", "slow"]);
 * ```
 *
 * @param aws Futures; functions, which are started as tasks; promises.
 * @param options How long to wait.
 * @returns An iterable, once. Its waits throw a {@linkcode TimeoutError} when
 * the time is over; that cancels nothing.
 * @throws {TypeError} When `aws` holds something else, or `options` is not an
 * object or of an unknown name.
 */
export function asCompleted<T>(
  aws: Iterable<Awaitable<T>>,
  options?: AsCompletedOptions,
): AsCompleted<T>;
/**
 * The same for futures of several kinds.
 *
 * @typeParam A The union of what is waited for.
 * @param aws Futures; functions, which are started as tasks; promises.
 * @param options How long to wait.
 * @returns An iterable, once.
 */
export function asCompleted<A extends Awaitable<unknown>>(
  aws: Iterable<A>,
  options?: AsCompletedOptions,
): AsCompleted<AwaitedResult<A>>;
export function asCompleted(
  aws: Iterable<Awaitable<unknown>>,
  options: AsCompletedOptions = {},
): AsCompleted<unknown> {
  checkList("asCompleted", aws);
  checkOptions("wait", options, AS_COMPLETED_OPTIONS);
  const { timeout = null } = options;
  if (timeout !== null) checkDuration("wait", "timeout", timeout);
  return new CompletionOrder(futureSet(aws), timeout);
}

/**
 * A future that is done, in an object: a promise of the future itself would
 * wait for it and give its result.
 */
type Done<T> = IteratorYieldResult<Future<T>>;

class CompletionOrder<T> implements AsCompleted<T>, Runnable, Timer {
  readonly runsCode = false;
  readonly #kernel = currentScope().kernel;
  readonly #done = new RingBuffer<Done<T>>();
  readonly #waiters = new WaitQueue<Done<T>>("asCompleted()");
  readonly #completions: Completion<T>[] = [];
  #pending: number;
  /** How many places of the order were not given out yet. */
  #left: number;
  #late = false;
  deadline = Infinity;
  order = 0;
  heapIndex = -1;

  constructor(futures: Set<Future<T>>, timeout: number | null) {
    this.#pending = this.#left = futures.size;
    const completed = (future: Future<T>) => this.#completed(future);
    const awaiters = () => this.#waiters.tasks();
    for (const future of futures) {
      this.#completions.push(
        new Completion(future, completed, false, awaiters),
      );
    }
    if (timeout !== null && futures.size > 0) {
      this.deadline = this.#kernel.now() + timeout;
      this.order = this.#kernel.nextTimerOrder();
      this.#kernel.addTimer(this);
    }
  }

  *[Symbol.iterator](): Iterator<Promise<T>> {
    while (this.#left > 0) {
      this.#left--;
      yield this.#next().then(({ value }) => value.result());
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<DoneFuture<T>, undefined> {
    const end = { done: true, value: undefined } as const;
    return {
      next: async () => {
        if (this.#left === 0) return end;
        this.#left--;
        try {
          return await this.#next();
        } catch (error) {
          // The wait was cancelled, and its place is still to be given out.
          this.#left++;
          throw error;
        }
      },
      return: () => {
        this.#left = 0;
        this.#stop();
        return Promise.resolve(end);
      },
    };
  }

  due(): void {
    this.#kernel.push(this);
  }

  /** The time is over. */
  run(): void {
    if (this.#pending === 0) return;
    this.#late = true;
    this.#stop();
    this.#waiters.failAll(() => forCaller(lateError()));
  }

  describe(): string {
    return "asCompleted()";
  }

  #next(): Promise<Done<T>> {
    const scope = currentScope();
    const cancelled = takeCancellation(scope);
    if (cancelled !== null) return Promise.reject(cancelled);
    const done = this.#done.shift();
    if (done !== undefined) return scope.kernel.succeed(scope, done);
    if (this.#late) return Promise.reject(lateError());
    return this.#waiters.wait(scope);
  }

  #completed(future: Future<T>): void {
    if (--this.#pending === 0) this.#kernel.removeTimer(this);
    const done: Done<T> = { done: false, value: future };
    if (!this.#waiters.settleFirst(done)) this.#done.push(done);
  }

  #stop(): void {
    this.#kernel.removeTimer(this);
    for (const completion of this.#completions) completion.unsubscribe();
  }
}

function lateError(): TimeoutError {
  return new TimeoutError("The time is over");
}

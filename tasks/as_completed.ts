import { forCaller } from "../_internal/caller_frame.ts";
import { checkSpan } from "../_internal/check.ts";
import { OptionNames } from "../_internal/options.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { isCancelledError, TimeoutError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { Completion, type Future } from "../loop/future.ts";
import type { Timer } from "../loop/timer_heap.ts";
import { interruption } from "../loop/scope.ts";
import type { Awaitable, AwaitedResult, Runnable } from "../loop/types.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { checkList, type ListCall } from "./_awaitables.ts";
import { timeIsOver } from "./_late.ts";
import { untilAborted } from "./until_aborted.ts";
import { futureSet } from "./wait.ts";

/** Options of {@linkcode asCompleted}. */
export interface AsCompletedOptions {
  /**
   * How long to wait for all of them, in milliseconds from the call on; below 0
   * as 0.
   *
   * @default {as long as it takes}
   */
  timeout?: number | null | undefined;
  /** Ends its waits when it is aborted: they throw the signal's reason. */
  signal?: AbortSignal | undefined;
}

const AS_COMPLETED: ListCall = {
  action: "wait",
  name: "asCompleted",
  kind: "an iterable of awaitables",
  options: new OptionNames<AsCompletedOptions>(
    { timeout: true, signal: "signal" },
    { number: "timeout" },
  ),
};

/**
 * A future that is done, as `for await` over {@linkcode asCompleted} gives it:
 * the very object that was passed in. Its type has no `then`, as TypeScript
 * takes whatever has one for awaited there; look at its `result()`.
 */
export type DoneFuture<T> = Omit<Future<T>, "then" | "catch" | "finally">;

/**
 * What {@linkcode asCompleted} gives: to iterate over once, either way. A loop
 * that is left early can be followed by another, which gets the rest.
 */
export interface AsCompleted<T>
  extends AsyncIterable<DoneFuture<T>>, Iterable<Promise<T>> {}

/**
 * Gives futures in the order in which they are done. Equivalent of
 * `asyncio.as_completed`.
 *
 * With `for await` it gives the very futures that were passed in, done; with a
 * plain `for` a promise for each place in the order. A loop that was left can be
 * gone on with: another one over the same object gives the rest.
 *
 * @typeParam T What the futures come to.
 *
 * @example In the order of their ends
 * ```ts
 * import { asCompleted, createTask, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const slow = createTask(() => sleep(100, "slow"));
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
 * @returns An iterable that gives each place once. Its waits throw a {@linkcode TimeoutError} when
 * the time is over, and the reason of `signal` when that is aborted; neither
 * cancels anything, nor takes a place.
 * @throws {TypeError} When `aws` holds something else, or `options` is not an
 * object or of an unknown name.
 * @throws The reason of `signal`, if it is aborted already; nothing is started.
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
  checkList(AS_COMPLETED, aws, options);
  const { timeout = null, signal } = options;
  const limit = timeout === null ? null : checkSpan("wait", "timeout", timeout);
  signal?.throwIfAborted();
  return new CompletionOrder(futureSet(aws), limit, signal);
}

/**
 * A future that is done, in an object: a promise of the future itself would
 * wait for it and give its result.
 */
type Done<T> = IteratorYieldResult<Future<T>>;

class CompletionOrder<T> implements AsCompleted<T>, Runnable, Timer {
  readonly runsCode = false;
  readonly #kernel = currentScope().kernel;
  /** Of these one is reserved for each who was granted a turn. */
  readonly #done = new RingBuffer<Done<T>>();
  readonly #waiters = new WaitQueue<Done<T>>("asCompleted()", {
    take: () => this.#done.shift()!,
    takeBack: () => this.#offer(),
  });
  /** What is not done, with what tells when it is: none while nobody waits. */
  readonly #pending = new Map<Future<T>, Completion<T> | null>();
  /** How many places of the order were not given out yet. */
  #left: number;
  #late = false;
  #isResting = false;
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  deadline = Infinity;
  order = 0;
  heapIndex = -1;

  constructor(
    futures: Set<Future<T>>,
    timeout: number | null,
    signal: AbortSignal | undefined,
  ) {
    this.#timeout = timeout ?? Infinity;
    this.#signal = signal;
    this.#left = futures.size;
    for (const future of futures) this.#pending.set(future, null);
    if (timeout !== null) this.deadline = this.#kernel.now() + timeout;
    this.#watch();
  }

  *[Symbol.iterator](): Iterator<Promise<T>> {
    try {
      while (this.#left > 0) yield new Place(this.#takePlace());
    } finally {
      this.#restIfIdle();
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<DoneFuture<T>, undefined> {
    const end = { done: true, value: undefined } as const;
    return {
      next: () => this.#left === 0 ? Promise.resolve(end) : this.#takePlace(),
      return: () => {
        this.#restIfIdle();
        return Promise.resolve(end);
      },
    };
  }

  due(): void {
    this.#kernel.push(this);
  }

  get mayComeLater(): boolean {
    return true;
  }

  /** The time is over. */
  run(): void {
    if (this.#pending.size === 0) return;
    this.#late = true;
    this.#rest();
    this.#waiters.failAll(() => forCaller(lateError(this.#timeout)));
  }

  describe(): string {
    return "asCompleted()";
  }

  async #takePlace(): Promise<Done<T>> {
    this.#left--;
    try {
      return await untilAborted(this.#signal, () => this.#next());
    } catch (error) {
      // The wait was cancelled, and its place is still to be given out.
      if (isCancelledError(error) || this.#isAbortion(error)) this.#left++;
      this.#restIfIdle();
      throw error;
    }
  }

  #isAbortion(error: unknown): boolean {
    const signal = this.#signal;
    return signal !== undefined && signal.aborted && error === signal.reason;
  }

  #next(): Promise<Done<T>> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isFree()) return scope.kernel.succeed(scope, this.#done.shift()!);
    if (this.#late) return Promise.reject(lateError(this.#timeout));
    if (this.#isResting) this.#watch();
    return this.#waiters.wait(scope);
  }

  #completed(future: Future<T>): void {
    // It rested, and came back, while this was on its way.
    if (!this.#pending.delete(future)) return;
    if (this.#pending.size === 0) this.#kernel.removeTimer(this);
    this.#done.push({ done: false, value: future });
    this.#offer();
  }

  #isFree(): boolean {
    return this.#done.size > this.#waiters.grantedSize;
  }

  #offer(): void {
    if (this.#isFree()) this.#waiters.settleFirst(this.#done.peek()!);
  }

  /** Whoever waits may come back; until then it leaves nothing on the futures. */
  #rest(): void {
    this.#isResting = true;
    this.#kernel.removeTimer(this);
    for (const [future, completion] of this.#pending) {
      completion?.unsubscribe();
      this.#pending.set(future, null);
    }
  }

  #restIfIdle(): void {
    if (this.#waiters.size === 0 && !this.#isResting) this.#rest();
  }

  #watch(): void {
    this.#isResting = false;
    if (this.#pending.size === 0) return;
    const completed = (future: Future<T>) => this.#completed(future);
    const awaiters = () => this.#waiters.tasks();
    for (const future of this.#pending.keys()) {
      const completion = new Completion(future, completed, false, awaiters);
      this.#pending.set(future, completion);
    }
    if (this.deadline === Infinity) return;
    this.order = this.#kernel.nextTimerOrder();
    this.#kernel.addTimer(this);
  }
}

/**
 * A place of the order. Awaited or not, it has its future, whose error is taken
 * from it, and so need not be reported, only once somebody asks the place.
 */
class Place<T> extends Promise<T> {
  readonly #take: Promise<() => T>;

  constructor(done: Promise<Done<T>>) {
    super(() => {});
    // One reaction to each promise, so that the engine finds who awaits it.
    this.#take = done.then(
      ({ value }) => () => value.result(),
      (error) => () => {
        throw error;
      },
    );
  }

  /** What `then` and its kin give is a promise like any other. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#take.then((take) => take()).then(onFulfilled, onRejected);
  }
}

function lateError(timeout: number): TimeoutError {
  return new TimeoutError(timeIsOver(timeout));
}

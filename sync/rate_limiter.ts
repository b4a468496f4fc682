import { checkDelay, checkFunction, checkInteger } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { currentScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import type { Timer } from "../loop/timer_heap.ts";
import type { Runnable } from "../loop/types.ts";
import { WaitQueue } from "../loop/wait_queue.ts";

/** What {@linkcode RateLimiter.statistics} gives. */
export interface RateLimiterStatistics {
  /** How many may begin in a window. */
  readonly count: number;
  /** The length of the window, in milliseconds. */
  readonly perMs: number;
  /** How many of these the window that ends now has left. */
  readonly available: number;
  /** How many wait. */
  readonly waiters: number;
}

/** How many began at once. */
interface Use {
  readonly at: number;
  count: number;
}

/**
 * Limits how many things begin in any span of a given length: a sliding
 * window, so that no such span has more of them, as some have with a
 * token bucket or with windows that begin at the full second. Unused rate is not
 * saved up beyond the window.
 *
 * It is fair, first come, first served, and one that wants many is not starved.
 * Time is that of the loop, so tests can have it virtual. asyncio has nothing
 * like it.
 *
 * | operation  | cost                                               |
 * | ---------- | -------------------------------------------------- |
 * | acquire    | O(1), and what leaves the window, once             |
 * | tryAcquire | O(1), and what leaves the window, once             |
 * | cancel     | O(1)                                               |
 * | memory     | O(`count`), less if several began at once       |
 *
 * @example Two requests in ten milliseconds
 * ```ts
 * import { getRunningLoop, RateLimiter } from "@asyncio/asyncio";
 * import { runVirtual } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await runVirtual(async () => {
 *   const limiter = new RateLimiter(2, 10);
 *   const times: number[] = [];
 *   for (let request = 0; request < 5; request++) {
 *     await limiter.acquire();
 *     times.push(getRunningLoop().time());
 *   }
 *   assertEquals(times, [0, 0, 10, 10, 20]);
 * });
 * ```
 */
export class RateLimiter {
  readonly #count: number;
  readonly #perMs: number;
  /** What began within the window, the oldest first. */
  readonly #uses = new RingBuffer<Use>();
  /** How many these are in all. */
  #used = 0;
  /** Granted to waiters that have not had their turn: they have not begun. */
  #reserved = 0;
  readonly #waiters: WaitQueue<void, number> = new WaitQueue(
    "RateLimiter.acquire",
    {
      owner: this,
      take: ({ scope, brought }) => {
        this.#reserved -= brought;
        this.#use(scope.kernel, brought);
      },
      takeBack: ({ scope, brought }) => {
        this.#reserved -= brought;
        this.#letIn(scope.kernel);
      },
      left: ({ scope }) => this.#letIn(scope.kernel),
    },
  );
  #alarm: WindowAlarm | null = null;
  /** Whose time it goes by, once it was used. */
  #kernel: Kernel | null = null;

  /**
   * Makes a limiter. It belongs to the loop in which it is first used, whose
   * time it goes by.
   *
   * @param count How many may begin in a window.
   * @param perMs The length of the window, in milliseconds.
   * @param options Its name.
   * @throws {TypeError} When one of them is not a number, or `options` is not an
   * object or has an unknown name.
   * @throws {RangeError} When `count` is not an integer of at least 1, or `perMs`
   * not above 0 and finite.
   */
  constructor(count: number, perMs: number, options?: NamedOptions) {
    const action = "create a rate limiter";
    checkInteger(action, "count", count, 1);
    checkDelay(action, "perMs", perMs);
    if (!(perMs > 0 && perMs < Infinity)) {
      throw new RangeError(
        `Cannot ${action} as 'perMs' must be above 0 and finite: received ${perMs}`,
      );
    }
    this.#count = count;
    this.#perMs = perMs;
    if (options !== undefined) nameByOptions(action, this, options);
  }

  /**
   * Waits until `n` more may begin. They count from then on until they leave
   * the window; there is nothing to give back.
   *
   * @param n How many, such as the cost of a request.
   * @returns When they may begin.
   * @throws {CancelledError} When the task is cancelled; then none counts, and
   * those behind go on if they can.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer of at least 1, or more than
   * `count`.
   * @throws {InvalidStateError} When the limiter is used in another loop.
   */
  acquire(n: number = 1): Promise<void> {
    const scope = currentScope();
    const { kernel } = scope;
    let isFree: boolean;
    try {
      isFree = this.#isFree(kernel, n);
    } catch (error) {
      return Promise.reject(error);
    }
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (isFree) {
      this.#use(kernel, n);
      return scope.kernel.succeed<void>(scope, undefined);
    }
    const promise = this.#waiters.wait(scope, n);
    this.#setAlarm(kernel);
    return promise;
  }

  /**
   * Lets `n` more begin if they would not have to wait.
   *
   * @example What is over the rate is refused
   * ```ts
   * import { RateLimiter } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const limiter = new RateLimiter(1, 60_000);
   * assertEquals([limiter.tryAcquire(), limiter.tryAcquire()], [true, false]);
   * ```
   *
   * @param n How many.
   * @returns Whether they may begin; false also if others wait.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer of at least 1, or more than
   * `count`.
   * @throws {InvalidStateError} When the limiter is used in another loop.
   */
  tryAcquire(n: number = 1): boolean {
    const { kernel } = currentScope();
    const isFree = this.#isFree(kernel, n);
    if (isFree) this.#use(kernel, n);
    return isFree;
  }

  /**
   * Runs `fn` once one more may begin. How long it takes, and how many run at
   * the same time, is not limited.
   *
   * @typeParam T What `fn` returns.
   *
   * @example A client that keeps to the rate
   * ```ts
   * import { RateLimiter } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const limiter = new RateLimiter(10, 1000);
   * const status = () => Promise.resolve(200);
   * assertEquals(await limiter.with(() => status()), 200);
   * ```
   *
   * @param fn What to run.
   * @returns What `fn` returns.
   * @throws {CancelledError} When the task is cancelled while it waits.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} When the limiter is used in another loop.
   */
  async with<T>(fn: () => PromiseLike<T> | T): Promise<T> {
    checkFunction("keep to a rate", "fn", fn);
    await this.acquire();
    return await fn();
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): RateLimiterStatistics {
    if (this.#kernel !== null) this.#slide(this.#kernel);
    return Object.freeze({
      count: this.#count,
      perMs: this.#perMs,
      available: this.#available,
      waiters: this.#waiters.size,
    });
  }

  /**
   * The limiter and its rate.
   *
   * @returns For example `<RateLimiter 10 per 1000 ms waiters=2>`.
   */
  toString(): string {
    const waiting = this.#waiters.size;
    const waiters = waiting > 0 ? ` waiters=${waiting}` : "";
    const title = titleOf(this, "RateLimiter");
    return `<${title} ${this.#count} per ${this.#perMs} ms${waiters}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "RateLimiter";
  }

  get #available(): number {
    return this.#count - this.#used - this.#reserved;
  }

  #isFree(kernel: Kernel, n: number): boolean {
    const action = "keep to a rate";
    if (n !== 1) checkInteger(action, "n", n, 1);
    if (n > this.#count) {
      throw new RangeError(
        `Cannot ${action} as 'n' must be at most ${this.#count}, which is all that may begin in a window: received ${n}`,
      );
    }
    const refusal = this.#waiters.bind(kernel);
    if (refusal !== null) throw refusal;
    this.#kernel = kernel;
    this.#slide(kernel);
    return this.#waiters.first === null && n <= this.#available;
  }

  /** They begin now. */
  #use(kernel: Kernel, n: number): void {
    const at = kernel.now();
    const last = this.#uses.last();
    if (last?.at === at) last.count += n;
    else this.#uses.push({ at, count: n });
    this.#used += n;
    // Those that wait may have been granted all there was, and now it has an end.
    if (this.#waiters.first !== null) this.#setAlarm(kernel);
  }

  /** Forgets what has left the window. */
  #slide(kernel: Kernel): void {
    if (this.#used === 0) return;
    const now = kernel.now();
    for (
      let oldest = this.#uses.peek();
      oldest !== undefined && oldest.at + this.#perMs <= now;
      oldest = this.#uses.peek()
    ) {
      this.#uses.shift();
      this.#used -= oldest.count;
    }
  }

  /** In their order: one that wants more than there is keeps the others back. */
  #letIn(kernel: Kernel): void {
    this.#slide(kernel);
    for (
      let first = this.#waiters.first;
      first !== null && first.brought <= this.#available;
      first = this.#waiters.first
    ) {
      this.#reserved += first.brought;
      this.#waiters.settleFirst();
    }
    this.#setAlarm(kernel);
  }

  /** For when the oldest leaves the window; none while nobody waits. */
  #setAlarm(kernel: Kernel): void {
    const oldest = this.#uses.peek();
    if (this.#waiters.first === null || oldest === undefined) {
      this.#alarm?.disarm();
      this.#alarm = null;
    } else if (this.#alarm === null) {
      this.#alarm = new WindowAlarm(kernel, oldest.at + this.#perMs, () => {
        this.#alarm = null;
        this.#letIn(kernel);
      });
    }
  }

  static {
    inspectByToString(this.prototype);
  }
}

/** Rings when the window has moved on. */
class WindowAlarm implements Runnable, Timer {
  readonly runsCode = false;
  readonly deadline: number;
  readonly order: number;
  heapIndex = -1;
  readonly #kernel: Kernel;
  #ring: (() => void) | null;

  constructor(kernel: Kernel, deadline: number, ring: () => void) {
    this.#kernel = kernel;
    this.deadline = deadline;
    this.order = kernel.nextTimerOrder();
    this.#ring = ring;
    kernel.addTimer(this);
  }

  disarm(): void {
    this.#ring = null;
    this.#kernel.removeTimer(this);
  }

  due(): void {
    this.#kernel.push(this);
  }

  get mayComeLater(): boolean {
    return true;
  }

  run(): void {
    this.#ring?.();
  }

  describe(): string {
    return "the window of a RateLimiter";
  }
}

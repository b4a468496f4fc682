import { forCaller } from "../_internal/caller_frame.ts";
import { checkInteger } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { BrokenBarrierError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";

/** What {@linkcode Barrier.statistics} gives. */
export interface BarrierStatistics {
  /** How many tasks it takes to pass. */
  readonly parties: number;
  /** How many wait for the others. */
  readonly waiters: number;
  /** Whether it is broken. */
  readonly broken: boolean;
}

/**
 * A place where a number of tasks wait for each other: when the last arrives,
 * all go on, and the next round begins. Equivalent of `asyncio.Barrier`.
 *
 * A task that is cancelled while it waits gives its place back, and the others
 * wait for one more. (In asyncio the indices of such a round repeat.)
 *
 * | operation    | cost                       |
 * | ------------ | -------------------------- |
 * | wait         | O(1), the last one O(n)    |
 * | reset, abort | O(n) for n tasks that wait |
 *
 * @example Two who start together
 * ```ts
 * import { Barrier, gather } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const barrier = new Barrier(2);
 * const indices = await gather([
 *   () => barrier.wait(),
 *   () => barrier.wait(),
 * ]);
 * assertEquals(indices, [0, 1]);
 * ```
 */
export class Barrier {
  readonly #parties: number;
  readonly #waiters: WaitQueue<number> = new WaitQueue("Barrier.wait", {
    owner: this,
  });
  #broken = false;

  /**
   * Makes a barrier.
   *
   * @param parties How many tasks it takes to pass, at least 1.
   * @param options Its name.
   * @throws {TypeError} When `parties` is not a number, or `options` is not an
   * object or has an unknown name.
   * @throws {RangeError} When `parties` is not an integer of at least 1.
   */
  constructor(parties: number, options?: NamedOptions) {
    checkInteger("create a barrier", "parties", parties, 1);
    this.#parties = parties;
    if (options !== undefined) {
      nameByOptions("create a barrier", this, options);
    }
  }

  /** How many tasks it takes to pass. */
  get parties(): number {
    return this.#parties;
  }

  /** How many wait for the others. */
  get nWaiting(): number {
    return this.#waiters.size;
  }

  /** Whether it is broken: {@linkcode Barrier.abort} was called. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Waits until all parties are here.
   *
   * @returns The task's index in this round, from 0 for the first to arrive to
   * `parties - 1` for the last, each once; for choosing one of them.
   * @throws {BrokenBarrierError} When the barrier is broken, or is broken or
   * reset while the task waits.
   * @throws {CancelledError} When the task is cancelled; it then counts as not
   * arrived.
   * @throws {InvalidStateError} When it has to wait, and the barrier has been
   * waited for in another loop.
   */
  wait(): Promise<number> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#broken) return Promise.reject(this.#brokenError());
    const last = this.#parties - 1;
    if (this.#waiters.size < last) return this.#waiters.wait(scope);
    // Indices are given out here, to those that are still waiting: a cancelled
    // one leaves no gap and no double. All leave in this one step, so a task
    // that comes now is the first of the next round.
    for (let index = 0; index < last; index++) this.#waiters.settleFirst(index);
    return scope.kernel.succeed(scope, last);
  }

  /**
   * Makes it as new: those that wait get a {@linkcode BrokenBarrierError}, and
   * a broken one can be used again.
   */
  reset(): void {
    this.#broken = false;
    this.#waiters.failAll(() => forCaller(this.#resetError()));
  }

  /**
   * Breaks it: those that wait, and all that come, get a
   * {@linkcode BrokenBarrierError}, until {@linkcode Barrier.reset}. For when
   * one of the parties will not come.
   */
  abort(): void {
    this.#broken = true;
    this.#waiters.failAll(() => forCaller(this.#brokenError()));
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): BarrierStatistics {
    return Object.freeze({
      parties: this.#parties,
      waiters: this.#waiters.size,
      broken: this.#broken,
    });
  }

  /**
   * The barrier and its state.
   *
   * @returns For example `<Barrier filling waiters=1/3>`, `<Barrier broken>`.
   */
  toString(): string {
    const title = titleOf(this, "Barrier");
    return this.#broken
      ? `<${title} broken>`
      : `<${title} filling waiters=${this.nWaiting}/${this.#parties}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Barrier";
  }

  #brokenError(): BrokenBarrierError {
    return new BrokenBarrierError(
      `Cannot pass the barrier as it is broken: received a call on ${this}`,
    );
  }

  #resetError(): BrokenBarrierError {
    return new BrokenBarrierError(
      `Cannot pass the barrier as it was reset: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
  }
}

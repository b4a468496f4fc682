import { checkFunction, checkInteger } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { interruption } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import type { Hold } from "./hold.ts";

/** What {@linkcode Semaphore.statistics} gives. */
export interface SemaphoreStatistics {
  /** How many permits are free. */
  readonly value: number;
  /** How many tasks wait for one. */
  readonly waiters: number;
  /** How many permits there may be free; `null` for any number. */
  readonly bound: number | null;
}

/**
 * A number of permits: lets so many tasks at a time into a section of code.
 * Answers to `asyncio.Semaphore`.
 *
 * It is fair, first come, first served; a release hands the permit to the next
 * in the same step, so that no newcomer gets in between.
 *
 * | operation | cost |
 * | --------- | ---- |
 * | acquire   | O(1) |
 * | release   | O(1) |
 * | cancel    | O(1) |
 *
 * @example Two at a time
 * ```ts
 * import { Semaphore, sleep, taskGroup } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const semaphore = new Semaphore(2);
 * let inside = 0;
 * let most = 0;
 * await taskGroup((group) => {
 *   for (let i = 0; i < 5; i++) {
 *     group.createTask(async () => {
 *       using _ = await semaphore.acquire();
 *       most = Math.max(most, ++inside);
 *       await sleep(1);
 *       inside--;
 *     });
 *   }
 * });
 * assertEquals(most, 2);
 * ```
 */
export class Semaphore {
  /** Free permits. One that is on its way to a waiter is not free. */
  #value: number;
  readonly #waiters: WaitQueue<Hold>;

  /**
   * Makes a semaphore.
   *
   * @param value How many permits are free at first.
   * @throws {TypeError} When `value` is not a number.
   * @throws {RangeError} When `value` is negative or not an integer.
   */
  constructor(value: number = 1) {
    checkInteger("create a semaphore", "value", value, 0);
    this.#value = value;
    this.#waiters = new WaitQueue(
      `${this[Symbol.toStringTag]}.acquire`,
      { takeBack: () => this.#giveBack() },
    );
  }

  /**
   * Waits until a permit is free and takes it. What it resolves to gives it
   * back at the end of the block: `using _ = await semaphore.acquire()`.
   *
   * @returns The hold. It gives the permit back once; do not call
   * {@linkcode Semaphore.release} for the same permit.
   * @throws {CancelledError} When the task is cancelled; no permit is then
   * taken.
   * @throws {InvalidStateError} When it has to wait, and the semaphore has been
   * waited for in another loop.
   */
  acquire(): Promise<Hold> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#value === 0) return this.#waiters.wait(scope);
    this.#value--;
    return scope.kernel.succeed<Hold>(scope, new Permit(this));
  }

  /**
   * Gives a permit back, or adds one: hands it to the first that waits.
   *
   * @throws {InvalidStateError} By a {@linkcode BoundedSemaphore} that has all
   * its permits.
   */
  release(): void {
    this.#giveBack();
  }

  /**
   * Whether one would have to wait for a permit. One that was released while
   * others wait belongs to the first of them, from that moment on.
   *
   * @returns True while no permit is free.
   */
  locked(): boolean {
    return this.#value === 0;
  }

  /**
   * Runs `fn` while holding a permit.
   *
   * @typeParam T What `fn` returns.
   *
   * @example The same as a block with `using`
   * ```ts
   * import { Semaphore } from "@asyncio/asyncio";
   * import { assert, assertFalse } from "@std/assert";
   *
   * const semaphore = new Semaphore(1);
   * assert(await semaphore.with(() => semaphore.locked()));
   * assertFalse(semaphore.locked());
   * ```
   *
   * @param fn What to run.
   * @returns What `fn` returns.
   * @throws {CancelledError} When the task is cancelled while it waits.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} As {@linkcode Semaphore.acquire} does.
   */
  async with<T>(fn: () => PromiseLike<T> | T): Promise<T> {
    checkFunction("hold a permit", "fn", fn);
    const hold = await this.acquire();
    try {
      return await fn();
    } finally {
      hold[Symbol.dispose]();
    }
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): SemaphoreStatistics {
    return Object.freeze({
      value: this.#value,
      waiters: this.#waiters.size,
      bound: null,
    });
  }

  /**
   * The semaphore and its state.
   *
   * @returns For example `<Semaphore value=2>`, `<Semaphore locked waiters=1>`.
   */
  toString(): string {
    const { value, waiters, bound } = this.statistics();
    const free = value === 0 ? "locked" : `value=${value}`;
    const of = bound === null ? "" : ` bound=${bound}`;
    const waiting = waiters > 0 ? ` waiters=${waiters}` : "";
    return `<${this[Symbol.toStringTag]} ${free}${of}${waiting}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Semaphore";
  }

  #giveBack(): void {
    if (this.#waiters.first === null) this.#value++;
    else this.#waiters.settleFirst(new Permit(this));
  }

  static {
    inspectByToString(this.prototype);
  }
}

/**
 * A semaphore that notices a permit given back twice: it never has more of them
 * free than at first. Answers to `asyncio.BoundedSemaphore`.
 *
 * @example A release too many
 * ```ts
 * import { BoundedSemaphore, InvalidStateError } from "@asyncio/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const semaphore = new BoundedSemaphore(1);
 * await semaphore.acquire();
 * semaphore.release();
 * assertThrows(() => semaphore.release(), InvalidStateError);
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  /**
   * Makes a bounded semaphore.
   *
   * @param value How many permits there are.
   * @throws {TypeError} When `value` is not a number.
   * @throws {RangeError} When `value` is negative or not an integer.
   */
  constructor(value: number = 1) {
    super(value);
    this.#bound = value;
  }

  /**
   * Gives a permit back: hands it to the first that waits.
   *
   * @throws {InvalidStateError} When all permits are free. (asyncio throws a
   * `ValueError`.)
   */
  override release(): void {
    if (super.statistics().value >= this.#bound) {
      throw new InvalidStateError(
        `Cannot release a permit as none is held: received a call on ${this}`,
      );
    }
    super.release();
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  override statistics(): SemaphoreStatistics {
    return Object.freeze({ ...super.statistics(), bound: this.#bound });
  }

  /** What `Object.prototype.toString` says. */
  override get [Symbol.toStringTag](): string {
    return "BoundedSemaphore";
  }
}

/** One acquisition of a permit. */
class Permit implements Hold {
  #semaphore: Semaphore | null;

  constructor(semaphore: Semaphore) {
    this.#semaphore = semaphore;
  }

  [Symbol.dispose](): void {
    const semaphore = this.#semaphore;
    this.#semaphore = null;
    semaphore?.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
  }
}

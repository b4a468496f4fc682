import { checkFunction, checkInteger } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { interruption, type Scope } from "../loop/scope.ts";
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
 * A number of permits: lets at most that many tasks at a time into a section of
 * code. Equivalent of `asyncio.Semaphore`, of which one takes a single permit
 * only.
 *
 * It is fair, first come, first served; a release hands the permits to the next
 * in the same step, so that no newcomer gets in between. One that wants many is
 * not starved: who comes later waits behind it, even for a permit that is free.
 *
 * | operation  | cost                                     |
 * | ---------- | ---------------------------------------- |
 * | acquire    | O(1)                                     |
 * | tryAcquire | O(1)                                     |
 * | release    | O(1), and O(1) for each that is let in   |
 * | cancel     | O(1), and O(1) for each that is let in   |
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
 *
 * @example A large job takes more of it
 * ```ts
 * import { Semaphore } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const megabytes = new Semaphore(100);
 * {
 *   using _ = await megabytes.acquire(80);
 *   assertEquals(megabytes.tryAcquire(30), null);
 * }
 * assertEquals(megabytes.statistics().value, 100);
 * ```
 */
export class Semaphore {
  /**
   * Free permits; 0 while others wait. One that is on its way to a waiter is not
   * free.
   */
  #value: number;
  /** Free permits that are kept for the first that waits, who wants more. */
  #kept = 0;
  /** They bring how many they want. */
  readonly #waiters: WaitQueue<Hold, number>;

  /**
   * Makes a semaphore.
   *
   * @param value How many permits are free at first.
   * @param options Its name.
   * @throws {TypeError} When `value` is not a number, or `options` is not an
   * object or has an unknown name.
   * @throws {RangeError} When `value` is negative or not an integer.
   */
  constructor(value: number = 1, options?: NamedOptions) {
    checkInteger("create a semaphore", "value", value, 0);
    this.#value = value;
    this.#waiters = new WaitQueue(
      `${this[Symbol.toStringTag]}.acquire`,
      {
        owner: this,
        takeBack: ({ brought }) => this.#giveBack(brought),
        left: () => this.#letIn(),
      },
    );
    if (options !== undefined) {
      nameByOptions("create a semaphore", this, options);
    }
  }

  /**
   * Waits until `n` permits are free and takes them. What it resolves to gives
   * them back at the end of the block: `using _ = await semaphore.acquire()`.
   *
   * @param n How many, all of them or none.
   * @returns The hold. It gives the permits back once; do not call
   * {@linkcode Semaphore.release} for the same permits.
   * @throws {CancelledError} When the task is cancelled; no permit is then
   * taken.
   * @throws {InvalidStateError} When it has to wait, and the semaphore has been
   * waited for in another loop.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer of at least 1, or more than
   * a {@linkcode BoundedSemaphore} has.
   */
  acquire(n: number = 1): Promise<Hold> {
    if (n !== 1) {
      try {
        this.#check(n);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#value < n) return this.#wait(scope, n);
    this.#value -= n;
    return scope.kernel.succeed<Hold>(scope, this.#hold(n));
  }

  /**
   * Takes `n` permits if one would not have to wait for them.
   *
   * @example What is not urgent is left out
   * ```ts
   * import { Semaphore } from "@asyncio/asyncio";
   * import { assert, assertEquals } from "@std/assert";
   *
   * const semaphore = new Semaphore(1);
   * using hold = semaphore.tryAcquire();
   * assert(hold);
   * assertEquals(semaphore.tryAcquire(), null);
   * ```
   *
   * @param n How many, all of them or none.
   * @returns The hold; `null` if too few are free, or others wait.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer of at least 1, or more than
   * a {@linkcode BoundedSemaphore} has.
   */
  tryAcquire(n: number = 1): Hold | null {
    if (n !== 1) this.#check(n);
    if (this.#value < n) return null;
    this.#value -= n;
    return this.#hold(n);
  }

  /**
   * Gives permits back, or adds some: hands them to those that wait, in order.
   *
   * @param n How many.
   * @throws {InvalidStateError} By a {@linkcode BoundedSemaphore} that would
   * have more than all its permits.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer of at least 1.
   */
  release(n: number = 1): void {
    if (n !== 1) checkInteger("release permits", "n", n, 1);
    this.#giveBack(n);
  }

  /**
   * Whether one would have to wait for a permit. One that was released while
   * others wait belongs to the first of them, from that moment on.
   *
   * @returns True while no permit is free, or others wait.
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
      value: this.#value + this.#kept,
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
    return `<${
      titleOf(this, this[Symbol.toStringTag])
    } ${free}${of}${waiting}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Semaphore";
  }

  #hold(n: number): Hold {
    return n === 1 ? new Permit(this) : new Permits(this, n);
  }

  #wait(scope: Scope, n: number): Promise<Hold> {
    const promise = this.#waiters.wait(scope, n);
    // It does not wait where it was refused, as one of another loop.
    if (this.#value > 0 && this.#waiters.first !== null) {
      this.#kept = this.#value;
      this.#value = 0;
    }
    return promise;
  }

  #giveBack(n: number): void {
    if (this.#waiters.first === null) this.#value += n;
    else {
      this.#kept += n;
      this.#letIn();
    }
  }

  /** In their order: one that wants more than there is keeps the others back. */
  #letIn(): void {
    for (
      let first = this.#waiters.first;
      first !== null && first.brought <= this.#kept;
      first = this.#waiters.first
    ) {
      this.#kept -= first.brought;
      this.#waiters.settleFirst(this.#hold(first.brought));
    }
    if (this.#waiters.first !== null) return;
    this.#value = this.#kept;
    this.#kept = 0;
  }

  #check(n: number): void {
    checkInteger("acquire permits", "n", n, 1);
    const { bound } = this.statistics();
    if (bound === null || n <= bound) return;
    throw new RangeError(
      `Cannot acquire permits as 'n' must be at most ${bound}, which is all there are: received ${n}`,
    );
  }

  static {
    inspectByToString(this.prototype);
  }
}

/**
 * A semaphore that notices a permit given back twice: it never has more of them
 * free than at first. Equivalent of `asyncio.BoundedSemaphore`.
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
   * @param options Its name.
   * @throws {TypeError} When `value` is not a number, or `options` is not an
   * object or has an unknown name.
   * @throws {RangeError} When `value` is negative or not an integer.
   */
  constructor(value: number = 1, options?: NamedOptions) {
    super(value, options);
    this.#bound = value;
  }

  /**
   * Gives permits back: hands them to those that wait, in order.
   *
   * @param n How many.
   * @throws {InvalidStateError} When fewer than `n` permits are held. (asyncio
   * throws a `ValueError`.)
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer of at least 1.
   */
  override release(n: number = 1): void {
    checkInteger("release permits", "n", n, 1);
    const held = this.#bound - super.statistics().value;
    if (n > held) {
      throw new InvalidStateError(
        n === 1
          ? `Cannot release a permit as none is held: received a call on ${this}`
          : `Cannot release ${n} permits as ${held} are held: received a call on ${this}`,
      );
    }
    super.release(n);
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
    if (semaphore !== null) this.releaseTo(semaphore);
  }

  protected releaseTo(semaphore: Semaphore): void {
    semaphore.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
  }
}

/** One acquisition of several. */
class Permits extends Permit {
  readonly #count: number;

  constructor(semaphore: Semaphore, count: number) {
    super(semaphore);
    this.#count = count;
  }

  protected override releaseTo(semaphore: Semaphore): void {
    semaphore.release(this.#count);
  }
}

import { checkFunction, checkInteger, isThenable } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { show } from "../_internal/show.ts";
import { type CancelledError, InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { runShielded } from "../loop/run_shielded.ts";
import { forgetCancellation, interruption, type Scope } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import type { Hold } from "./hold.ts";
import { Lock, type LockHold, lockInternals } from "./lock.ts";

/** What {@linkcode Condition.statistics} gives. */
export interface ConditionStatistics {
  /** Whether its lock is held. */
  readonly locked: boolean;
  /** How many wait to be notified. */
  readonly waiters: number;
  /** How many wait for its lock. */
  readonly lockWaiters: number;
}

/**
 * Lets tasks wait until something about shared state has changed, and look at
 * the state while no one else can change it. A lock, and a line of tasks that
 * have let go of it until they are notified. Equivalent of `asyncio.Condition`.
 *
 * Who changes the state holds the lock and then notifies. Who waits for it
 * holds the lock, too, and looks again whenever it is notified, which is what
 * {@linkcode Condition.waitFor} does.
 *
 * | operation           | cost                          |
 * | ------------------- | ----------------------------- |
 * | wait                | O(1)                          |
 * | notify(n)           | O(n)                          |
 * | notifyAll           | O(n) for n tasks that wait    |
 *
 * @example Waiting for enough
 * ```ts
 * import { Condition, createTask } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const changed = new Condition();
 * let coins = 0;
 * const buyer = createTask(async () => {
 *   using _ = await changed.acquire();
 *   await changed.waitFor(() => coins >= 2);
 *   coins -= 2;
 * });
 * for (let i = 0; i < 3; i++) {
 *   await changed.with(() => {
 *     coins++;
 *     changed.notify();
 *   });
 * }
 * await buyer;
 * assertEquals(coins, 1);
 * ```
 */
export class Condition {
  readonly #lock: Lock;
  readonly #waiters: WaitQueue<true> = new WaitQueue("Condition.wait", {
    owner: this,
    takeBack: () => this.#waiters.settleFirst(true),
  });

  /**
   * Makes a condition.
   *
   * @param lock The lock, to be shared by several conditions; by default its own.
   * @param options Its name.
   * @throws {TypeError} When `lock` is not a {@linkcode Lock}, or `options` is
   * not an object or has an unknown name.
   */
  constructor(lock: Lock = new Lock(), options?: NamedOptions) {
    if (!(lock instanceof Lock)) {
      throw new TypeError(
        `Cannot create a condition as 'lock' must be a Lock: received ${
          show(lock)
        }`,
      );
    }
    this.#lock = lock;
    if (options !== undefined) {
      nameByOptions("create a condition", this, options);
    }
  }

  /**
   * Waits until the lock is free and takes it.
   *
   * @returns The hold, for `using`. It stays good through
   * {@linkcode Condition.wait}, which lets go of the lock and takes it again.
   * @throws {CancelledError} When the task is cancelled.
   * @throws {InvalidStateError} As {@linkcode Lock.acquire} does.
   */
  acquire(): Promise<Hold> {
    return this.#lock.acquire();
  }

  /**
   * Releases the lock.
   *
   * @throws {InvalidStateError} When it is not held.
   */
  release(): void {
    this.#lock.release();
  }

  /**
   * Whether the lock is held.
   *
   * @returns True while it is held.
   */
  locked(): boolean {
    return this.#lock.locked();
  }

  /**
   * Runs `fn` while holding the lock.
   *
   * @typeParam T What `fn` returns.
   *
   * @example Changing the state, and saying so
   * ```ts
   * import { Condition } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const changed = new Condition();
   * let state = "old";
   * await changed.with(() => {
   *   state = "new";
   *   changed.notifyAll();
   * });
   * assertEquals(state, "new");
   * ```
   *
   * @param fn What to run.
   * @returns What `fn` returns.
   * @throws {CancelledError} When the task is cancelled while it waits.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} As {@linkcode Lock.acquire} does.
   */
  with<T>(fn: () => PromiseLike<T> | T): Promise<T> {
    return this.#lock.with(fn);
  }

  /**
   * Lets go of the lock, waits to be notified, and takes the lock again.
   *
   * It is to be called in a loop that looks at the state each time, since
   * others may have changed it again before the lock was free; that is
   * {@linkcode Condition.waitFor}.
   *
   * The lock is held again when this ends, also when the task is cancelled:
   * that ends the wait for the notification, not the one for the lock. A
   * notification that a cancelled task had got goes on to another.
   *
   * @returns True, always.
   * @throws {InvalidStateError} When the lock is not held, or has been waited
   * for in another loop.
   * @throws {CancelledError} When the task is cancelled, after the lock was
   * taken again; of several cancellations, the last.
   */
  async wait(): Promise<true> {
    const hold = this.#hold("wait for a condition");
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) await interrupted;
    const refusal = lockInternals.bind(this.#lock, scope.kernel) ??
      this.#waiters.bind(scope.kernel);
    if (refusal !== null) throw refusal;
    const notification = this.#waiters.wait(scope);
    this.#lock.release();
    let notified = false;
    let error: CancelledError | null = null;
    try {
      notified = await notification;
    } catch (cancellation) {
      error = cancellation as CancelledError;
    }
    await this.#reacquire(scope, hold);
    error = forgetCancellation(scope) ?? error;
    if (error === null) return true;
    if (notified) this.#waiters.settleFirst(true);
    throw error;
  }

  /**
   * Waits until `predicate` is true. It is asked now, and then each time this
   * task is notified, always while holding the lock.
   *
   * @typeParam T What `predicate` returns.
   *
   * @example The value it was waiting for
   * ```ts
   * import { Condition, createTask } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const changed = new Condition();
   * let name: string | undefined;
   * const reader = createTask(() =>
   *   changed.with(() => changed.waitFor(() => name))
   * );
   * await changed.with(() => {
   *   name = "Ada";
   *   changed.notifyAll();
   * });
   * assertEquals(await reader, "Ada");
   * ```
   *
   * @param predicate Looks at the state; not an `async` function, whose promise
   * would always count as true.
   * @returns What `predicate` returned.
   * @throws {InvalidStateError} As {@linkcode Condition.wait} does.
   * @throws {CancelledError} When the task is cancelled, after the lock was
   * taken again.
   * @throws {TypeError} When `predicate` is not a function, or returns a
   * promise.
   */
  async waitFor<T>(
    predicate: () => T,
  ): Promise<Exclude<T, false | 0 | 0n | "" | null | undefined>> {
    const action = "wait for a condition";
    checkFunction(action, "predicate", predicate);
    this.#hold(action);
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) await interrupted;
    let value = predicate();
    while (!value) {
      await this.wait();
      value = predicate();
    }
    if (isThenable(value)) {
      throw new TypeError(
        `Cannot ${action} as 'predicate' must not return a promise: received ${
          show(predicate)
        }`,
      );
    }
    return value as Exclude<T, false | 0 | 0n | "" | null | undefined>;
  }

  /**
   * Lets the first `n` of those that wait go on, one after the other, once the
   * lock is free.
   *
   * @param n How many, at the most.
   * @throws {InvalidStateError} When the lock is not held.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is negative or not an integer.
   */
  notify(n: number = 1): void {
    const action = "notify those that wait for a condition";
    if (n !== Infinity) checkInteger(action, "n", n, 0);
    this.#hold(action);
    while (n-- > 0 && this.#waiters.settleFirst(true));
  }

  /**
   * Lets all that wait go on, one after the other, once the lock is free.
   *
   * @throws {InvalidStateError} When the lock is not held.
   */
  notifyAll(): void {
    this.notify(Infinity);
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): ConditionStatistics {
    const { locked, waiters } = this.#lock.statistics();
    return Object.freeze({
      locked,
      waiters: this.#waiters.size,
      lockWaiters: waiters,
    });
  }

  /**
   * The condition and its state.
   *
   * @returns For example `<Condition locked waiters=2>`.
   */
  toString(): string {
    const { locked, waiters } = this.statistics();
    const waiting = waiters > 0 ? ` waiters=${waiters}` : "";
    return `<${titleOf(this, "Condition")} ${
      locked ? "locked" : "unlocked"
    }${waiting}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Condition";
  }

  /** The hold of the lock, which must be held. */
  #hold(action: string): LockHold {
    const hold = lockInternals.holder(this.#lock);
    if (hold !== null) return hold;
    throw new InvalidStateError(
      `Cannot ${action} as its lock is not held: received a call on ${this}`,
    );
  }

  /**
   * Takes the lock again for the same hold, and stays in line for it whatever
   * comes: a cancellation does not enter a shielded scope, it is remembered.
   */
  #reacquire(around: Scope, hold: LockHold): Promise<unknown> {
    return runShielded(
      around,
      (scope) => lockInternals.acquireAs(this.#lock, scope, hold),
    );
  }

  static {
    inspectByToString(this.prototype);
  }
}

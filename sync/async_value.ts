import { checkFunction, isThenable } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { show } from "../_internal/show.ts";
import { currentScope } from "../loop/current.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import { type QueuedWait, WaitQueue } from "../loop/wait_queue.ts";

/** What {@linkcode AsyncValue.statistics} gives. */
export interface AsyncValueStatistics {
  /** How many wait for a value of some kind. */
  readonly waiters: number;
  /** How many wait for the next change. */
  readonly watchers: number;
}

type Predicate<T> = (value: T) => boolean;

/** How far one iterator has come. */
interface Cursor {
  seen: number;
}

/**
 * A value that tasks wait for: until it is as they want it, or for each change.
 * If several conditions depend on one piece of state, it takes the place of
 * an {@linkcode Event} for each of them. Equivalent of `trio_util.AsyncValue`.
 *
 * No change is missed by {@linkcode AsyncValue.waitFor}: the predicate is asked
 * at each of them, in the moment of the assignment. Iteration is for those who
 * want to be up to date: it gives the latest value, and skips what was replaced
 * before they came back for it.
 *
 * A value that is the same as before (`Object.is`) is no change; what changes
 * inside of an object is none, either: assign another one.
 *
 * | operation   | cost                       |
 * | ----------- | -------------------------- |
 * | waitFor     | O(1)                       |
 * | assignment  | O(n) for n tasks that wait |
 * | cancel      | O(1)                       |
 *
 * @typeParam T What it holds.
 *
 * @example Waiting until it is as it should be
 * ```ts
 * import { AsyncValue, createTask } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const connections = new AsyncValue(0);
 * const crowded = createTask(() => connections.waitFor((n) => n >= 2));
 * for (let n = 1; n <= 3; n++) connections.value = n;
 * assertEquals(await crowded, 3); // when it began to wait
 *
 * const idle = connections.waitFor((n) => n === 0);
 * connections.value = 0;
 * connections.value = 7;
 * assertEquals(await idle, 0); // it was, in between
 * ```
 */
export class AsyncValue<T> implements AsyncIterable<T> {
  #value: T;
  /** How often it has changed. */
  #changes = 0;
  readonly #waiters: WaitQueue<T, Predicate<T>> = new WaitQueue(
    "AsyncValue.waitFor",
    { owner: this },
  );
  readonly #watchers: WaitQueue<T, Cursor> = new WaitQueue(
    "the next change of an AsyncValue",
    { owner: this, take: ({ brought }) => this.#look(brought) },
  );

  /**
   * Makes one.
   *
   * @param initial Its first value.
   * @param options Its name.
   * @throws {TypeError} When `options` is not an object, or has an unknown name.
   */
  constructor(initial: T, options?: NamedOptions) {
    this.#value = initial;
    if (options !== undefined) {
      nameByOptions("create an async value", this, options);
    }
  }

  /** The value. Assigning another one wakes those that wait for it. */
  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#changes++;
    this.#watchers.settleAll(value);
    if (this.#waiters.first !== null) this.#ask(value);
  }

  /**
   * Waits until `predicate` is true of the value. It is asked now, and at each
   * change.
   *
   * @typeParam S What `predicate` tells of the value.
   *
   * @example With a type guard
   * ```ts
   * import { AsyncValue, createTask } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const user = new AsyncValue<string | null>(null);
   * const greeting = createTask(async () => {
   *   const name = await user.waitFor((value) => value !== null);
   *   return `Hello ${name.toUpperCase()}`;
   * });
   * user.value = "Ada";
   * assertEquals(await greeting, "Hello ADA");
   * ```
   *
   * @param predicate Looks at the value, and changes nothing; not an `async`
   * function, whose promise would always count as true.
   * @returns The value of which it was true, even if it has changed since.
   * @throws {CancelledError} When the task is cancelled.
   * @throws {TypeError} When `predicate` is not a function, or returns a
   * promise.
   * @throws {InvalidStateError} When it has to wait, and the value has been
   * waited for in another loop.
   */
  waitFor<S extends T>(predicate: (value: T) => value is S): Promise<S>;
  /**
   * The same with any predicate.
   *
   * @param predicate Looks at the value, and changes nothing.
   * @returns The value of which it was true.
   */
  waitFor(predicate: (value: T) => boolean): Promise<T>;
  waitFor(predicate: Predicate<T>): Promise<T> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    const value = this.#value;
    try {
      checkFunction(ACTION, "predicate", predicate);
      if (holds(predicate, value)) return scope.kernel.succeed(scope, value);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#waiters.wait(scope, predicate);
  }

  /**
   * The changes from now on. Each step gives the latest value, if it has changed
   * since the last one, and otherwise waits for the next change. So none is
   * missed for good, but those that were replaced before the loop came back are
   * skipped. The value at the start is no change. It never ends by itself.
   *
   * @example Up to date
   * ```ts
   * import { AsyncValue, createTask, sleep } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const level = new AsyncValue(0);
   * const seen: number[] = [];
   * const display = createTask(async () => {
   *   for await (const value of level) {
   *     seen.push(value);
   *     if (value === 4) break;
   *   }
   * });
   * await sleep(0);
   * level.value = 1;
   * await sleep(0);
   * for (const value of [2, 3, 4]) level.value = value;
   * await display;
   * assertEquals(seen, [1, 4]);
   * ```
   *
   * @returns An iterator. A task that is cancelled while it waits for a change
   * leaves the value as it is.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    const cursor = { seen: this.#changes };
    const toResult = (value: T) => ({ done: false as const, value });
    return {
      next: () => this.#next(cursor).then(toResult),
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): AsyncValueStatistics {
    return Object.freeze({
      waiters: this.#waiters.size,
      watchers: this.#watchers.size,
    });
  }

  /**
   * The value and who waits.
   *
   * @returns For example `<AsyncValue 3 waiters=2>`.
   */
  toString(): string {
    const { waiters, watchers } = this.statistics();
    const parts = [`${titleOf(this, "AsyncValue")} ${show(this.#value)}`];
    if (waiters > 0) parts.push(`waiters=${waiters}`);
    if (watchers > 0) parts.push(`watchers=${watchers}`);
    return `<${parts.join(" ")}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "AsyncValue";
  }

  #next(cursor: Cursor): Promise<T> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return cursor.seen === this.#changes
      ? this.#watchers.wait(scope, cursor)
      : scope.kernel.succeed(scope, this.#look(cursor));
  }

  #look(cursor: Cursor): T {
    cursor.seen = this.#changes;
    return this.#value;
  }

  /** Ends the waits for `value`. */
  #ask(value: T): void {
    // Whatever a predicate does, cancel a task or change the value again, the
    // others are asked about this value as well.
    const waits: QueuedWait<T, Predicate<T>>[] = [];
    for (let wait = this.#waiters.first; wait !== null; wait = wait.behind) {
      waits.push(wait);
    }
    for (const wait of waits) {
      if (!isLeft(wait)) continue;
      try {
        if (!holds(wait.brought, value)) continue;
      } catch (error) {
        if (isLeft(wait)) this.#waiters.fail(wait, error);
        continue;
      }
      if (isLeft(wait)) this.#waiters.settle(wait, value);
    }
  }

  static {
    inspectByToString(this.prototype);
  }
}

const ACTION = "wait for a value";

/** Whether a wait is in its queue, as nothing has ended it yet. */
function isLeft<T>(wait: QueuedWait<T, Predicate<T>>): boolean {
  return !wait.granted && wait.isPending();
}

function holds<T>(predicate: Predicate<T>, value: T): boolean {
  const answer: unknown = predicate(value);
  if (isThenable(answer)) {
    throw new TypeError(
      `Cannot ${ACTION} as 'predicate' must not return a promise: received ${
        show(predicate)
      }`,
    );
  }
  return Boolean(answer);
}

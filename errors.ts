/**
 * Every error class a user of this package catches, named as asyncio names it.
 *
 * ```ts
 * import { CancelledError, TimeoutError } from "@asyncio/asyncio/errors";
 * import { assert } from "@std/assert";
 *
 * const error = new TimeoutError("Too slow", { cause: new CancelledError() });
 * assert(error.cause instanceof CancelledError);
 * ```
 *
 * @module
 */

const CANCELLED = Symbol.for("@asyncio/asyncio/CancelledError");

/** Options of {@linkcode CancelledError}. */
export interface CancelledErrorOptions extends ErrorOptions {
  /** What was given to `cancel()`, or the reason of the aborted signal. */
  reason?: unknown;
  /** The name of the task that asked for the cancellation. */
  by?: string | undefined;
}

/**
 * Thrown at the point where a task waits when it is cancelled.
 *
 * It is an ordinary `Error`, so a `catch` sees it: clean up and throw it
 * again. A `catch` that keeps it has declined the cancellation. Answers to
 * `asyncio.CancelledError`.
 *
 * @example Telling a cancellation from a failure
 * ```ts
 * import { CancelledError, isCancelledError } from "@asyncio/asyncio";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(isCancelledError(new CancelledError()));
 * assertFalse(isCancelledError(new Error("cancelled")));
 * ```
 */
export class CancelledError extends Error {
  static {
    this.prototype.name = "CancelledError";
    Object.defineProperty(this.prototype, CANCELLED, { value: true });
  }

  /** What was given to `cancel()`, or the reason of the aborted signal. */
  declare readonly reason?: unknown;
  /** The name of the task that asked, absent outside of any task. */
  declare readonly by?: string;

  /**
   * Makes the error.
   *
   * @param message What to tell the reader.
   * @param options The reason, who asked, and the cause.
   */
  constructor(
    message: string = "The task was cancelled",
    options: CancelledErrorOptions = {},
  ) {
    super(message, options);
    // Set only where given, so that a printed error shows nothing empty.
    if (options.reason !== undefined) this.reason = options.reason;
    if (options.by !== undefined) this.by = options.by;
  }
}

/**
 * Whether `error` says that a task was cancelled.
 *
 * Recognises the class across copies of this package (JSR and npm, ESM and
 * CommonJS), which `instanceof` does not.
 *
 * @example Passing a cancellation on
 * ```ts
 * import { isCancelledError, sleep } from "@asyncio/asyncio";
 *
 * try {
 *   await sleep(0);
 * } catch (error) {
 *   if (isCancelledError(error)) throw error;
 *   console.error("failed", error);
 * }
 * ```
 *
 * @param error Anything that was thrown.
 * @returns True for a {@linkcode CancelledError}.
 */
export function isCancelledError(error: unknown): error is CancelledError {
  return typeof error === "object" && error !== null && CANCELLED in error;
}

/**
 * Thrown when a deadline passed. Its `cause` is the {@linkcode CancelledError}
 * that stopped the work. Answers to `asyncio.TimeoutError`; it is not a kind of
 * `CancelledError`, so it is never mistaken for one.
 *
 * @example Recognising it
 * ```ts
 * import { sleep, timeout, TimeoutError } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => timeout(1, () => sleep(1000)), TimeoutError);
 * ```
 */
export class TimeoutError extends Error {
  static {
    this.prototype.name = "TimeoutError";
  }

  /**
   * Makes the error.
   *
   * @param message What to tell the reader.
   * @param options The cause.
   */
  constructor(message: string = "The deadline passed", options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Thrown when something is asked of an object that its state does not allow:
 * the result of a pending future, releasing a free lock, using a closed loop.
 * Answers to `asyncio.InvalidStateError` and to Python's `RuntimeError`.
 *
 * @example The result of a future that is still pending
 * ```ts
 * import { getEventLoop, InvalidStateError } from "@asyncio/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const future = getEventLoop().createFuture<number>();
 * assertThrows(() => future.result(), InvalidStateError);
 * ```
 */
export class InvalidStateError extends Error {
  static {
    this.prototype.name = "InvalidStateError";
  }
}

/**
 * Several errors at once, as a {@linkcode TaskGroup} throws them. Answers to
 * Python's `ExceptionGroup`; for `except*` use {@linkcode split}.
 *
 * @example Taking the timeouts out of a group
 * ```ts
 * import { ExceptionGroup, TimeoutError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const group = new ExceptionGroup(
 *   [new TimeoutError(), new RangeError("too far")],
 *   "Two tasks failed",
 * );
 * const [timeouts, rest] = group.split((error) =>
 *   error instanceof TimeoutError
 * );
 * assertEquals(timeouts?.errors.length, 1);
 * assertEquals(rest?.errors.length, 1);
 * ```
 */
export class ExceptionGroup extends AggregateError {
  static {
    this.prototype.name = "ExceptionGroup";
  }

  /**
   * Makes the group.
   *
   * @param errors What failed, at least one error.
   * @param message What to tell the reader; how many errors it holds is added.
   * @param options The cause.
   * @throws {RangeError} When `errors` is empty.
   */
  constructor(
    errors: Iterable<unknown>,
    message: string = "Several tasks failed",
    options?: ErrorOptions,
  ) {
    const list = [...errors];
    if (list.length === 0) {
      throw new RangeError(
        "Cannot make an ExceptionGroup as 'errors' must hold at least one error: received none",
      );
    }
    super(list, `${message} (${countErrors(list)})`, options);
    this.#text = message;
  }

  readonly #text: string;

  /**
   * The errors for which `matches` is true, with the nesting kept.
   *
   * @param matches Asked for each error that is not itself a group.
   * @returns A group of the same shape, or `null` where nothing matched.
   */
  subgroup(matches: (error: unknown) => boolean): ExceptionGroup | null {
    return this.split(matches)[0];
  }

  /**
   * Splits the group in two, with the nesting kept in both.
   *
   * @param matches Asked for each error that is not itself a group.
   * @returns The group that matched and the rest, each `null` where empty.
   */
  split(
    matches: (error: unknown) => boolean,
  ): [matched: ExceptionGroup | null, rest: ExceptionGroup | null] {
    const matched: unknown[] = [];
    const rest: unknown[] = [];
    for (const error of this.errors as unknown[]) {
      if (error instanceof ExceptionGroup) {
        const [inner, outer] = error.split(matches);
        if (inner !== null) matched.push(inner);
        if (outer !== null) rest.push(outer);
      } else {
        (matches(error) ? matched : rest).push(error);
      }
    }
    return [this.#derive(matched), this.#derive(rest)];
  }

  #derive(errors: unknown[]): ExceptionGroup | null {
    if (errors.length === 0) return null;
    if (errors.length === this.errors.length) return this;
    const group = new ExceptionGroup(errors, this.#text);
    if (this.cause !== undefined) group.cause = this.cause;
    return group;
  }
}

function countErrors(errors: unknown[]): string {
  return errors.length === 1 ? "1 error" : `${errors.length} errors`;
}

/**
 * Thrown by a {@linkcode Barrier} that is broken while tasks wait at it.
 * Answers to `asyncio.BrokenBarrierError`.
 *
 * @example Breaking a barrier
 * ```ts
 * import { Barrier, BrokenBarrierError } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * const barrier = new Barrier(2);
 * barrier.abort();
 * await assertRejects(() => barrier.wait(), BrokenBarrierError);
 * ```
 */
export class BrokenBarrierError extends Error {
  static {
    this.prototype.name = "BrokenBarrierError";
  }
}

/**
 * Thrown by `getNowait` where a queue has nothing to give. Answers to
 * `asyncio.QueueEmpty`.
 *
 * @example An empty queue
 * ```ts
 * import { Queue, QueueEmpty } from "@asyncio/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => new Queue().getNowait(), QueueEmpty);
 * ```
 */
export class QueueEmpty extends Error {
  static {
    this.prototype.name = "QueueEmpty";
  }
}

/**
 * Thrown by `putNowait` where a queue has no room. Answers to
 * `asyncio.QueueFull`.
 *
 * @example A full queue
 * ```ts
 * import { Queue, QueueFull } from "@asyncio/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const queue = new Queue<number>({ maxSize: 1 });
 * queue.putNowait(1);
 * assertThrows(() => queue.putNowait(2), QueueFull);
 * ```
 */
export class QueueFull extends Error {
  static {
    this.prototype.name = "QueueFull";
  }
}

/**
 * Thrown where a queue was shut down: by `put` at once, by `get` when nothing
 * is left. Answers to `asyncio.QueueShutDown`.
 *
 * @example A queue that takes nothing more
 * ```ts
 * import { Queue, QueueShutDown } from "@asyncio/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const queue = new Queue<number>();
 * queue.shutdown();
 * assertThrows(() => queue.putNowait(1), QueueShutDown);
 * ```
 */
export class QueueShutDown extends Error {
  static {
    this.prototype.name = "QueueShutDown";
  }
}

/**
 * Thrown by `run` after Ctrl-C (SIGINT) cancelled the main task. Like Python's
 * `KeyboardInterrupt`, it passes through a task group as it is.
 *
 * @example What `run` throws after Ctrl-C
 * ```ts
 * import { KeyboardInterrupt } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new KeyboardInterrupt().name, "KeyboardInterrupt");
 * ```
 */
export class KeyboardInterrupt extends Error {
  static {
    this.prototype.name = "KeyboardInterrupt";
  }

  /**
   * Makes the error.
   *
   * @param message What to tell the reader.
   * @param options The cause.
   */
  constructor(
    message: string = "Interrupted by SIGINT",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Thrown by a task to end the program: the loop stops at once, the main task's
 * `finally` blocks run, and `run` throws it on. A program that does not catch it
 * exits with its status. Answers to Python's `SystemExit`.
 *
 * @example The status a program is to end with
 * ```ts
 * import { SystemExit } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new SystemExit(3).code, 3);
 * ```
 */
export class SystemExit extends Error {
  static {
    this.prototype.name = "SystemExit";
  }

  /** The status the program exits with, 0 to 255. */
  readonly code: number;

  /**
   * Makes the error.
   *
   * @param code The status the program exits with, 0 to 255.
   * @throws {RangeError} When `code` is not an integer from 0 to 255.
   */
  constructor(code: number = 0) {
    super(`Exit with status ${code}`);
    if (!Number.isInteger(code) || code < 0 || code > 255) {
      throw new RangeError(
        `Cannot exit as 'code' must be an integer from 0 to 255: received ${code}`,
      );
    }
    this.code = code;
  }
}

/**
 * A fault of this package, not of its user: an invariant did not hold. Please
 * report it.
 *
 * @example Recognising it
 * ```ts
 * import { InternalError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new InternalError("x").name, "InternalError");
 * ```
 */
export class InternalError extends Error {
  static {
    this.prototype.name = "InternalError";
  }

  /**
   * Makes the error.
   *
   * @param message Which invariant did not hold.
   */
  constructor(message: string) {
    super(`${message} (this is a fault of @asyncio/asyncio: please report it)`);
  }
}

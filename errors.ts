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
 * - A task was cancelled: {@linkcode CancelledError}. Let it pass; see
 *   {@linkcode isCancelledError}. The time was over: {@linkcode TimeoutError}.
 * - Several failed: {@linkcode ExceptionGroup}.
 * - Used at the wrong time: {@linkcode InvalidStateError}.
 * - A queue: {@linkcode QueueEmpty}, {@linkcode QueueFull},
 *   {@linkcode QueueShutDown}. A channel: {@linkcode EndOfChannel},
 *   {@linkcode ClosedResourceError}, {@linkcode BrokenResourceError}. A stream:
 *   {@linkcode IncompleteReadError}, {@linkcode LimitOverrunError}.
 * - The system: {@linkcode OSError} and those that extend it, such as
 *   {@linkcode ConnectionRefusedError}.
 *
 * @module
 */

const CANCELLED = Symbol.for("@asyncio/asyncio/CancelledError");

/**
 * Names a class of errors, even if a minifier gives it another name. A call
 * that is marked as pure lets a bundle leave out the classes it does not use,
 * which a static block does not.
 */
function named(kind: { readonly prototype: Error }, name: string): void {
  kind.prototype.name = name;
}

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
 * again. A `catch` that keeps it has declined the cancellation. Equivalent of
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
 * Recognises the class across copies of this package (from JSR and from npm, or
 * of two versions), which `instanceof` does not.
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
  if (typeof error !== "object" || error === null) return false;
  try {
    return CANCELLED in error;
  } catch {
    // A proxy that was revoked, or that does not like to be asked.
    return false;
  }
}

/**
 * Thrown when a deadline passed. Its `cause` is the {@linkcode CancelledError}
 * that stopped the work. Equivalent of `asyncio.TimeoutError`; it is not a kind
 * of `CancelledError`, so it is never mistaken for one.
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
  static readonly #named = /* @__PURE__ */ named(this, "TimeoutError");

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
 * Equivalent of `asyncio.InvalidStateError` and of Python's `RuntimeError`.
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
  static readonly #named = /* @__PURE__ */ named(this, "InvalidStateError");
}

type Parts = [matched: ExceptionGroup | null, rest: ExceptionGroup | null];

/**
 * Several errors at once, as a {@linkcode TaskGroup} throws them. Equivalent of
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
 * const [timeouts, rest] = group.split(TimeoutError);
 * assertEquals(timeouts?.errors.length, 1);
 * assertEquals(rest?.errors.length, 1);
 * ```
 */
export class ExceptionGroup extends AggregateError {
  static readonly #named = /* @__PURE__ */ named(this, "ExceptionGroup");

  /**
   * Makes the group.
   *
   * @param errors What failed, at least one error.
   * @param message What to tell the reader; how many errors it holds, and the
   * first of them, are added.
   * @param options The cause.
   * @throws {TypeError} When `errors` is no list, or a string, as where the
   * message comes first.
   * @throws {RangeError} When `errors` is empty.
   */
  constructor(
    errors: Iterable<unknown>,
    message: string = "Several tasks failed",
    options?: ErrorOptions,
  ) {
    if (typeof errors === "string") {
      throw new TypeError(
        "Cannot create an ExceptionGroup as 'errors' must be a list of errors: received a string; the message comes second",
      );
    }
    const list = listOf(errors);
    if (list.length === 0) {
      throw new RangeError(
        "Cannot create an ExceptionGroup as 'errors' must hold at least one error: received none",
      );
    }
    super(list, `${message} (${summary(list)})`, options);
    this.#text = message;
  }

  readonly #text: string;

  /**
   * The errors for which `matches` is true, with the nesting kept.
   *
   * @param matches A class of errors, or what is asked for each error that is
   * not itself a group.
   * @returns A group of the same shape, or `null` if nothing matched.
   * @throws {TypeError} When `matches` is no function.
   */
  subgroup(
    matches:
      | ((error: unknown) => boolean)
      | (abstract new (...args: never[]) => Error),
  ): ExceptionGroup | null {
    return this.split(matches)[0];
  }

  /**
   * Splits the group in two, with the nesting kept in both.
   *
   * @param matches A class of errors, or what is asked for each error that is
   * not itself a group.
   * @returns The group that matched and the rest, each `null` if empty.
   * @throws {TypeError} When `matches` is no function.
   */
  split(
    matches:
      | ((error: unknown) => boolean)
      | (abstract new (...args: never[]) => Error),
  ): [matched: ExceptionGroup | null, rest: ExceptionGroup | null] {
    const isMatch = matcher(matches);
    /** The groups that were split, as others may hold them, too. */
    const known = new Map<unknown, Parts>();
    // Groups may be nested deeper than the stack is: no calls in calls.
    const splits: Split[] = [beginSplit(this, known)];
    while (true) {
      const split = splits[splits.length - 1]!;
      const { group, matched, rest } = split;
      const errors = group.errors as unknown[];
      if (split.next < errors.length) {
        const error = errors[split.next++];
        const parts = known.get(error);
        if (parts !== undefined) split.add(parts);
        else if (this.#isGroup(error)) {
          splits.push(beginSplit(error, known));
        } else (isMatch(error) ? matched : rest).push(error);
        continue;
      }
      const parts: Parts = [group.#derive(matched), group.#derive(rest)];
      known.set(group, parts);
      splits.pop();
      const around = splits[splits.length - 1];
      if (around === undefined) return parts;
      around.add(parts);
    }
  }

  /** Asks no proxy, which may have been revoked. */
  #isGroup(error: unknown): error is ExceptionGroup {
    return typeof error === "object" && error !== null && #text in error;
  }

  /** One of some of the errors, which came from where this one came. */
  #derive(errors: unknown[]): ExceptionGroup | null {
    if (errors.length === 0) return null;
    const own = this.errors as unknown[];
    if (
      errors.length === own.length &&
      errors.every((error, index) => error === own[index])
    ) return this;
    const group = makeGroup(errors, this.#text);
    for (const key of ["cause", "stack"] as const) {
      if (this[key] === undefined) continue;
      const value = key === "cause" ? this.cause : stackOf(group, this.stack!);
      Object.defineProperty(group, key, {
        value,
        writable: true,
        configurable: true,
      });
    }
    return group;
  }
}

function listOf(errors: Iterable<unknown>): unknown[] {
  if (typeof Object(errors)[Symbol.iterator] === "function") return [...errors];
  throw new TypeError(
    `Cannot create an ExceptionGroup as 'errors' must be a list of errors: received ${
      brief(errors)
    }`,
  );
}

/**
 * Outside of the class: for a class that names itself, the compiler writes an
 * assignment, which no bundle leaves out.
 */
function makeGroup(errors: unknown[], message: string): ExceptionGroup {
  return new ExceptionGroup(errors, message);
}

function matcher(
  matches: Parameters<ExceptionGroup["split"]>[0],
): (error: unknown) => boolean {
  if (typeof matches !== "function") {
    throw new TypeError(
      `Cannot split an ExceptionGroup as 'matches' must be a function or a class of errors: received ${
        brief(matches)
      }`,
    );
  }
  const { prototype } = matches;
  const isClass = prototype === Error.prototype || prototype instanceof Error;
  return isClass
    ? (error) => error instanceof matches
    : matches as (error: unknown) => boolean;
}

/** How far a group has been split. */
interface Split {
  readonly group: ExceptionGroup;
  next: number;
  readonly matched: unknown[];
  readonly rest: unknown[];
  add(parts: Parts): void;
}

function beginSplit(group: ExceptionGroup, known: Map<unknown, Parts>): Split {
  // What a group holds of itself is nothing new.
  known.set(group, [null, null]);
  const matched: unknown[] = [];
  const rest: unknown[] = [];
  return {
    group,
    next: 0,
    matched,
    rest,
    add([inner, outer]) {
      if (inner !== null) matched.push(inner);
      if (outer !== null) rest.push(outer);
    },
  };
}

/** The frames of another error below the first line of this one. */
function stackOf(error: Error, other: string): string {
  const frames = other.search(/\n\s+at /);
  const title = `${error.name}: ${error.message}`;
  return frames < 0 ? title : `${title}${other.slice(frames)}`;
}

/** How many errors of a group its message tells, and how much of each. */
const TOLD_ERRORS = 3;
const TOLD_CHARACTERS = 80;

function summary(errors: unknown[]): string {
  const count = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  const told = errors.slice(0, TOLD_ERRORS).map(brief).join("; ");
  const others = errors.length - TOLD_ERRORS;
  return `${count}: ${told}${others > 0 ? ` and ${others} more` : ""}`;
}

/** An error on one line; whatever it is, this throws nothing. */
function brief(error: unknown): string {
  let text: string;
  try {
    text = error instanceof Error
      ? `${error.name}${error.message === "" ? "" : `: ${error.message}`}`
      : typeof error === "object" && error !== null
      ? "an object"
      : typeof error === "function"
      ? "a function"
      : String(error);
  } catch {
    text = "an error that has no text";
  }
  const line = text.replace(/\s+/g, " ");
  return line.length > TOLD_CHARACTERS
    ? `${line.slice(0, TOLD_CHARACTERS)}\u2026`
    : line;
}

/**
 * Thrown by a {@linkcode Barrier} that is broken while tasks wait at it.
 * Equivalent of `asyncio.BrokenBarrierError`.
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
  static readonly #named = /* @__PURE__ */ named(this, "BrokenBarrierError");
}

/**
 * Thrown by `getNowait` if a queue has nothing to give. Equivalent of
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
  static readonly #named = /* @__PURE__ */ named(this, "QueueEmpty");
}

/**
 * Thrown by `putNowait` if a queue has no room; with `overflow: "error"`
 * also by `put`, and by `publish` of a broadcast. Equivalent of
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
  static readonly #named = /* @__PURE__ */ named(this, "QueueFull");
}

/**
 * Thrown when a queue was shut down: by `put` at once, by `get` when nothing
 * is left. Equivalent of `asyncio.QueueShutDown`.
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
  static readonly #named = /* @__PURE__ */ named(this, "QueueShutDown");
}

/**
 * Thrown by `receive` if a channel or a broadcast has ended: all that send
 * have closed, and nothing is left. `for await` ends instead. Equivalent of
 * `EndOfChannel` of trio and anyio.
 *
 * @example All has been received
 * ```ts
 * import { EndOfChannel, openChannel } from "@asyncio/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [send, receive] = openChannel<number>(1);
 * await send.send(1);
 * send.close();
 * assertEquals(await receive.receive(), 1);
 * await assertRejects(() => receive.receive(), EndOfChannel);
 * ```
 */
export class EndOfChannel extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "EndOfChannel");
}

/**
 * Thrown when what is used was closed on this side: this end of a channel,
 * this subscription, this broadcast; also by who waits in it. Equivalent of
 * `ClosedResourceError` of trio and anyio.
 *
 * @example An end that was closed
 * ```ts
 * import { ClosedResourceError, openChannel } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * const [send] = openChannel<number>();
 * send.close();
 * await assertRejects(() => send.send(1), ClosedResourceError);
 * ```
 */
export class ClosedResourceError extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "ClosedResourceError");
}

/**
 * Thrown by `send` if nobody is left who could receive: every other end of
 * the channel was closed. Equivalent of `BrokenResourceError` of trio and
 * anyio.
 *
 * @example The receiver has gone
 * ```ts
 * import { BrokenResourceError, openChannel } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * const [send, receive] = openChannel<number>();
 * receive.close();
 * await assertRejects(() => send.send(1), BrokenResourceError);
 * ```
 */
export class BrokenResourceError extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "BrokenResourceError");
}

/**
 * Thrown when a stream ended before all that was asked for had come. What had
 * come is in `partial`, and no longer in the stream. Equivalent of
 * `asyncio.IncompleteReadError`.
 *
 * @example What was there
 * ```ts
 * import { IncompleteReadError, StreamReader } from "@asyncio/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const reader = new StreamReader();
 * reader.feedData(new Uint8Array([1, 2, 3]));
 * reader.feedEof();
 * const error = await assertRejects(
 *   () => reader.readExactly(8),
 *   IncompleteReadError,
 * );
 * assertEquals(error.partial, new Uint8Array([1, 2, 3]));
 * assertEquals(error.expected, 8);
 * ```
 */
export class IncompleteReadError extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "IncompleteReadError");

  /** What was read before the end. */
  readonly partial: Uint8Array;
  /** How many bytes were asked for; `null` if it was a separator. */
  readonly expected: number | null;

  /**
   * Makes the error.
   *
   * @param partial What was read before the end.
   * @param expected How many bytes were asked for; `null` if it was a
   * separator.
   */
  constructor(partial: Uint8Array, expected: number | null) {
    super(
      `Cannot read ${
        expected === null ? "up to a separator" : `${expected} bytes`
      } as the stream has ended: received ${partial.length} bytes`,
    );
    this.partial = partial;
    this.expected = expected;
  }
}

/**
 * Thrown when a separator did not come within the limit of a stream: what is
 * before it is too long. Equivalent of `asyncio.LimitOverrunError` and, thrown
 * by `readLine`, of the `ValueError` of asyncio's `readline`.
 *
 * @example Going past what is too long
 * ```ts
 * import { LimitOverrunError, StreamReader } from "@asyncio/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const reader = new StreamReader({ limit: 4 });
 * reader.feedData(new TextEncoder().encode("too long;ok;"));
 * const error = await assertRejects(
 *   () => reader.readUntil(";"),
 *   LimitOverrunError,
 * );
 * await reader.readExactly(error.consumed);
 * assertEquals(await reader.readUntil(";"), new TextEncoder().encode(";"));
 * ```
 */
export class LimitOverrunError extends RangeError {
  static readonly #named = /* @__PURE__ */ named(this, "LimitOverrunError");

  /**
   * How many bytes are in the way: those before the separator, or, if none
   * came so far, those that cannot belong to one.
   */
  readonly consumed: number;

  /**
   * Makes the error.
   *
   * @param message What to tell the reader.
   * @param consumed How many bytes are in the way.
   */
  constructor(message: string, consumed: number) {
    super(message);
    this.consumed = consumed;
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
  static readonly #named = /* @__PURE__ */ named(this, "KeyboardInterrupt");

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
 * exits with its status. Equivalent of Python's `SystemExit`.
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
  static readonly #named = /* @__PURE__ */ named(this, "SystemExit");

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
  static readonly #named = /* @__PURE__ */ named(this, "InternalError");

  /**
   * Makes the error.
   *
   * @param message Which invariant did not hold.
   */
  constructor(message: string) {
    super(`${message} (this is a fault of @asyncio/asyncio: please report it)`);
  }
}

/** Options of {@linkcode BrokenWorkerError}. */
export interface BrokenWorkerErrorOptions extends ErrorOptions {
  /** The status the worker ended with. */
  exitCode?: number | undefined;
}

/**
 * The worker that ran a job has ended before the job did: something in it threw
 * where nothing catches (that error is the `cause`), it ran out of memory, or
 * it called `process.exit()`. Only that one job fails; another worker goes on
 * with the next. Equivalent of `concurrent.futures.BrokenExecutor`.
 *
 * @example A job that ends its own worker
 * ```ts
 * import { BrokenWorkerError, WorkerPoolExecutor } from "@asyncio/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
 * const error = await assertRejects(
 *   () => executor.submit(() => process.exit(3)),
 *   BrokenWorkerError,
 * );
 * assertEquals(error.exitCode, 3);
 * assertEquals(await executor.submit(() => "as good as new"), "as good as new");
 * ```
 */
export class BrokenWorkerError extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "BrokenWorkerError");

  /** The status the worker ended with. */
  readonly exitCode: number;

  /**
   * Makes the error.
   *
   * @param message Which job it was, and what has happened.
   * @param options The status, and the error that ended the worker as the cause.
   */
  constructor(message: string, options: BrokenWorkerErrorOptions = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Options of {@linkcode ScheduleError}. */
export interface ScheduleErrorOptions extends ErrorOptions {
  /** The seed of the schedule. */
  seed?: number | undefined;
  /** What brings the schedule back. */
  replay?: string | undefined;
}

/**
 * A test failed under one order of its tasks. Its `cause` is what the test
 * threw, and its `replay` brings that order back.
 *
 * @example Running that order alone
 * ```ts
 * import {
 *   exploreSchedules,
 *   ScheduleError,
 *   sleep,
 *   taskGroup,
 * } from "@asyncio/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const test = () =>
 *   taskGroup(async (group) => {
 *     let last = "";
 *     group.createTask(() => sleep(1).then(() => last = "one"));
 *     group.createTask(() => sleep(1).then(() => last = "two"));
 *     await sleep(2);
 *     assertEquals(last, "two"); // as long as nobody is late
 *   });
 *
 * const { replay } = await assertRejects(
 *   () => exploreSchedules(test),
 *   ScheduleError,
 * );
 * await assertRejects(
 *   () => exploreSchedules(test, { replay }),
 *   ScheduleError,
 * );
 * ```
 */
export class ScheduleError extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "ScheduleError");

  /** The seed of the schedule. */
  readonly seed: number;
  /** What brings the schedule back, as the option of that name. */
  readonly replay: string;

  /**
   * Makes the error.
   *
   * @param message Which schedule it was, and what has happened.
   * @param options What brings it back, and the error of the test as the cause.
   */
  constructor(message: string, options: ScheduleErrorOptions = {}) {
    super(message, options);
    this.seed = options.seed ?? 0;
    this.replay = options.replay ?? `${this.seed}:`;
  }
}

/** Options of {@linkcode OSError}. */
export interface OSErrorOptions extends ErrorOptions {
  /** The system's name of the error: `ECONNREFUSED`. */
  code?: string | undefined;
}

/**
 * The system could not do what it was asked for: the host's error is its
 * `cause`. The classes below are kinds of it, with the names Python gives them;
 * whichever runtime brings the error, it is the same. Equivalent of `OSError`.
 *
 * @example Which error it was
 * ```ts
 * import { ConnectionRefusedError, OSError } from "@asyncio/asyncio";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const error = new ConnectionRefusedError("No one there", {
 *   code: "ECONNREFUSED",
 * });
 * assert(error instanceof OSError);
 * assertEquals(error.code, "ECONNREFUSED");
 * ```
 */
export class OSError extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "OSError");

  /** The system's name of the error: `ECONNREFUSED`; may be empty. */
  readonly code: string;

  /**
   * Makes the error.
   *
   * @param message What could not be done, and why.
   * @param options The system's code, and the host's error as the cause.
   */
  constructor(message: string, options: OSErrorOptions = {}) {
    super(message, options);
    this.code = options.code ?? "";
  }
}

/**
 * A connection failed: the four classes below. Equivalent of `ConnectionError`.
 *
 * @example Catching any of them
 * ```ts
 * import { BrokenPipeError, ConnectionError } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new BrokenPipeError("Gone") instanceof ConnectionError);
 * ```
 */
export class ConnectionError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "ConnectionError");
}

/**
 * The connection was given up on this side. Equivalent of
 * `ConnectionAbortedError`; its code is `ECONNABORTED`.
 *
 * @example Recognising it
 * ```ts
 * import { ConnectionAbortedError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ConnectionAbortedError("x").name, "ConnectionAbortedError");
 * ```
 */
export class ConnectionAbortedError extends ConnectionError {
  static readonly #named = /* @__PURE__ */ named(
    this,
    "ConnectionAbortedError",
  );
}

/**
 * No one listens where the connection was to go. Equivalent of
 * `ConnectionRefusedError`; its code is `ECONNREFUSED`.
 *
 * @example Connecting to a closed port
 * ```ts
 * import { ConnectionRefusedError, openConnection } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () => openConnection({ hostname: "127.0.0.1", port: 1 }),
 *   ConnectionRefusedError,
 * );
 * ```
 */
export class ConnectionRefusedError extends ConnectionError {
  static readonly #named = /* @__PURE__ */ named(
    this,
    "ConnectionRefusedError",
  );
}

/**
 * The peer dropped the connection without closing it. Equivalent of
 * `ConnectionResetError`; its code is `ECONNRESET`.
 *
 * @example Recognising it
 * ```ts
 * import { ConnectionResetError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ConnectionResetError("x").name, "ConnectionResetError");
 * ```
 */
export class ConnectionResetError extends ConnectionError {
  static readonly #named = /* @__PURE__ */ named(this, "ConnectionResetError");
}

/**
 * The peer no longer reads what is written. Equivalent of `BrokenPipeError`;
 * its code is `EPIPE`.
 *
 * @example Recognising it
 * ```ts
 * import { BrokenPipeError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new BrokenPipeError("x").name, "BrokenPipeError");
 * ```
 */
export class BrokenPipeError extends ConnectionError {
  static readonly #named = /* @__PURE__ */ named(this, "BrokenPipeError");
}

/**
 * There is no such file, program or socket. Equivalent of `FileNotFoundError`;
 * its code is `ENOENT`.
 *
 * @example A Unix socket that is not there
 * ```ts
 * import { FileNotFoundError, openConnection } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () => openConnection({ path: "/nowhere/a.sock" }),
 *   FileNotFoundError,
 * );
 * ```
 */
export class FileNotFoundError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "FileNotFoundError");
}

/**
 * The file is there already. Equivalent of `FileExistsError`; its code is
 * `EEXIST`.
 *
 * @example Recognising it
 * ```ts
 * import { FileExistsError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new FileExistsError("x").name, "FileExistsError");
 * ```
 */
export class FileExistsError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "FileExistsError");
}

/**
 * A path that must be a file names a directory. Equivalent of
 * `IsADirectoryError`; its code is `EISDIR`.
 *
 * @example Recognising it
 * ```ts
 * import { IsADirectoryError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new IsADirectoryError("x").name, "IsADirectoryError");
 * ```
 */
export class IsADirectoryError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "IsADirectoryError");
}

/**
 * A path leads to a file where a directory has to be.
 * Equivalent of `NotADirectoryError`; its code is `ENOTDIR`.
 *
 * @example A file where a directory is needed
 * ```ts
 * import { createSubprocessExec, NotADirectoryError } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () => createSubprocessExec("pwd", [], { cwd: "README.md" }),
 *   NotADirectoryError,
 * );
 * ```
 */
export class NotADirectoryError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "NotADirectoryError");
}

/**
 * The system or the runtime does not allow it. Equivalent of `PermissionError`;
 * its code is `EACCES` or `EPERM`.
 *
 * @example Recognising it
 * ```ts
 * import { PermissionError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new PermissionError("x").name, "PermissionError");
 * ```
 */
export class PermissionError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "PermissionError");
}

/**
 * There is no such process, or no more: it has ended. Equivalent of
 * `ProcessLookupError`; its code is `ESRCH`.
 *
 * @example A signal that comes too late
 * ```ts
 * import { createSubprocessExec, ProcessLookupError } from "@asyncio/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const process = await createSubprocessExec("true");
 * await process.wait();
 * assertThrows(() => process.terminate(), ProcessLookupError);
 * ```
 */
export class ProcessLookupError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "ProcessLookupError");
}

/**
 * The two sides did not agree on an encrypted connection: most often the
 * certificate is not trusted, or is for another name. Equivalent of
 * `ssl.SSLError`.
 *
 * @example Recognising it
 * ```ts
 * import { SSLError } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new SSLError("x").name, "SSLError");
 * ```
 */
export class SSLError extends OSError {
  static readonly #named = /* @__PURE__ */ named(this, "SSLError");
}

/**
 * Worker processes were given up: they ended again and again, or never became
 * ready.
 *
 * @example Catching it
 * ```ts
 * import { prefork, WorkerError } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const script = await Deno.makeTempFile({ suffix: ".js" });
 * await Deno.writeTextFile(script, "process.exit(1);");
 * try {
 *   const supervisor = await prefork({ script, workers: 1 });
 *   await supervisor.wait();
 * } catch (error) {
 *   assert(error instanceof WorkerError);
 *   console.error(error.message);
 * }
 * ```
 */
export class WorkerError extends Error {
  static readonly #named = /* @__PURE__ */ named(this, "WorkerError");
}
